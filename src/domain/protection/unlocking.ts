/** The ways out of a lockout before its time: the mailed link, and a new password. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { AppError } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";
import * as audit from "../audit/service.ts";
import { consumeChallenge, findOpenChallenge } from "../challenges/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import { secondFactorKeyOf } from "./keys.ts";
import * as repo from "./repo.ts";

/** Whether a user's account is locked now. For what only the owner gets to see. */
export async function isAccountLocked(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  now: Date,
): Promise<boolean> {
  return (await repo.findLock(executor, tenantId, { kind: "account", key: userId }, now)) !== undefined;
}

/** Whether the link would work. Consumes nothing: mail scanners open links before people do. */
export async function isUnlockLinkOpen(deps: Deps, tenant: Tenant, token: string): Promise<boolean> {
  return (
    (await findOpenChallenge(deps.db, tenant.id, "unlock_account", token, deps.clock.now())) !== undefined
  );
}

/**
 * Unlocks the account by the link that its owner was mailed, once.
 * @throws AppError 400 `invalid_token`, the same for every link that does not work
 */
export async function unlockByLink(
  deps: Deps,
  tenant: Tenant,
  token: string,
  context: RequestContext,
): Promise<void> {
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    const challenge = await consumeChallenge(tx, tenant.id, "unlock_account", token, now);
    if (!challenge?.userId) {
      throw new AppError(
        400,
        "invalid_token",
        "This link is invalid or has expired. Please ask for a new one.",
      );
    }
    await unlockAccount(tx, {
      tenantId: tenant.id,
      userId: challenge.userId,
      by: "mail_link",
      context,
      now,
    });
  });
}

/**
 * Ends the lockout of an account, if there is one, in the caller's transaction. To be called by whatever proves the
 * owner: a password reset, an administrator.
 */
export async function unlockAccount(
  executor: Executor,
  unlock: {
    tenantId: Id<"tenant">;
    userId: Id<"user">;
    by: "mail_link" | "password_reset" | "administrator";
    /** Who did it; the user, unless told. */
    actor?: audit.Actor;
    context: RequestContext;
    now: Date;
  },
): Promise<void> {
  const { tenantId, userId, by, context, now } = unlock;
  // By mail only the account's lock ends: whoever reads it is kept from guessing the second factor.
  const keys = by === "administrator" ? [userId, secondFactorKeyOf(userId)] : [userId];
  let unlocked = false;
  for (const key of keys)
    unlocked = (await repo.unlock(executor, tenantId, { kind: "account", key }, now)) || unlocked;
  if (!unlocked) return;
  await audit.record(executor, {
    tenantId,
    type: "user.unlocked",
    actor: unlock.actor ?? { type: "user", id: userId },
    target: { type: "user", id: userId },
    details: { by },
    context,
    now,
  });
}
