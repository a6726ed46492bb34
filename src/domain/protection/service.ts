/**
 * Lockout: how often a credential may be tried. Every flow that can test one (a password, a TOTP code, a backup code, a
 * passkey, a mailed code) counts here, against the account and against the address that it comes from:
 *
 *     const attempt = await beginAttempt(deps, tenant, { user, context, method: "totp" });
 *     const right = attempt.admitted && verify(…);
 *     if (!right) { await attempt.failed(); throw …the same error as for any wrong credential…; }
 *     await attempt.passed();
 *
 * and, when a sign-in is complete, by its statement, `failuresForgotten`, which can also end the attempt. Every way out of a flow ends its attempt, what it
 * throws after the credential proved right included: an attempt that never ends counts as wrong after half a minute.
 *
 * An attempt is counted before its credential is looked at, by one statement that commits by itself: requests that race
 * get no more checks than requests that queue, and a sign-in that is rolled back takes nothing of this with it.
 */
import type { Fragment, Sql } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { AppError } from "../../lib/errors.ts";
import { networkOf } from "../../lib/network.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import { announceAccountLock, announceAddressLock } from "./announcements.ts";
import { accountKeyOf, secondFactorKeyOf } from "./keys.ts";
import * as repo from "./repo.ts";
import type { Counted } from "./repo.ts";

export type { Counted } from "./repo.ts";
export { isAccountLocked, isUnlockLinkOpen, unlockAccount, unlockByLink } from "./unlocking.ts";

/** Failures count together when they lie in one window of this length, in seconds. */
const FAILURE_WINDOW_SECONDS = 15 * 60;

/**
 * So many times as many wrong second factors as wrong credentials of any kind lock for good, until that lock's own end: a new
 * password or a mailed link ends the account's lock, and whoever reads the mail would else guess on for ever.
 */
const SECOND_FACTOR_TIMES = 4;

/** Whose credential is tried, from where, and by what means. */
export interface AttemptSubject {
  /** Undefined when the identifier leads to nobody: that is counted, locked and answered just the same. */
  readonly user: LockableUser | undefined;
  /** What was typed as email address or username. Needed where there may be no user. */
  readonly identifier?: string;
  readonly context: RequestContext;
  /** For the audit trail: `password`, `totp`, `backup_code`, `passkey`, `email_code`, `sms_code` … */
  readonly method: string;
  /** Whether it is a second factor of this user, the first one having been proved. */
  readonly secondFactor?: boolean;
}

export type LockableUser = Pick<User, "id" | "emailId" | "enabled">;

export interface Attempt {
  /**
   * Whether the credential may be looked at. When not, do the same work (for a password: a dummy verify), call `failed`
   * and answer as for a wrong credential, even to the right one: who does not own the account must not learn that it is
   * locked, or that it exists.
   */
  readonly admitted: boolean;
  /** The credential was wrong. Tells the owner and the audit trail, if this is what locked the account. */
  failed(): Promise<void>;
  /**
   * The credential was right: this attempt does not count, and no other is forgotten. A right password must not buy new
   * tries at the second factor; only a complete sign-in does (`failuresForgotten`).
   */
  passed(): Promise<void>;
  /**
   * The same by the statement of a complete sign-in, which is told what to end (`failuresForgotten`). When it throws, the
   * attempt is still under way.
   */
  passedBy<Result>(statement: (counted: readonly Counted[]) => Promise<Result>): Promise<Result>;
}

/**
 * Counts an attempt, before its credential is looked at. Waits while as many attempts are under way as could still be
 * wrong: right ones that come at once all get in, and wrong ones no more often than one after the other.
 * @throws AppError 429 when too many attempts failed from this address, whatever the account, or the wait is too long
 */
