/** What the signed-in user is known by at connections. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../deps.ts";
import {
  listExternalAccounts,
  requireExternalAccount,
  unlinkExternalAccount,
} from "../../domain/external-accounts/service.ts";
import { bearerAuth, commonErrors, ErrorResponse } from "../../http/models.ts";
import { userScope } from "../../http/scope.ts";
import { ExternalAccountResponse, externalAccountResponse } from "./external-account-models.ts";
import { requireFresh } from "./me-account.ts";
import { requireOwnApplication } from "./me-access.ts";
import { Nothing } from "./models.ts";

const errors = { 401: ErrorResponse, 403: ErrorResponse, ...commonErrors };
const params = t.Object({ id: t.String() });

export const meExternalAccountRoutes = (deps: Deps) =>
  new Elysia({ name: "native-me-external-accounts", detail: { tags: ["Account"], security: bearerAuth } })
    .use(userScope(deps))
    // Before the parameters are looked at, and for every route below.
    .derive(async ({ tenant, access }) => {
      await requireOwnApplication(deps, { tenant, access });
      return { user: access.user };
    })
    .get(
      "/me/external-accounts",
      async ({ user }) => ({
        external_accounts: (await listExternalAccounts(deps, user)).map(externalAccountResponse),
      }),
      {
        response: { 200: t.Object({ external_accounts: t.Array(ExternalAccountResponse) }), ...errors },
        detail: { summary: "The user's external accounts", description: "The oldest first." },
      },
    )
    .get(
      "/me/external-accounts/:id",
      async ({ params: { id }, user }) =>
        externalAccountResponse(await requireExternalAccount(deps, user, id)),
      {
        params,
        response: { 200: ExternalAccountResponse, ...errors },
        detail: { summary: "An external account" },
      },
    )
    .delete(
      "/me/external-accounts/:id",
      async ({ params: { id }, tenant, user, access, context, status }) => {
        await requireFresh(deps, tenant, access);
        await unlinkExternalAccount(deps, tenant, user, id, context);
        return status(204, undefined);
      },
      {
        params,
        response: { 204: Nothing, 409: ErrorResponse, ...errors },
        detail: {
          summary: "Unlink an external account",
          description:
            "Not the last way in (409 `last_sign_in_method`). What tokens of it are kept are revoked there, as far as that works.",
        },
      },
    );
