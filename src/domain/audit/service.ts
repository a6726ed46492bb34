import type { Executor } from "../../db/client.ts";
import { type Id, newId } from "../../lib/ids.ts";
import type { RequestContext } from "../request-context.ts";
import { type AuditRow, insertEvents } from "./repo.ts";

export { type AuditRow, eventInsert } from "./repo.ts";

/** What can happen. `<thing>.<past participle>`, the words administrators filter by. */
export type AuditEventType =
  | "user.created"
  | "user.login"
  | "user.login_failed"
  | "user.logout"
  | "user.email_verified"
  | "user.updated"
  | "users.seeded"
  | "users.import_requested"
  | "users.import_finished"
  | "users.import_cancelled"
  | "users.export_requested"
  | "users.export_downloaded"
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
  | "user.email_released"
  | "social_login"
  | "social_login_failed"
  | "social_account_linked"
  | "social_account_unlinked"
  | "connection.created"
  | "connection.updated"
  | "connection.deleted"
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
  | "saml_client.created"
  | "saml_client.updated"
  | "saml_client.deleted"
  | "saml.assertion_issued"
  | "saml.logout_requested"
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
  | "api_key.created"
  | "api_key.revoked"
  | "service_account.created"
  | "service_account.updated"
  | "service_account.deleted"
  | "impersonation.requested"
  | "impersonation.started"
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
  | "report.downloaded"
  | "session.expired"
  | "task.created"
  | "task.updated"
  | "task.deleted"
  | "task.paused"
  | "task.resumed"
  | "task.run_requested";

export type Actor =
  | { type: "user"; id: Id<"user"> }
  | { type: "client"; id: Id<"client"> }
  | { type: "service_account"; id: Id<"serviceAccount"> }
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
      | "saml_client"
      | "client"
      | "tenant"
      | "role"
      | "organization"
      | "group"
      | "scim_token"
      | "webhook"
      | "connection"
      | "external_account"
      | "api_key"
      | "service_account"
      | "signing_key"
      | "token_family"
      | "access_token"
      | "task"
      | "report"
      | "user_import"
      | "user_export";
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
  const { actor, details } = attributed(event);
  return {
    tenantId: event.tenantId,
    createdAt: event.now,
    id: newId("auditEvent"),
    type: event.type,
    actorType: actor.type,
    actorId: "id" in actor ? actor.id : null,
    targetType: event.target?.type ?? null,
    targetId: event.target?.id ?? null,
    ip: event.context.ip ?? null,
    userAgent: event.context.userAgent ?? null,
    requestId: event.context.requestId,
    details,
  };
}

/** Names who really acts, where somebody is signed in as somebody else, and the key that a caller came by. */
function attributed({ actor, details = {}, context }: AuditEvent): {
  actor: Actor;
  details: Record<string, unknown>;
} {
  const { impersonatorId, apiKeyId } = context;
  const told = apiKeyId === undefined ? details : { ...details, api_key: apiKeyId };
  if (impersonatorId === undefined || actor.type === "system") return { actor, details: told };
  if (actor.type !== "user") return { actor, details: { ...told, impersonator: impersonatorId } };
  return { actor: { type: "user", id: impersonatorId }, details: { ...told, on_behalf_of: actor.id } };
}
