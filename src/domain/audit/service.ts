import type { Executor } from "../../db/client.ts";
import { type Id, newId } from "../../lib/ids.ts";
import type { RequestContext } from "../request-context.ts";
import { type AuditRow, insertEvents } from "./repo.ts";

export type { AuditRow } from "./repo.ts";

/** What can happen. `<thing>.<past participle>`, the words administrators filter by. */
export type AuditEventType =
  | "user.created"
  | "user.login"
  | "user.login_failed"
  | "user.logout"
  | "user.email_verified"
  | "user.registration_refused"
  | "password.reset_requested"
  | "password.reset_completed"
  | "session.revoked_all"
  | "token.issued"
  | "token.refreshed"
  | "token.reuse_detected"
  | "token.code_replayed"
  | "grant.created"
  | "grant.denied"
  | "client.created"
  | "tenant.created"
  | "role.assigned"
  | "key.created";

export type Actor =
  | { type: "user"; id: Id<"user"> }
  | { type: "client"; id: Id<"client"> }
  | { type: "system" }
  | { type: "anonymous" };

export interface AuditEvent {
  tenantId: Id<"tenant">;
  type: AuditEventType;
  actor: Actor;
  target?: { type: "user" | "session" | "client" | "tenant" | "signing_key" | "token_family"; id: string };
  /** Facts about the event. Never a secret, never a password, never a token. */
  details?: Record<string, unknown>;
  context: RequestContext;
  now: Date;
}

/** Writes the event in the caller's transaction: what is rolled back did not happen. */
export async function record(executor: Executor, ...events: AuditEvent[]): Promise<void> {
  await insertEvents(executor, events.map(toRow));
}

export function toRow(event: AuditEvent): AuditRow {
  return {
    tenantId: event.tenantId,
    createdAt: event.now,
    id: newId("auditEvent"),
    type: event.type,
    actorType: event.actor.type,
    actorId: "id" in event.actor ? event.actor.id : null,
    targetType: event.target?.type ?? null,
    targetId: event.target?.id ?? null,
    ip: event.context.ip ?? null,
    userAgent: event.context.userAgent ?? null,
    requestId: event.context.requestId,
    details: event.details ?? {},
  };
}
