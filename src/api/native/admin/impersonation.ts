/** Administrators who sign in as a user, where the tenant allows it. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import { requestImpersonation } from "../../../domain/impersonation/service.ts";
import { jsonBody } from "../../../http/json-body.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { adminScope } from "../../../http/scope.ts";
import { forbidden } from "../../../lib/errors.ts";
import { requireFresh } from "../me-account.ts";
import { adminErrors, noStore } from "./models.ts";

const ImpersonationRequest = t.Object({
  reason: t.String({
    minLength: 1,
    maxLength: 500,
    description: "Told to the user, and kept in the audit trail",
  }),
  minutes: t.Optional(
    t.Integer({ minimum: 1, maximum: 60, description: "15 unless told; never beyond one's own session" }),
  ),
});

const ImpersonationResponse = t.Object(
  {
    url: t.String({ description: "Good once, for one minute, in the browser of whoever asked for it" }),
    expires_at: t.String({ format: "date-time", description: "Of the link" }),
  },
  { description: "A one-time link" },
);

export const adminImpersonationRoutes = (deps: Deps) =>
  new Elysia({ name: "native-admin-impersonation", detail: { tags: ["Users"], security: bearerAuth } })
    .use(adminScope(deps))
    .post(
      "/api/v1/admin/users/:id/impersonate",
      async ({ tenant, home, access, context, params, body, set }) => {
        if (!access?.sessionId) throw forbidden();
        await requireFresh(deps, home, access);
        const { reason, minutes = 15 } = body;
        const by = { user: access.user, sessionId: access.sessionId, context };
        const made = await requestImpersonation(deps, tenant, { userId: params.id, reason, minutes }, by);
        Object.assign(set.headers, noStore);
        return { url: made.url, expires_at: made.expiresAt.toISOString() };
      },
      {
        parse: jsonBody,
        body: ImpersonationRequest,
        response: { 200: ImpersonationResponse, 409: ErrorResponse, 422: ErrorResponse, ...adminErrors },
        detail: {
          summary: "Sign in as a user",
          description:
            "Where `impersonation_enabled` says so: an admin as a user, a super_admin also as an admin. What is done is recorded as the administrator's, the user sees it among their sessions, and is told by mail unless `impersonation_mail` says otherwise. Needs a recent proof of who acts: 401 `insufficient_user_authentication` says what would do.",
        },
      },
    );
