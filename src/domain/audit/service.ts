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
  | "user.updated"
  | "user.deleted"
  | "user.deletion_requested"
  | "user.deletion_cancelled"
  | "user.email_change_requested"
  | "user.email_change_cancelled"
  | "user.email_changed"
  | "user.export_requested"
  | "user.export_downloaded"
  | "user.phone_added"
  | "user.phone_verified"
  | "user.phone_removed"
  | "user.locked"
  | "user.unlocked"
  | "ip.locked"
  | "user.registration_refused"
  | "password.reset_requested"
  | "password.reset_completed"
  | "password.changed"
  | "session.revoked_all"
  | "session.stepped_up"
  | "mfa.enrolled"
  | "mfa.disabled"
  | "mfa.device_renamed"
  | "mfa.verified"
  | "mfa.failed"
  | "mfa.counter_regressed"
  | "mfa.backup_code_used"
  | "mfa.backup_codes_created"
  | "passkey.renamed"
  | "device.trusted"
  | "device.untrusted"
  | "token.issued"
  | "token.refreshed"
  | "token.reuse_detected"
  | "token.code_replayed"
  | "token.revoked"
  | "token.exchanged"
  | "device.approved"
  | "device.denied"
  | "grant.created"
  | "grant.denied"
  | "client.created"
  | "client.updated"
  | "client.deleted"
  | "client.secret_rotated"
  | "initial_access_token.created"
  | "initial_access_token.deleted"
  | "trusted_issuer.created"
  | "trusted_issuer.updated"
  | "trusted_issuer.deleted"
  | "group.created"
  | "group.updated"
  | "group.deleted"
  | "group.roles_changed"
  | "organization.scim_mappings_changed"
  | "webhook.created"
  | "webhook.updated"
  | "webhook.deleted"
  | "webhook.secret_rotated"
  | "webhook.replayed"
  | "webhook.disabled"
  | "scim_token.created"
  | "scim_token.revoked"
  | "organization.created"
  | "tenant.created"
  | "tenant.updated"
  | "tenant.settings_changed"
  | "tenant.imported"
  | "tenant.deleted"
  | "role.created"
  | "role.updated"
  | "role.deleted"
  | "role.assigned"
  | "role.unassigned"
  | "key.created"
  | "key.activated"
  | "key.retired"
  | "key.revoked"
  | "session.revoked"
  | "logout.delivered"
  | "logout.failed"
  | "grant.revoked"
  | "audit.month_dropped"
  | "report.requested"
  | "report.downloaded";

export type Actor =
  | { type: "user"; id: Id<"user"> }
  | { type: "client"; id: Id<"client"> }
  | { type: "scim_token"; id: Id<"scimToken"> }
  | { type: "system" }
  | { type: "anonymous" };

export interface AuditEvent {
  tenantId: Id<"tenant">;
  type: AuditEventType;
  actor: Actor;
  target?: {
    type:
      | "user"
      | "session"
      | "totp_device"
      | "passkey"
      | "trusted_device"
      | "initial_access_token"
      | "trusted_issuer"
      | "client"
      | "tenant"
      | "role"
      | "organization"
      | "group"
      | "scim_token"
      | "webhook"
      | "signing_key"
      | "token_family"
      | "access_token"
      | "report";
    id: string;
  };
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
