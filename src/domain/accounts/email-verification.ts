import type { Deps } from "../../deps.ts";
import { atAnEvenPace } from "../../lib/answer-time.ts";
import { AppError } from "../../lib/errors.ts";
import { isId, newId } from "../../lib/ids.ts";
import { enqueue } from "../../queue/outbox.ts";
import * as audit from "../audit/service.ts";
import { consumeChallenge, findOpenChallenge } from "../challenges/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import { findUserByEmail, markEmailVerified, type User } from "../users/service.ts";

/** The same for every link that does not work, whatever the reason. */
export const linkExpired = () =>
  new AppError(400, "invalid_token", "This link is invalid or has expired. Please ask for a new one.");

/**
 * Sends the link again, if there is an unverified address to send it to. The caller learns nothing of that, by the
 * answer or by its time: the worker finds out, and lets go of a job that has nothing to say.
 */
export function requestEmailVerification(deps: Deps, tenant: Tenant, email: string): Promise<void> {
  return atAnEvenPace(enqueueVerification(deps, tenant, email));
}

async function enqueueVerification(deps: Deps, tenant: Tenant, email: string): Promise<void> {
  const user = await findUserByEmail(deps, tenant.id, email);
  await enqueue(deps.db, {
    tenantId: tenant.id,
    queue: "email",
    name: "verify_email",
    payload: recipientOf(user),
    now: deps.clock.now(),
  });
}

/** Whom a mail goes to, as its job says it. Without a user: nobody, in the same shape. */
export function recipientOf(user: User | undefined): { user_id: string; email_id: string } {
  return { user_id: user?.id ?? newId("user"), email_id: user?.emailId ?? newId("email") };
}

/** Whether the link would work. Consumes nothing: mail scanners open links before people do. */
export async function isVerificationLinkOpen(deps: Deps, tenant: Tenant, token: string): Promise<boolean> {
  return (await findOpenChallenge(deps.db, tenant.id, "verify_email", token, deps.clock.now())) !== undefined;
}

/** @throws AppError 400 `invalid_token` */
export async function verifyEmail(
  deps: Deps,
  tenant: Tenant,
  token: string,
  context: RequestContext,
): Promise<void> {
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    const challenge = await consumeChallenge(tx, tenant.id, "verify_email", token, now);
    const emailId = challenge?.data["email_id"];
    if (!challenge || !isId("email", emailId)) throw linkExpired();
    if (!(await markEmailVerified(tx, tenant.id, challenge.userId, emailId, now))) return;
    await audit.record(tx, {
      tenantId: tenant.id,
      type: "user.email_verified",
      actor: { type: "user", id: challenge.userId },
      target: { type: "user", id: challenge.userId },
      context,
      now,
    });
    await enqueue(tx, {
      tenantId: tenant.id,
      queue: "email",
      name: "welcome",
      payload: { user_id: challenge.userId, email_id: emailId },
      now,
    });
  });
}
