import type { Deps } from "../../deps.ts";
import { forbidden } from "../../lib/errors.ts";
import { isId } from "../../lib/ids.ts";
import { enqueue } from "../../queue/outbox.ts";
import * as audit from "../audit/service.ts";
import { consumeChallenge, findOpenChallenge } from "../challenges/service.ts";
import { requireGoodPassword, upsertPassword } from "../passwords/service.ts";
import type { RequestContext } from "../request-context.ts";
import { endAllSessions } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { findUserByEmail, markEmailVerified } from "../users/service.ts";
import { linkExpired, recipientOf } from "./email-verification.ts";

/**
 * Mails a reset link, if the address is somebody's. The caller learns nothing of that, by the answer or by its time:
 * an unknown address leads to the same statements, and to a job for nobody that the worker lets go.
 * @throws AppError 403 when the tenant does not let passwords be reset by mail
 */
export async function requestPasswordReset(
  deps: Deps,
  tenant: Tenant,
  email: string,
  context: RequestContext,
): Promise<void> {
  requirePasswordReset(tenant);
  const user = await findUserByEmail(deps, tenant.id, email);
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    await audit.record(tx, {
      tenantId: tenant.id,
      type: "password.reset_requested",
      actor: { type: "anonymous" },
      ...(user ? { target: { type: "user", id: user.id } } : {}),
      details: { known: user !== undefined },
      context,
      now,
    });
    await enqueue(tx, {
      tenantId: tenant.id,
      queue: "email",
      name: "reset_password",
      payload: recipientOf(user?.enabled ? user : undefined),
      now,
    });
  });
}

/** @throws AppError 403 when the tenant does not let passwords be reset by mail */
export function requirePasswordReset(tenant: Tenant): void {
  if (!tenant.settings.forgot_password_enabled) throw forbidden("Passwords cannot be reset by mail here.");
}

/** Whether the link would work. Consumes nothing: mail scanners open links before people do. */
export async function isResetLinkOpen(deps: Deps, tenant: Tenant, token: string): Promise<boolean> {
  return (
    (await findOpenChallenge(deps.db, tenant.id, "reset_password", token, deps.clock.now())) !== undefined
  );
}

/**
 * Sets a new password by a mailed link. Every session and every token of the user ends: whoever knew the old password
 * may hold one. `field` is what the caller calls the password. The address is verified by this too, since the link reached it.
 * @throws AppError 400 `invalid_token`; 422 for a weak password, which leaves the link usable
 */
export async function resetPassword(
  deps: Deps,
  tenant: Tenant,
  input: { token: string; password: string; field?: string },
  context: RequestContext,
): Promise<void> {
  if (!(await isResetLinkOpen(deps, tenant, input.token))) throw linkExpired();
  requireGoodPassword(input.password, tenant.settings, input.field);
  const hash = await deps.passwords.hash(input.password);
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    const challenge = await consumeChallenge(tx, tenant.id, "reset_password", input.token, now);
    if (!challenge) throw linkExpired();
    const actor = { type: "user", id: challenge.userId } as const;
    await upsertPassword(tx, tenant.id, challenge.userId, hash, now);
    const emailId = challenge.data["email_id"];
    if (isId("email", emailId)) await markEmailVerified(tx, tenant.id, challenge.userId, emailId, now);
    await endAllSessions(
      tx,
      { tenantId: tenant.id, id: challenge.userId },
      { actor, context, reason: "password_reset", now },
    );
    await audit.record(tx, {
      tenantId: tenant.id,
      type: "password.reset_completed",
      actor,
      target: { type: "user", id: challenge.userId },
      context,
      now,
    });
  });
}
