/** Codes and links that prove who somebody is: taking them. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { equalInConstantTime } from "../../lib/crypto.ts";
import { AppError } from "../../lib/errors.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { matchesHash, parseSecretToken } from "../../lib/secret-token.ts";
import { linkExpired } from "../accounts/email-verification.ts";
import { requireVerifiedEmail } from "../accounts/refusals.ts";
import * as audit from "../audit/service.ts";
import type { FirstFactor } from "../mfa/model.ts";
import { findPhone } from "../phones/service.ts";
import { beginAttempt } from "../protection/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import { findUserById, type User } from "../users/service.ts";
import { codeOf, firstFactorOf, MOST_ATTEMPTS, MOST_SENT, PROOF_SECONDS, readLinkToken } from "./model.ts";
import * as repo from "./repo.ts";

export { checkNumberOf, codeOf, linkTokenOf, PROOF_SECONDS } from "./model.ts";
export {
  type IssuedProof,
  isSignInProofEnabled,
  requestSignInProof,
  requireSignInProof,
  sendPhoneCode,
  sendSecondFactorCode,
} from "./issuing.ts";
export type { Proof, ProofKind } from "./repo.ts";

/** Somebody who proved who they are, by what; and what uses the proof up, in the transaction that signs them in. */
export interface ProvenSignIn {
  readonly user: User;
  readonly first: FirstFactor;
  /** @throws AppError 401 when another request was quicker */
  redeem(executor: Executor): Promise<void>;
}

/** One answer for a code that is wrong, too old, used, or was never sent. */
export const invalidCode = () =>
  new AppError(401, "invalid_code", "This code is not valid, or not any more. Please ask for a new one.");

/**
 * Takes the code of a sign-in. Counted by the proof and by the lockout before it is looked at; of a proof that was made
 * for nobody no code is right, which takes as long to find out.
 * @throws AppError 401 `invalid_code`; 403 `email_not_verified`; 429 from an address that sent too many wrong ones
 */
export async function verifySignInCode(
  deps: Deps,
  tenant: Tenant,
  input: { token: string; code: string; kind: "email_code" | "sms_code" },
  context: RequestContext,
): Promise<ProvenSignIn> {
  const { kind } = input;
  const now = deps.clock.now();
  const proof = await findHeld(deps, tenant.id, input.token, now);
  if (proof?.kind !== kind || proof.purpose !== "sign_in") throw invalidCode();
  const user = await findSignInUser(deps, proof);
  const method = kind;
  const attempt = await beginAttempt(deps, tenant, { user, identifier: proof.id, context, method });
  const counted = await repo.countAttempt(deps.db, tenant.id, proof.id, MOST_ATTEMPTS, now);
  const matches = isCode(deps, proof, input.code);
  if (!user || !attempt.admitted || !counted || !matches) {
    await attempt.failed();
    await noteFailure(deps, tenant.id, user, method, context, now);
    throw invalidCode();
  }
  await attempt.passed();
  requireVerifiedEmail(tenant, user);
  return { user, first: firstFactorOf(kind), redeem: (tx) => redeem(tx, proof, { approved: false, now }) };
}

/** What a link opens, if it would still work. Changes nothing: mail scanners open links before people do. */
export async function findMagicLink(
  deps: Deps,
  tenant: Tenant,
  token: string,
): Promise<(repo.Proof & { userId: Id<"user"> }) | undefined> {
  const id = readLinkToken(deps, token);
  const proof = id && (await repo.findOpen(deps.db, tenant.id, id, deps.clock.now()));
  if (proof?.kind !== "magic_link" || !proof.userId || proof.approvedAt) return undefined;
  return { ...proof, userId: proof.userId };
}

/** The proof that a holder's token belongs to, whether or not it is a good one. */
export function proofIdOf(token: string): Id<"proof"> | undefined {
  return parseSecretToken("proof", token)?.id;
}

/** Whether the token was given to whoever asked for this very proof: the browser in which the sign-in began. */
export function isHolder(proof: repo.Proof, token: string | undefined): boolean {
  const parsed = token === undefined ? undefined : parseSecretToken("proof", token);
  return parsed?.id === proof.id && matchesHash(parsed.secret, proof.holderHash);
}

/**
 * Confirms a link, once. That signs nobody in where it was opened: the browser that asked for it goes on.
 * @throws AppError 400 `invalid_token`
 */
