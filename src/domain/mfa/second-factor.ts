/** Proving a second factor: one flow for every method, so that none of them is a way around the lockout. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { AppError } from "../../lib/errors.ts";
import { isTotpCode } from "../../protocol/totp/totp.ts";
import * as audit from "../audit/service.ts";
import { type Attempt, beginAttempt } from "../protection/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import { findBackupCode } from "./backup-codes/service.ts";
import type { SecondFactorMethod } from "./model.ts";
import { findTotpCode } from "./totp/service.ts";

/** A second factor that was proved, and is used up when `redeem` says so. */
export interface ProvenFactor {
  readonly method: SecondFactorMethod;
  /** RFC 8176 values; with `mfa` in them it is two factors by itself. */
  readonly amr: readonly string[];
  /**
   * Uses the proof up by one atomic statement, in the transaction that it is used for.
   * @returns false when another request was quicker, or it was used before
   */
  redeem(executor: Executor): Promise<boolean>;
  /** What is to be written down when it could not be used up, where no roll-back reaches it. */
  lost?(): Promise<void>;
}

/** How somebody answers: each method makes one of what it was sent. */
export interface FactorProver {
  /** For the lockout and the audit trail: what is being tried, before it is known what it was. */
  readonly method: SecondFactorMethod;
  /** @returns undefined for a wrong answer. Changes nothing but what an answer uses up even when it is wrong. */
  prove(deps: Deps, tenant: Tenant, user: User): Promise<ProvenFactor | undefined>;
}

/** A code of an authenticator app, or a backup code in its place: which of them, its shape tells. */
export function codeProver(code: string): FactorProver {
  const typed = code.trim();
  const totp = isTotpCode(typed.replaceAll(/\s/g, ""));
  return {
    method: totp ? "totp" : "backup_code",
    prove: (deps, _tenant, user) =>
      totp ? proveTotp(deps, user, typed.replaceAll(/\s/g, "")) : proveBackupCode(deps, user, typed),
  };
}

async function proveTotp(deps: Deps, user: User, code: string): Promise<ProvenFactor | undefined> {
  const found = await findTotpCode(deps, user, code);
  return found && { method: "totp", amr: ["otp"], redeem: found.take };
}

async function proveBackupCode(deps: Deps, user: User, code: string): Promise<ProvenFactor | undefined> {
  const use = await findBackupCode(deps, { tenantId: user.tenantId, userId: user.id }, code);
  return (
    use && { method: "backup_code", amr: ["otp"], redeem: (executor) => use(executor, deps.clock.now()) }
  );
}

/** One answer for a wrong code, one that was used before, and a method that is not to be used here. */
export const wrongAnswer = () => new AppError(401, "invalid_code", "This is not valid. Please try again.");

/**
 * Has a second factor proved and used, and does with it what `then` says, in one transaction. Counted by the lockout
 * before it is looked at; failures are written where no roll-back reaches them.
 * @param allowed the methods that may be used here
 * @throws AppError 401 `invalid_code`; 429 from an address that sent too many wrong ones
 */
export async function withSecondFactor<Result>(
  deps: Deps,
  tenant: Tenant,
  user: User,
  input: {
    prover: FactorProver;
    allowed: readonly SecondFactorMethod[];
    context: RequestContext;
  },
  then: (executor: Executor, factor: ProvenFactor) => Promise<Result>,
): Promise<Result> {
  const { prover, allowed, context } = input;
  const { method } = prover;
  const attempt = await beginAttempt(deps, tenant, { user, context, method, secondFactor: true });
  const usable = attempt.admitted && allowed.includes(method);
  const proven = usable ? await prover.prove(deps, tenant, user) : undefined;
  if (!proven) throw await refuse(deps, user, attempt, method, context);
  const work = deps.db.transaction(async (tx) => {
    if (!(await proven.redeem(tx))) return undefined;
    await noteVerified(deps, tx, user, proven, context);
    return { result: await then(tx, proven) };
  });
  const outcome = await work.catch(async (error: unknown) => {
    // The answer was right, whatever else was not.
    await attempt.passed();
    throw error;
  });
  if (!outcome) await proven.lost?.();
  if (!outcome) throw await refuse(deps, user, attempt, method, context);
  await attempt.passed();
  return outcome.result;
}

async function noteVerified(
  deps: Deps,
  executor: Executor,
  user: User,
  { method }: ProvenFactor,
  context: RequestContext,
): Promise<void> {
  const event = {
    tenantId: user.tenantId,
    actor: { type: "user", id: user.id },
    target: { type: "user", id: user.id },
    context,
    now: deps.clock.now(),
  } as const;
  await audit.record(executor, { ...event, type: "mfa.verified", details: { method } });
  if (method === "backup_code") await audit.record(executor, { ...event, type: "mfa.backup_code_used" });
}

/** Writes down that somebody failed, in transactions of its own. @returns what to throw */
async function refuse(
  deps: Deps,
  user: User,
  attempt: Attempt,
  method: SecondFactorMethod,
  context: RequestContext,
): Promise<AppError> {
  await attempt.failed();
  await audit.record(deps.db, {
    tenantId: user.tenantId,
    type: "mfa.failed",
    actor: { type: "anonymous" },
    target: { type: "user", id: user.id },
    details: { method, ...(attempt.admitted ? {} : { reason: "locked" }) },
    context,
    now: deps.clock.now(),
  });
  return wrongAnswer();
}
