import type { Deps } from "../../deps.ts";
import { atAnEvenPace } from "../../lib/answer-time.ts";
import { forbidden } from "../../lib/errors.ts";
import { isId } from "../../lib/ids.ts";
import { enqueue } from "../../queue/outbox.ts";
import * as audit from "../audit/service.ts";
import { consumeChallenge, findOpenChallenge } from "../challenges/service.ts";
import { lockFactors } from "../mfa/policy.ts";
import { noteSetByMail, requireGoodPassword, setPassword } from "../passwords/service.ts";
import { unlockAccount } from "../protection/service.ts";
import type { RequestContext } from "../request-context.ts";
import { endAllSessions } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { findUserByEmail, findUserById, markEmailVerified } from "../users/service.ts";
import { forgetFactors } from "./forget-factors.ts";
import { linkExpired, recipientOf } from "./email-verification.ts";
import { hasEmail } from "./repo.ts";

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
  await atAnEvenPace(enqueueReset(deps, tenant, email, context));
}

async function enqueueReset(
  deps: Deps,
  tenant: Tenant,
  email: string,
  context: RequestContext,
): Promise<void> {
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
  const now = deps.clock.now();
  const { token, password, field } = input;
  const open = await findOpenChallenge(deps.db, tenant.id, "reset_password", token, now);
  const user = open?.userId && (await findUserById(deps, tenant.id, open.userId));
  if (!user) throw linkExpired();
  const owner = { tenantId: tenant.id, userId: user.id };
  const about = [user.username, user.email, user.givenName, user.familyName];
  await requireGoodPassword(deps, tenant.settings, password, { field, about, owner });
  const hash = await deps.passwords.hash(password);
  await deps.db.transaction(async (tx) => {
    // First, as by whoever adds a way in: what they add is there to be forgotten, or comes too late.
    await lockFactors(tx, user);
    const challenge = await consumeChallenge(tx, tenant.id, "reset_password", token, now);
    const emailId = challenge?.data["email_id"];
    // A link that went to an address which is no longer the user's is in somebody else's hands.
    if (!isId("email", emailId) || !(await hasEmail(tx, tenant.id, user.id, emailId))) throw linkExpired();
    const actor = { type: "user", id: user.id } as const;
    await setPassword(tx, owner, hash, tenant.settings, now);
    await noteSetByMail(tx, tenant.id, user.id);
    const claimed = await markEmailVerified(tx, tenant.id, user.id, emailId, now);
    if (claimed) await forgetFactors(tx, user, context, now);
    await unlockAccount(tx, { ...owner, by: "password_reset", context, now });
    await endAllSessions(tx, user, { actor, context, reason: "password_reset", now });
    await audit.record(tx, {
      tenantId: tenant.id,
      type: "password.reset_completed",
      actor,
      target: { type: "user", id: user.id },
      context,
      now,
    });
    const payload = { user_id: user.id };
    await enqueue(tx, { tenantId: tenant.id, queue: "email", name: "password_changed", payload, now });
  });
}