export async function beginAttempt(deps: Deps, tenant: Tenant, subject: AttemptSubject): Promise<Attempt> {
  const { settings } = tenant;
  const rule = { lockSeconds: settings.lockout_duration, windowSeconds: FAILURE_WINDOW_SECONDS };
  const account: repo.LockoutRule = {
    kind: "account",
    key: accountKeyOf(deps, subject),
    limit: settings.max_failed_login_attempts,
    ...rule,
  };
  const { ip } = subject.context;
  const address: repo.LockoutRule | undefined =
    ip === undefined
      ? undefined
      : { kind: "ip", key: networkOf(ip), limit: settings.max_failed_attempts_per_ip, ...rule };

  const counted =
    subject.secondFactor && subject.user ? [account, secondFactorRule(account, subject.user)] : [account];
  // The address first: one that is locked must not go on to lock accounts.
  const rules = [...(address ? [address] : []), ...counted];
  const begun: repo.LockoutRule[] = [];
  const release = () => repo.pass(deps.db, tenant.id, begun.splice(0));
  let lock: repo.Lock | undefined;
  try {
    lock = await admit(deps, tenant, rules, begun);
  } catch (error) {
    await release();
    throw error;
  }
  const [first] = begun;
  if (lock && address && !first) throw tooManyAttempts(lock, deps.clock.now());
  // Of an account that is locked, its other counts are left as they were; the address counts what comes from it.
  if (lock) await repo.pass(deps.db, tenant.id, begun.splice(address ? 1 : 0));

  return {
    admitted: lock === undefined,
    async failed() {
      const now = deps.clock.now();
      const locksAddress = address && (await repo.fail(deps.db, tenant.id, address, now));
      for (const one of begun) {
        if (one === address) continue;
        const locks = await repo.fail(deps.db, tenant.id, one, now);
        if (locks) await announceAccountLock(deps, tenant, subject, locks);
      }
      if (address && locksAddress) {
        await announceAddressLock(deps, tenant, subject, { network: address.key, ...locksAddress });
      }
    },
    passed: release,
    async passedBy(statement) {
      const result = await statement(begun);
      begun.length = 0;
      return result;
    },
  };
}

const secondFactorRule = (account: repo.LockoutRule, user: LockableUser): repo.LockoutRule => ({
  ...account,
  key: secondFactorKeyOf(user.id),
  limit: account.limit * SECOND_FACTOR_TIMES,
});

/** Longer than any number of attempts takes that a person or an application makes of one account at once. */
const LONGEST_WAIT_MS = 10_000;

/**
 * @param begun the rules by which it was begun, in their order, whatever comes of the next one
 * @returns the lock that keeps the attempt out; undefined when it was begun by all rules
 */
async function admit(
  deps: Deps,
  tenant: Tenant,
  rules: readonly repo.LockoutRule[],
  begun: repo.LockoutRule[],
): Promise<repo.Lock | undefined> {
  let end = performance.now() + LONGEST_WAIT_MS;
  for (let pauseMs = 10; performance.now() < end; pauseMs = Math.min(pauseMs * 2, 160)) {
    const now = deps.clock.now();
    const left = rules.slice(begun.length);
    const count = await repo.begin(deps.db, tenant.id, left, now);
    begun.push(...left.slice(0, count));
    const refusing = left[count];
    if (!refusing) return undefined;
    const lock = await repo.findLock(deps.db, tenant.id, refusing, now);
    if (lock) return lock;
    // Each is waited for anew.
    if (count > 0) [end, pauseMs] = [performance.now() + LONGEST_WAIT_MS, 10];
    await Bun.sleep(pauseMs);
  }
  const now = deps.clock.now();
  throw tooManyAttempts({ lockedUntil: now }, now);
}

/**
 * A sign-in is complete, with all its factors: the account's failures before it are forgotten. Those of the address are
 * not, or an attacker would sign in to an account of their own now and then. A part of the statement that begins the session,
 * so that a sign-in that does not come about forgets nothing.
 * @param counted an attempt of this user's that was right, and ends with the sign-in (`passedBy`)
 * @param source the common table expression that has a row exactly when the sign-in is complete
 */
export const failuresForgotten = (
  sql: Sql,
  user: Pick<User, "tenantId" | "id">,
  counted: readonly Counted[],
  source: string,
): Fragment => repo.forgetting(sql, user.tenantId, [user.id, secondFactorKeyOf(user.id)], counted, source);

function tooManyAttempts({ lockedUntil }: Pick<repo.Lock, "lockedUntil">, now: Date): AppError {
  const seconds = Math.max(1, Math.ceil((lockedUntil.getTime() - now.getTime()) / 1000));
  return new AppError(429, "rate_limited", `Too many requests. Please retry after ${seconds} seconds.`, {
    headers: { "retry-after": String(seconds) },
  });
}
