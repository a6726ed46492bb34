/**
 * The end of an account, by its owner (GDPR Article 17). It is signed out everywhere at once; after the days that the tenant
 * leaves for second thoughts a worker erases it. A sign-in within them, or the link that was mailed, calls it off.
 */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { readDerivedToken } from "../../lib/derived-token.ts";
import { conflict, forbidden } from "../../lib/errors.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { enqueue } from "../../queue/outbox.ts";
import { keepingAdministrators } from "../administrators/service.ts";
import * as audit from "../audit/service.ts";
import { type RequestContext, systemContext } from "../request-context.ts";
import { endAllSessions } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { findRecipient, type User } from "../users/service.ts";
import { linkExpired } from "./email-verification.ts";
import * as repo from "./repo.ts";

export { clearFarewell, findDeletion, findOpenDeletion } from "./repo.ts";

const DAY_SECONDS = 86_400;

/** What the link that calls a deletion off is for. */
export const CANCEL_DELETION_PURPOSE = "account_deletion/cancel";

/**
 * Ends every session and token, and has the account erased when its time comes.
 * @returns when that is
 * @throws AppError 403 when the tenant leaves that to administrators, 409 when it was asked for before, or nobody would be left who
 *   administers the tenant
 */
export async function requestAccountDeletion(
  deps: Deps,
  tenant: Tenant,
  user: User,
  context: RequestContext,
): Promise<Date> {
  const { settings, id: tenantId } = tenant;
  if (!settings.account_deletion_enabled) {
    throw forbidden("Accounts are deleted by administrators here. Please ask one.");
  }
  const now = deps.clock.now();
  const id = newId("accountDeletion");
  const dueAt = addSeconds(now, settings.account_deletion_grace_days * DAY_SECONDS);
  const actor = { type: "user", id: user.id } as const;
  await deps.db.transaction(async (tx) => {
    const deletion = { tenantId, id, userId: user.id, requestedAt: now, dueAt };
    const inserted = await keepingAdministrators(tx, tenantId, () => repo.insertDeletion(tx, deletion));
    if (!inserted) throw conflict("This account is to be deleted already.");
    await endAllSessions(tx, user, { actor, context, reason: "account_deletion", now });
    await audit.record(tx, {
      tenantId,
      type: "user.deletion_requested",
      actor,
      target: { type: "user", id: user.id },
      details: { due_at: dueAt.toISOString() },
      context,
      now,
    });
    if (dueAt > now) {
      const payload = { user_id: user.id, deletion_id: id };
      await enqueue(tx, { tenantId, queue: "email", name: "account_deletion_requested", payload, now });
    } else {
      const payload = { deletion_id: id };
      await enqueue(tx, { tenantId, queue: "accounts", name: "erase_account", payload, now });
    }
  });
  return dueAt;
}

/** Whether the link would work. Consumes nothing: mail scanners open links before people do. */
export async function isCancelDeletionLinkOpen(deps: Deps, tenant: Tenant, token: string): Promise<boolean> {
  const id = readDerivedToken(deps.secrets.links, CANCEL_DELETION_PURPOSE, "accountDeletion", token);
  return id !== undefined && (await repo.findOpenDeletion(deps.db, tenant.id, id)) !== undefined;
}

/** @throws AppError 400 `invalid_token` */
export async function cancelDeletionByLink(
  deps: Deps,
  tenant: Tenant,
  token: string,
  context: RequestContext,
): Promise<void> {
  const id = readDerivedToken(deps.secrets.links, CANCEL_DELETION_PURPOSE, "accountDeletion", token);
  if (!id) throw linkExpired();
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    const cancelled = await repo.cancelDeletion(tx, tenant.id, id, now);
    if (!cancelled) throw linkExpired();
    await audit.record(tx, cancellation(tenant.id, cancelled.userId, "mail_link", context, now));
  });
}

/** Whoever signs in wants to keep the account: what the audit trail says of it, when it was to be deleted. */
export const deletionCancelledOnSignIn = (
  user: Pick<User, "tenantId" | "id">,
  context: RequestContext,
  now: Date,
): audit.AuditEvent => cancellation(user.tenantId, user.id, "sign_in", context, now);

const cancellation = (
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  by: "mail_link" | "sign_in",
  context: RequestContext,
  now: Date,
): audit.AuditEvent => ({
  tenantId,
  type: "user.deletion_cancelled",
  actor: { type: "user", id: userId },
  target: { type: "user", id: userId },
  details: { by },
  context,
  now,
});

/**
 * Erases one account whose time has come: its row and all that hangs on it. The audit trail is append-only and keeps the
 * id, which leads nowhere any more. All in the caller's transaction: killed halfway, nothing happened, and it is tried again.
 * @param which undefined for whichever is due
 * @returns false when there is nothing (left) to erase
 */
export async function eraseDueAccount(
  tx: Executor,
  now: Date,
  which?: { tenantId: Id<"tenant">; id: Id<"accountDeletion"> },
): Promise<boolean> {
  const deletion = await repo.lockDueDeletion(tx, now, which);
  if (!deletion) return false;
  const { tenantId, userId, id } = deletion;
  const recipient = await findRecipient(tx, tenantId, userId);
  const farewell = recipient && {
    address: recipient.address,
    name: recipient.givenName,
    locale: recipient.locale,
  };
  await repo.markErased(tx, deletion, farewell ?? null, now);
  await eraseUser(tx, tenantId, userId, { actor: { type: "user", id: userId }, context: systemContext, now });
  if (farewell) {
    const payload = { user_id: userId, deletion_id: id };
    await enqueue(tx, { tenantId, queue: "email", name: "account_deleted", payload, now });
  }
  return true;
}

/** Erases a user at once, in the caller's transaction. @returns whether there was one */
export async function eraseUser(
  tx: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  by: { actor: audit.Actor; context: RequestContext; now: Date },
): Promise<boolean> {
  if (!(await repo.deleteUser(tx, tenantId, userId))) return false;
  await audit.record(tx, { tenantId, type: "user.deleted", target: { type: "user", id: userId }, ...by });
  return true;
}

/** Erases all accounts whose time has come, each in a transaction of its own. @returns how many */
export async function eraseDueAccounts(deps: Deps): Promise<number> {
  const now = deps.clock.now();
  let erased = 0;
  while (await deps.db.transaction((tx) => eraseDueAccount(tx, now))) erased++;
  return erased;
}
