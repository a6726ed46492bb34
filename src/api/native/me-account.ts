/** Looking after one's own account: the profile, the password, the address, a copy of the data, the end of it. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../deps.ts";
import { requestAccountDeletion } from "../../domain/accounts/deletion.ts";
import {
  cancelEmailChange,
  findPendingEmailChange,
  requestEmailChange,
} from "../../domain/accounts/email-change.ts";
import { changePassword } from "../../domain/accounts/password-change.ts";
import { type ProfileChanges, updateProfile } from "../../domain/accounts/profile.ts";
import type { Access } from "../../domain/access-tokens/access.ts";
import { downloadDataExport, findDataExport, requestDataExport } from "../../domain/data-exports/service.ts";
import { needToChangeFactors, needToChangePassword } from "../../domain/mfa/factors.ts";
import { requireFreshAuthentication } from "../../domain/sessions/fresh.ts";
import type { Tenant } from "../../domain/tenants/service.ts";
import { jsonBody, optionalJsonBody } from "../../http/json-body.ts";
import { bearerAuth, commonErrors, ErrorResponse, MessageResponse } from "../../http/models.ts";
import { userScope } from "../../http/scope.ts";
import { notFound, unauthorized } from "../../lib/errors.ts";
import { type Id, isId } from "../../lib/ids.ts";
import * as models from "./account-models.ts";
import { meAnswer } from "./me-answer.ts";
import { requireOwnApplication } from "./me-access.ts";
import { MeResponse, Nothing } from "./models.ts";

const errors = { 401: ErrorResponse, 403: ErrorResponse, ...commonErrors };
const bodyErrors = { ...errors, 422: ErrorResponse };
const fresh = "Needs a recent proof of who acts: 401 `insufficient_user_authentication` says what would do.";

/** The routes of this file, for the service's own applications. */
const ownScope = (deps: Deps, name: string) =>
  new Elysia({ name, detail: { tags: ["Account"], security: bearerAuth } })
    .use(userScope(deps))
    // Before the body is looked at, and for every route below.
    .derive(async ({ tenant, access }) => {
      await requireOwnApplication(deps, { tenant, access });
      return { user: access.user };
    });

/**
 * As much as for changing a second factor: lately, and with one where there is one.
 * @throws OAuthError 401 unless who acts has proved that
 */
export async function requireFresh(deps: Deps, tenant: Tenant, access: Access): Promise<void> {
  const need = await needToChangeFactors(deps, tenant, access.user);
  await requireFreshAuthentication(deps, tenant.id, access, need);
}

export const meAccountRoutes = (deps: Deps) =>
  new Elysia({ name: "native-me-account" })
    .use(profileRoutes(deps))
    .use(credentialRoutes(deps))
    .use(dataRoutes(deps));

const profileRoutes = (deps: Deps) =>
  ownScope(deps, "native-me-profile")
    .patch(
      "/me",
      async ({ body, user, context }) =>
        meAnswer(deps, await updateProfile(deps, user, changesOf(body, false), context)),
      {
        parse: jsonBody,
        body: models.ProfileRequest,
        response: { 200: MeResponse, ...bodyErrors },
        detail: { summary: "Change some of the profile", description: "null takes a member away." },
      },
    )
    .put(
      "/me",
      async ({ body, user, context }) =>
        meAnswer(deps, await updateProfile(deps, user, changesOf(body, true), context)),
      {
        parse: jsonBody,
        body: models.ProfileRequest,
        response: { 200: MeResponse, ...bodyErrors },
        detail: { summary: "Replace the profile", description: "What is left out is taken away." },
      },
    );

