/** Sending a code or a link. The worker makes what is sent; here is only decided that it is. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { atAnEvenPace } from "../../lib/answer-time.ts";
import { addSeconds } from "../../lib/clock.ts";
import { forbidden } from "../../lib/errors.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { newSecretToken } from "../../lib/secret-token.ts";
import { enqueue } from "../../queue/outbox.ts";
import { findOwnerOfNumber, findVerifiedPhone, normalizePhone, type Phone } from "../phones/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import { findUserByEmail, findUserById, type User } from "../users/service.ts";
import { checkNumberOf, PROOF_SECONDS } from "./model.ts";
import { insertProof, type ProofKind, type ProofPurpose } from "./repo.ts";

/** What whoever asked is given, to go on with. */
export interface IssuedProof {
  /** `proof_…`: without it neither code nor confirmed link is good for anything. */
  readonly token: string;
  /** Two digits to compare with those on the page that the link opens. */
  readonly checkNumber: string;
  readonly expiresAt: Date;
}

/** Whether a tenant lets people sign in this way, and this installation can. */
export function isSignInProofEnabled(deps: Pick<Deps, "config">, tenant: Tenant, kind: ProofKind): boolean {
  if (kind === "sms_code" && deps.config.sms.driver === "off") return false;
  return tenant.settings[`${kind}_enabled`];
}

/** @throws AppError 403 */
export function requireSignInProof(deps: Pick<Deps, "config">, tenant: Tenant, kind: ProofKind): void {
  if (!isSignInProofEnabled(deps, tenant, kind)) throw forbidden("Nobody can sign in this way here.");
}

/**
 * Sends a code or a link for a sign-in, if there is somebody to send it to. Whoever asks learns nothing of that, by the
 * answer or by its time: for nobody the same rows are written, and a job that has nothing to send.
 *
 * Only to an address that was verified: who registers a stranger's address first, and waits for them to sign in by mail,
 * would otherwise share an account with them.
 * @param identifier an email address, or for `sms_code` a phone number
 * @throws AppError 403 where people do not sign in this way
 */
export async function requestSignInProof(
  deps: Deps,
  tenant: Tenant,
  kind: ProofKind,
  identifier: string,
  context: RequestContext,
): Promise<IssuedProof> {
  requireSignInProof(deps, tenant, kind);
  const send = async () => {
    const to =
      kind === "sms_code"
        ? await findByPhone(deps, tenant, identifier)
        : await findByEmail(deps, tenant, identifier);
    return issue(deps, tenant.id, { kind, purpose: "sign_in", ...to, context });
  };
  return atAnEvenPace(send());
}

/** Sends a code as a second factor, to somebody whose first one was proved. @returns false when they can get none */
export async function sendSecondFactorCode(
  deps: Deps,
  user: User,
  kind: "email_code" | "sms_code",
  context: RequestContext,
): Promise<boolean> {
  const phone =
    kind === "sms_code"
      ? await findVerifiedPhone(deps.db, { tenantId: user.tenantId, userId: user.id })
      : undefined;
  const reachable =
    kind === "sms_code" ? phone && deps.config.sms.driver !== "off" : user.emailVerified && user.enabled;
  if (!reachable) return false;
  await issue(deps, user.tenantId, { kind, purpose: "second_factor", user, phone, context });
  return true;
}

/** Texts the code that verifies a number. */
export async function sendPhoneCode(
  deps: Deps,
  user: User,
  phone: Phone,
  context: RequestContext,
): Promise<void> {
  await issue(deps, user.tenantId, { kind: "sms_code", purpose: "verify_phone", user, phone, context });
}

interface Addressee {
  user?: User | undefined;
  phone?: Phone | undefined;
}

async function findByEmail(deps: Deps, tenant: Tenant, address: string): Promise<Addressee> {
  const user = await findUserByEmail(deps, tenant.id, address);
  return user?.enabled && user.emailVerified ? { user } : {};
}

async function findByPhone(deps: Deps, tenant: Tenant, number: string): Promise<Addressee> {
  // What is no number leads to the same two look-ups.
  const phone = await findOwnerOfNumber(deps.db, tenant.id, (await normalizePhone(number)) ?? "+");
  const user = await findUserById(deps, tenant.id, phone?.userId ?? newId("user"));
  return user?.enabled ? { user, phone } : {};
}

async function issue(
  deps: Deps,
  tenantId: Id<"tenant">,
  proof: Addressee & { kind: ProofKind; purpose: ProofPurpose; context: RequestContext },
): Promise<IssuedProof> {
  const { kind, purpose, user, phone, context } = proof;
  const now = deps.clock.now();
  const id = newId("proof");
  const { token, hash: holderHash } = newSecretToken(id);
  const expiresAt = addSeconds(now, PROOF_SECONDS);
  await deps.db.transaction(async (tx) => {
    await insertProof(tx, {
      tenantId,
      id,
      kind,
      purpose,
      userId: user?.id ?? null,
      emailId: kind === "sms_code" ? null : (user?.emailId ?? null),
      phoneId: phone?.id ?? null,
      holderHash,
      ip: context.ip ?? null,
      userAgent: context.userAgent ?? null,
      createdAt: now,
      expiresAt,
    });
    await enqueueSending(tx, { tenantId, kind, proofId: id, user, now });
  });
  return { token, checkNumber: checkNumberOf(deps, id), expiresAt };
}

async function enqueueSending(
  tx: Executor,
  job: {
    tenantId: Id<"tenant">;
    kind: ProofKind;
    proofId: Id<"proof">;
    user: User | undefined;
    now: Date;
  },
): Promise<void> {
  const { tenantId, kind, proofId, user, now } = job;
  if (kind === "sms_code") {
    await enqueue(tx, { tenantId, queue: "sms", name: "code", payload: { proof_id: proofId }, now });
    return;
  }
  const payload = { user_id: user?.id ?? newId("user"), proof_id: proofId };
  await enqueue(tx, { tenantId, queue: "email", name: kind, payload, now });
}
