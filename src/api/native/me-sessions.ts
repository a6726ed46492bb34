/** Where the signed-in user is signed in. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../deps.ts";
import { revokeOtherSessions, revokeOwnSession } from "../../domain/sessions/ending.ts";
import { listSessions, type LiveSessionRow } from "../../domain/sessions/listing.ts";
import { bearerAuth, commonErrors, ErrorResponse } from "../../http/models.ts";
import { userScope } from "../../http/scope.ts";
import { describeDevice } from "../../lib/device.ts";
import { notFound } from "../../lib/errors.ts";
import { isId } from "../../lib/ids.ts";
import { requireOwnApplication } from "./me-access.ts";
import { Nothing } from "./models.ts";

const SessionResponse = t.Object({
  id: t.String({ examples: ["sess_01JD2M9V7QX5T8Z4C6B3N0K1HF"], description: "`sid` in ID tokens" }),
  current: t.Boolean({ description: "Whether it is the session that this request belongs to" }),
  impersonated: t.Boolean({ description: "Whether an administrator is signed in as the user" }),
  device: t.Nullable(t.String({ examples: ["Firefox on Linux"] })),
  ip_address: t.Nullable(t.String({ description: "Where the sign-in came from" })),
  user_agent: t.Nullable(t.String()),
  applications: t.Array(t.String(), { description: "Names of the applications that were signed in to" }),
  created_at: t.String({ format: "date-time" }),
  last_seen_at: t.String({ format: "date-time", description: "To the minute" }),
  expires_at: t.String({ format: "date-time" }),
});

const SessionsResponse = t.Object({ sessions: t.Array(SessionResponse) });

const errors = { 401: ErrorResponse, 403: ErrorResponse, ...commonErrors };

export const meSessionRoutes = (deps: Deps) =>
  new Elysia({ name: "native-me-sessions", detail: { tags: ["Account"], security: bearerAuth } })
    .use(userScope(deps))
    // Before the parameters are looked at, and for every route below.
    .derive(async ({ tenant, access }) => {
      await requireOwnApplication(deps, { tenant, access });
      return { user: access.user };
    })
    .get(
      "/me/sessions",
      async ({ tenant, user, access }) => {
        const sessions = await listSessions(deps, tenant, user);
        return { sessions: sessions.map((session) => toResponse(session, access.sessionId)) };
      },
      {
        response: { 200: SessionsResponse, ...errors },
        detail: { summary: "Where the user is signed in", description: "The lately used first." },
      },
    )
    .delete(
      "/me/sessions/:id",
      async ({ params, tenant, user, context, status }) => {
        if (!isId("session", params.id)) throw notFound("You have no such session.");
        await revokeOwnSession(
          deps,
          { tenantId: tenant.id, id: params.id, userId: user.id },
          { actor: { type: "user", id: user.id }, context },
        );
        return status(204, undefined);
      },
      {
        params: t.Object({ id: t.String() }),
        response: { 204: Nothing, ...errors },
        detail: {
          summary: "End one session",
          description: "With all its tokens, those for offline access among them. Its applications are told.",
        },
      },
    )
    .delete(
      "/me/sessions",
      async ({ user, access, context, status }) => {
        await revokeOtherSessions(deps, user, {
          actor: { type: "user", id: user.id },
          context,
          except: access.sessionId,
        });
        return status(204, undefined);
      },
      {
        response: { 204: Nothing, ...errors },
        detail: { summary: "End all other sessions", description: "All but the one of this request." },
      },
    );

function toResponse(session: LiveSessionRow, current: string | null): typeof SessionResponse.static {
  return {
    id: session.id,
    current: session.id === current,
    impersonated: session.impersonated,
    device: describeDevice(session.userAgent) ?? null,
    ip_address: session.ip,
    user_agent: session.userAgent,
    applications: [...session.applications],
    created_at: session.createdAt.toISOString(),
    last_seen_at: session.lastSeenAt.toISOString(),
    expires_at: session.expiresAt.toISOString(),
  };
}
