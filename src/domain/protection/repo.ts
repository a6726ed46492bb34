import { and, eq, type SQL, sql } from "drizzle-orm";
import { type Executor, moment } from "../../db/client.ts";
import { lockouts } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";

/** What is counted: an account or an address of a tenant. */
export interface Counted {
  readonly kind: "account" | "ip";
  readonly key: string;
}

/** Attempts are locked out from the `limit`-th that fails within a window on. Times in seconds. */
export interface LockoutRule extends Counted {
  readonly limit: number;
  readonly windowSeconds: number;
  readonly lockSeconds: number;
}

export interface Lock {
  /** This one included. */
  readonly lockouts: number;
  readonly lockedUntil: Date;
}

/** No lockout grows longer than a day. */
const LONGEST_LOCK_SECONDS = 24 * 60 * 60;
/** How long after its end a lockout still makes the next one longer. */
const REMEMBERED_SECONDS = 24 * 60 * 60;
/** An attempt that has not ended by then never will: its process died, or an error came in between. */
const PENDING_SECONDS = 30;

const after = (at: SQL, seconds: number) => sql`${at} + make_interval(secs => ${seconds}::int)`;

/**
 * Begins an attempt, unless it is locked out or as many as could still be wrong are under way. One statement: of
 * attempts that race, no more are admitted than are left. Attempts that never ended count as wrong, though one is always
 * left, so that a crash locks nobody out.
 * @returns whether it may go on; if not, `findLock` tells whether to wait
 */
export async function begin(
  executor: Executor,
  tenantId: Id<"tenant">,
  rule: LockoutRule,
  now: Date,
): Promise<boolean> {
  const at = moment(now);
  const lost = sql`(row.pending_until <= ${at})`;
  const failures = sql`case
    when row.window_ends_at <= ${at} or row.locked_until <= ${at} then 0
    when ${lost} then least(row.failures + row.pending, greatest(row.failures, ${rule.limit - 1}::int))
    else row.failures end`;
  const pending = sql`case when ${lost} then 0 else row.pending end`;
  const windowEnd = after(at, rule.windowSeconds);
  const rows = await executor.execute(sql`
    insert into ${lockouts} as row
      (tenant_id, kind, key, failures, pending, pending_until, window_ends_at, lockouts, expires_at)
    values (
      ${sql.param(tenantId, lockouts.tenantId)}, ${rule.kind}, ${rule.key}, 0, 1, ${after(at, PENDING_SECONDS)},
      ${windowEnd}, 0, ${windowEnd})
    on conflict (tenant_id, kind, key) do update set
      failures = ${failures},
      pending = ${pending} + 1,
      pending_until = excluded.pending_until,
      window_ends_at = case
        when row.window_ends_at <= ${at} or row.locked_until <= ${at} then excluded.window_ends_at
        else row.window_ends_at end,
      lockouts = case when row.expires_at <= ${at} then 0 else row.lockouts end,
      locked_until = null,
      expires_at = greatest(row.expires_at, excluded.expires_at)
    where (row.locked_until is null or row.locked_until <= ${at}) and (${failures}) + (${pending}) < ${rule.limit}::int
    returning 1`);
  return rows.length > 0;
}

/**
 * An attempt was wrong.
 * @returns the lock, if this is what locked
 */
export async function fail(
  executor: Executor,
  tenantId: Id<"tenant">,
  rule: LockoutRule,
  now: Date,
): Promise<Lock | undefined> {
  const at = moment(now);
  const longest = Math.max(LONGEST_LOCK_SECONDS, rule.lockSeconds);
  const full = sql`${lockouts.failures} + 1 >= ${rule.limit}::int`;
  // Each lockout before doubles this one; the exponent is bounded so that the power is.
  const lockEnd = sql`${at} + make_interval(secs =>
    least(${rule.lockSeconds}::int * power(2, least(${lockouts.lockouts}, 20)), ${longest}::int))`;
  const [row] = await executor
    .update(lockouts)
    .set({
      failures: sql`${lockouts.failures} + 1`,
      pending: sql`greatest(${lockouts.pending} - 1, 0)`,
      lockouts: sql`case when ${full} then ${lockouts.lockouts} + 1 else ${lockouts.lockouts} end`,
      lockedUntil: sql`case when ${full} then ${lockEnd} else ${lockouts.lockedUntil} end`,
      expiresAt: sql`case when ${full} then ${after(lockEnd, REMEMBERED_SECONDS)} else ${lockouts.expiresAt} end`,
    })
    .where(isRow(tenantId, rule))
    .returning({
      failures: lockouts.failures,
      lockouts: lockouts.lockouts,
      lockedUntil: lockouts.lockedUntil,
    });
  if (!row?.lockedUntil || row.failures < rule.limit) return undefined;
  return { lockouts: row.lockouts, lockedUntil: row.lockedUntil };
}

/** An attempt was right: it leaves no trace, and takes none away. */
export async function pass(executor: Executor, tenantId: Id<"tenant">, counted: Counted): Promise<void> {
  await executor
    .update(lockouts)
    .set({ pending: sql`greatest(${lockouts.pending} - 1, 0)` })
    .where(isRow(tenantId, counted));
}

/** @returns the lock that is in force, if one is */
export async function findLock(
  executor: Executor,
  tenantId: Id<"tenant">,
  counted: Counted,
  now: Date,
): Promise<Lock | undefined> {
  const [row] = await executor
    .select({ lockouts: lockouts.lockouts, lockedUntil: lockouts.lockedUntil })
    .from(lockouts)
    .where(and(isRow(tenantId, counted), sql`${lockouts.lockedUntil} > ${moment(now)}`));
  return row?.lockedUntil ? { lockouts: row.lockouts, lockedUntil: row.lockedUntil } : undefined;
}

/** @returns whether it was locked until now */
export async function unlock(
  executor: Executor,
  tenantId: Id<"tenant">,
  counted: Counted,
  now: Date,
): Promise<boolean> {
  // What is remembered of earlier lockouts stays: whoever goes on guessing meets a longer one.
  const rows = await executor
    .update(lockouts)
    .set({ failures: 0, lockedUntil: null })
    .where(and(isRow(tenantId, counted), sql`${lockouts.lockedUntil} > ${moment(now)}`))
    .returning({ key: lockouts.key });
  return rows.length > 0;
}

/** Forgets all failures and lockouts; attempts that are under way stay counted as such. */
export async function forget(executor: Executor, tenantId: Id<"tenant">, counted: Counted): Promise<void> {
  await executor
    .update(lockouts)
    .set({ failures: 0, lockouts: 0, lockedUntil: null })
    .where(isRow(tenantId, counted));
}

const isRow = (tenantId: Id<"tenant">, { kind, key }: Counted) =>
  and(eq(lockouts.tenantId, tenantId), eq(lockouts.kind, kind), eq(lockouts.key, key));
