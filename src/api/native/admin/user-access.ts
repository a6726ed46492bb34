/** Users' passwords and sessions, in the hands of administrators. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import type { LiveSessionRow } from "../../../domain/sessions/listing.ts";
import { endSessionsOf, listSessionsOf, resetPassword } from "../../../domain/user-administration/access.ts";
import { optionalJsonBody } from "../../../http/json-body.ts";
import { bearerAuth, ErrorResponse, MessageResponse } from "../../../http/models.ts";
import { adminScope } from "../../../http/scope.ts";
import { describeDevice } from "../../../lib/device.ts";
import { adminErrors, Nothing } from "./models.ts";
import { ResetPasswordRequest } from "./user-models.ts";

const Moment = t.String({ format: "date-time" });

const SessionResponse = t.Object({
  id: t.String({ examples: ["sess_01JD2M9V7QX5T8Z4C6B3N0K1HF"] }),
  impersonated: t.Boolean({ description: "Whether an administrator is signed in as the user" }),
  device: t.Nullable(t.String({ examples: ["Firefox on Linux"] })),
  ip_address: t.Nullable(t.String({ description: "Where the sign-in came from" })),
  user_agent: t.Nullable(t.String()),
  authentication_methods: t.Array(t.String(), { description: "RFC 8176" }),
  applications: t.Array(t.String(), { description: "Names of the applications that were signed in to" }),
  created_at: Moment,
  last_seen_at: Moment,
  expires_at: Moment,
});

export const adminUserAccessRoutes = (deps: Deps) =>
  new Elysia({ name: "native-admin-user-access", detail: { tags: ["Users"], security: bearerAuth } })
    .use(adminScope(deps))
    .post(
      "/api/v1/admin/users/:id/reset-password",
      async ({ tenant, params, body, by }) => {
        await resetPassword(deps, tenant, params.id, body?.password, by);
        const message = body?.password
          ? "The password was changed. Tell it to the user by a way that nobody else reads."
          : "A mail with a link is on its way to the user.";
        return { message };
      },
      {
        parse: optionalJsonBody,
        body: t.Optional(ResetPasswordRequest),
        response: { 200: MessageResponse, 409: ErrorResponse, 422: ErrorResponse, ...adminErrors },
        detail: {
          summary: "Reset a user's password",
          description:
            "To the one that is given; without one, the user is mailed a link by which they choose one. They are signed out everywhere at once.",
        },
      },
    )
    .get(
      "/api/v1/admin/users/:id/sessions",
      async ({ tenant, params }) => ({
        data: (await listSessionsOf(deps, tenant, params.id)).map(sessionResponse),
      }),
      {
        response: { 200: t.Object({ data: t.Array(SessionResponse) }), ...adminErrors },
        detail: {
          summary: "Where a user is signed in",
          description: "The lately used first, at most 200.",
        },
      },
    )
    .delete(
      "/api/v1/admin/users/:id/sessions",
      async ({ tenant, params, by, status }) => {
        await endSessionsOf(deps, tenant.id, params.id, by);
        return status(204, undefined);
      },
      {
        response: { 204: Nothing, ...adminErrors },
        detail: {
          summary: "Sign a user out everywhere",
          description: "With all their tokens, those for offline access among them. Applications are told.",
        },
      },
    );

function sessionResponse(session: LiveSessionRow): typeof SessionResponse.static {
  return {
    id: session.id,
    impersonated: session.impersonated,
    device: describeDevice(session.userAgent) ?? null,
    ip_address: session.ip,
    user_agent: session.userAgent,
    authentication_methods: [...session.amr],
    applications: [...session.applications],
    created_at: session.createdAt.toISOString(),
    last_seen_at: session.lastSeenAt.toISOString(),
    expires_at: session.expiresAt.toISOString(),
  };
}