const credentialRoutes = (deps: Deps) =>
  ownScope(deps, "native-me-credentials")
    .post(
      "/me/password",
      async ({ body, tenant, user, access, context }) => {
        const { current_password: currentPassword, new_password: password } = body;
        if (!access.sessionId) throw unauthorized("This token belongs to no session.");
        const typed = currentPassword !== undefined;
        const need = await needToChangePassword(deps, tenant, user, { typed });
        if (need) await requireFreshAuthentication(deps, tenant.id, access, need);
        await changePassword(
          deps,
          tenant,
          { user, sessionId: access.sessionId },
          { currentPassword, password, endOtherSessions: body.end_other_sessions ?? true },
          context,
        );
        return { message: "The password was changed." };
      },
      {
        parse: jsonBody,
        body: models.ChangePasswordRequest,
        response: { 200: MessageResponse, 409: ErrorResponse, ...bodyErrors },
        detail: {
          summary: "Change the password",
          description: `Takes the current password; without it, or of who has a second factor: ${fresh} Other sessions end, unless told otherwise.`,
        },
      },
    )
    .post(
      "/me/email",
      async ({ body, tenant, user, access, context, status }) => {
        await requireFresh(deps, tenant, access);
        const change = await requestEmailChange(deps, user, body.email, context);
        return status(202, models.emailChangeResponse(change));
      },
      {
        parse: jsonBody,
        body: models.ChangeEmailRequest,
        response: { 202: models.EmailChangeResponse, ...bodyErrors },
        detail: {
          summary: "Ask for another email address",
          description: `It is changed when the old address has approved and the new one confirmed, each by a mailed link. ${fresh}`,
        },
      },
    )
    .get(
      "/me/email",
      async ({ user }) => {
        const change = await findPendingEmailChange(deps, user);
        if (!change) throw notFound("No change of address waits for anything.");
        return models.emailChangeResponse(change);
      },
      {
        response: { 200: models.EmailChangeResponse, ...errors },
        detail: { summary: "The change of address that waits for its links" },
      },
    )
    .delete(
      "/me/email",
      async ({ user, context, status }) => {
        await cancelEmailChange(deps, user, context);
        return status(204, undefined);
      },
      {
        response: { 204: Nothing, ...errors },
        detail: { summary: "Call a change of address off" },
      },
    );

const dataRoutes = (deps: Deps) =>
  ownScope(deps, "native-me-data")
    .delete(
      "/me",
      async ({ tenant, user, access, context, status }) => {
        await requireFresh(deps, tenant, access);
        const due = await requestAccountDeletion(deps, tenant, user, context);
        const message = "You are signed out everywhere. To keep the account, sign in before it is deleted.";
        return status(202, { message, deleted_at: due.toISOString() });
      },
      {
        response: { 202: models.DeletionResponse, 409: ErrorResponse, ...errors },
        detail: {
          summary: "Delete the account",
          description: `Ends every session at once; the account is erased after the tenant's days of grace. ${fresh}`,
        },
      },
    )
    .post(
      "/me/export",
      async ({ tenant, user, access, context, status }) => {
        await requireFresh(deps, tenant, access);
        return status(202, models.exportResponse(await requestDataExport(deps, user, context)));
      },
      {
        response: { 202: models.ExportResponse, ...errors },
        parse: optionalJsonBody,
        body: t.Object({}),
        detail: {
          summary: "Ask for a copy of all that is kept about the user",
          description: `A mail tells when it is ready. ${fresh}`,
        },
      },
    )
    .get(
      "/me/export/:id",
      async ({ params, user }) =>
        models.exportResponse(await findDataExport(deps, user, exportIdOf(params.id))),
      {
        params: t.Object({ id: t.String() }),
        response: { 200: models.ExportResponse, ...errors },
        detail: { summary: "How far the copy is" },
      },
    )
    .get(
      "/me/export/:id/download",
      async ({ params, tenant, user, access, context }) => {
        await requireFresh(deps, tenant, access);
        const id = exportIdOf(params.id);
        return new Response(await downloadDataExport(deps, user, id, context), {
          headers: {
            "content-type": "application/json",
            "content-disposition": `attachment; filename="${id}.json"`,
            "cache-control": "no-store",
          },
        });
      },
      {
        params: t.Object({ id: t.String() }),
        response: {
          200: t.Unknown({ description: "Everything, by section" }),
          409: ErrorResponse,
          410: ErrorResponse,
          ...errors,
        },
        detail: { summary: "The copy itself, as JSON", description: fresh },
      },
    );

function exportIdOf(text: string): Id<"dataExport"> {
  if (!isId("dataExport", text)) throw notFound("There is no such copy of your data.");
  return text;
}

/** @param whole whether what is left out is to go */
function changesOf(body: typeof models.ProfileRequest.static, whole: boolean): ProfileChanges {
  const { given_name, family_name, picture, locale, zoneinfo } = body;
  const members = {
    givenName: given_name,
    familyName: family_name,
    picture,
    locale,
    zoneinfo,
  };
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => {
      if (value === undefined) return whole ? [[name, null]] : [];
      return [[name, value]];
    }),
  );
}