export async function confirmMagicLink(deps: Deps, tenant: Tenant, token: string): Promise<void> {
  const proof = await findMagicLink(deps, tenant, token);
  if (!proof || !(await repo.approve(deps.db, tenant.id, proof.id, deps.clock.now()))) throw linkExpired();
}

export type MagicLinkState = "pending" | "confirmed" | "expired";

/** How far a link is, for the one who asked for it. Of one that was sent to nobody it stays `pending`, until its time is over. */
export async function magicLinkState(deps: Deps, tenant: Tenant, token: string): Promise<MagicLinkState> {
  const proof = await findHeld(deps, tenant.id, token, deps.clock.now());
  if (proof?.kind !== "magic_link") return "expired";
  return proof.approvedAt ? "confirmed" : "pending";
}

/**
 * Takes a confirmed link, for the one who asked for it.
 * @throws AppError 400 `authorization_pending` before it is confirmed (the word of RFC 8628 §3.5); 401 `invalid_code` for
 *   one that is too old, used, or somebody else's
 */
export async function completeMagicLink(deps: Deps, tenant: Tenant, token: string): Promise<ProvenSignIn> {
  const now = deps.clock.now();
  const proof = await findHeld(deps, tenant.id, token, now);
  if (proof?.kind !== "magic_link") throw invalidCode();
  if (!proof.approvedAt) {
    throw new AppError(400, "authorization_pending", "The link was not opened and confirmed yet.");
  }
  const user = await findSignInUser(deps, proof);
  if (!user) throw invalidCode();
  return {
    user,
    first: firstFactorOf("magic_link"),
    redeem: (tx) => redeem(tx, proof, { approved: true, now }),
  };
}

/** Whether what a proof sends may be sent: it is open, and not one of too many. */
export async function findSendableProof(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"proof">,
  now: Date,
): Promise<(repo.Proof & { userId: Id<"user"> }) | undefined> {
  const proof = await repo.findOpen(executor, tenantId, id, now);
  if (!proof?.userId) return undefined;
  const since = addSeconds(now, -PROOF_SECONDS);
  const recent = await repo.countSince(executor, { ...proof, userId: proof.userId }, since);
  return recent > MOST_SENT ? undefined : { ...proof, userId: proof.userId };
}

/** In constant time; blanks, with which people group digits, do not count. */
export function isCode(deps: Deps, { kind, id }: repo.Proof, typed: string): boolean {
  const digits = typed.replace(/\s/g, "");
  return equalInConstantTime(Buffer.from(digits), Buffer.from(codeOf(deps, kind, id)));
}

async function findHeld(
  deps: Deps,
  tenantId: Id<"tenant">,
  token: string,
  now: Date,
): Promise<repo.Proof | undefined> {
  const parsed = parseSecretToken("proof", token);
  const proof = parsed && (await repo.findOpen(deps.db, tenantId, parsed.id, now));
  return proof && isHolder(proof, token) ? proof : undefined;
}

/** Whom a proof is for, if they are still to be signed in. */
async function findSignInUser(deps: Deps, proof: repo.Proof): Promise<User | undefined> {
  // Looked for also where there is nobody: the time tells nothing.
  const user = await findUserById(deps, proof.tenantId, proof.userId ?? newId("user"));
  if (!user?.enabled) return undefined;
  return (await isReachable(deps, user, proof)) ? user : undefined;
}

/** Whether the address or number that a proof went to is the user's as it was: a phone may have been lost since. */
export async function isReachable(deps: Deps, user: User, proof: repo.Proof): Promise<boolean> {
  if (proof.kind !== "sms_code") return user.emailId === proof.emailId;
  const owner = { tenantId: user.tenantId, userId: user.id };
  const phone = proof.phoneId && (await findPhone(deps.db, owner, proof.phoneId));
  return Boolean(phone && phone.verifiedAt);
}

async function redeem(
  executor: Executor,
  proof: repo.Proof,
  options: { approved: boolean; now: Date },
): Promise<void> {
  if (!(await repo.consume(executor, proof.tenantId, proof.id, options))) throw invalidCode();
}

async function noteFailure(
  deps: Deps,
  tenantId: Id<"tenant">,
  user: User | undefined,
  method: string,
  context: RequestContext,
  now: Date,
): Promise<void> {
  await audit.record(deps.db, {
    tenantId,
    type: "user.login_failed",
    actor: { type: "anonymous" },
    ...(user ? { target: { type: "user", id: user.id } } : {}),
    details: { method, reason: "wrong_code" },
    context,
    now,
  });
}
