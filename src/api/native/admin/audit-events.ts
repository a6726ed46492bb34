/** The audit trail, as administrators read it. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import { type EventFilter, listEvents, type StoredEvent } from "../../../domain/audit/reading.ts";
import { createAuditFeed } from "../../../domain/audit/feed.ts";
import { findClient } from "../../../domain/clients/service.ts";
import type { Tenant } from "../../../domain/tenants/service.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { listOf, listResponse, readPage } from "../../../http/pagination.ts";
import { adminScope, stillAdministers } from "../../../http/scope.ts";
import { badRequest } from "../../../lib/errors.ts";
import { type Id, isId } from "../../../lib/ids.ts";
import { eventStream } from "../../../http/event-stream.ts";
import { adminErrors } from "./models.ts";

const SORTS = ["created_at"] as const;
const Moment = t.String({ format: "date-time" });
const Party = t.Object({ type: t.String(), id: t.Union([t.String(), t.Null()]) });

const AuditEventResponse = t.Object(
  {
    id: t.String(),
    type: t.String({ examples: ["user.login"] }),
    actor: Party,
    target: t.Union([Party, t.Null()]),
    ip_address: t.Union([t.String(), t.Null()]),
    user_agent: t.Union([t.String(), t.Null()]),
    request_id: t.Union([t.String(), t.Null()]),
    details: t.Record(t.String(), t.Unknown(), { description: "Facts about the event, never a secret" }),
    created_at: Moment,
  },
  { description: "Something that happened" },
);

const filters = {
  type: t.Optional(t.String({ minLength: 1, maxLength: 64, description: "For example user.login_failed" })),
  user_id: t.Optional(
    t.String({ maxLength: 64, description: "Events that this user brought about, or that befell them" }),
  ),
  client_id: t.Optional(
    t.String({ maxLength: 2048, description: "The same of a client, by its id or its client_id" }),
  ),
};

const ListQuery = t.Object({
  limit: t.Optional(t.Integer({ minimum: 1, maximum: 100, default: 20, description: "Items per page" })),
  cursor: t.Optional(
    t.String({ minLength: 1, maxLength: 2048, description: "next_cursor of the page before" }),
  ),
  ...filters,
  from: t.Optional(t.String({ format: "date-time", description: "Inclusive" })),
  to: t.Optional(t.String({ format: "date-time", description: "Exclusive" })),
});

export const adminAuditEventRoutes = (deps: Deps) => {
  const feed = createAuditFeed(deps);
  return new Elysia({ name: "native-admin-audit", detail: { tags: ["Audit"], security: bearerAuth } })
    .use(adminScope(deps))
    .get(
      "/api/v1/admin/audit-events",
      async ({ tenant, query }) => {
        const page = readPage({ limit: query.limit, cursor: query.cursor }, SORTS, "auditEvent");
        const filter = await readFilter(deps, tenant, query);
        return listResponse(await listEvents(deps, tenant, filter, page), page, "auditEvent", {
          show: auditEventResponse,
          keyOf: ({ createdAt, id }) => ({ value: createdAt.toISOString(), id }),
        });
      },
      {
        query: ListQuery,
        response: { 200: listOf(AuditEventResponse), ...adminErrors },
        detail: {
          summary: "List audit events",
          description: "The newest first, as far back as the tenant's `audit_retention_days`.",
        },
      },
    )
    .get(
      "/api/v1/admin/audit-events/stream",
      ({ tenant, home, request, headers }) => {
        const lastSeen = headers["last-event-id"];
        if (lastSeen !== undefined && !/^\d{1,15}$/.test(lastSeen))
          throw badRequest("Last-Event-ID is not one that this stream gave.");
        const events = feed.open(tenant, lastSeen === undefined ? undefined : Number(lastSeen));
        return eventStream(events, {
          stillAllowed: () => stillAdministers(deps, { tenant, home, request }),
          show: (event) => ({
            id: String(event.seq),
            event: event.type,
            data: JSON.stringify(auditEventResponse(event)),
          }),
        });
      },
      {
        headers: t.Object({ "last-event-id": t.Optional(t.String({ maxLength: 64 })) }),
        response: {
          200: t.Unknown({ description: "text/event-stream: one event a message, its type as `event`" }),
          503: ErrorResponse,
          ...adminErrors,
        },
        detail: {
          summary: "Audit events as they happen",
          description:
            "Server-sent events. Goes on after `Last-Event-ID`, without one with what happens from now on. Ends when the token does.",
        },
      },
    );
};

async function readFilter(deps: Deps, tenant: Tenant, query: typeof ListQuery.static): Promise<EventFilter> {
  const { type, user_id: userId, client_id: clientId, from, to } = query;
  if (userId !== undefined && !isId("user", userId)) throw badRequest("user_id is not a user's id.");
  return {
    type,
    userId,
    clientId: clientId === undefined ? undefined : await clientOf(deps, tenant, clientId),
    from: from === undefined ? undefined : new Date(from),
    to: to === undefined ? undefined : new Date(to),
  };
}

/** Also of a client that was deleted, whose id still is in the trail. */
async function clientOf(deps: Deps, tenant: Tenant, text: string): Promise<Id<"client">> {
  if (isId("client", text)) return text;
  const client = await findClient(deps, tenant.id, text);
  if (!client) throw badRequest("client_id is not a client's.");
  return client.id;
}

function auditEventResponse(event: StoredEvent): typeof AuditEventResponse.static {
  return {
    id: event.id,
    type: event.type,
    actor: { type: event.actorType, id: event.actorId },
    target: event.targetType === null ? null : { type: event.targetType, id: event.targetId },
    ip_address: event.ip,
    user_agent: event.userAgent,
    request_id: event.requestId,
    details: event.details,
    created_at: event.createdAt.toISOString(),
  };
}
