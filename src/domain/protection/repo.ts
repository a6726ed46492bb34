import { and, eq, type SQL, sql } from "drizzle-orm";
import { arrayLiteral } from "../../db/batched.ts";
import { type Database, type Executor, type Fragment, moment, type Sql } from "../../db/client.ts";
import { lockouts } from "../../db/schema/index.ts";
import { type Id, uuidFromId } from "../../lib/ids.ts";

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

/** The parameters of one rule, after those that all of them share: $1 the tenant, $2 the time. */
const parametersOf = ({ kind, key, limit, windowSeconds }: LockoutRule) => [kind, key, limit, windowSeconds];

function beginningOf(index: number): string {
  const [kind, key, limit, windowSeconds] = [3, 4, 5, 6].map((first) => `$${first + 4 * index}`);
  const at = "$2::timestamptz";
  const windowEnd = `${at} + make_interval(secs => ${windowSeconds}::int)`;
  const lost = `(row.pending_until <= ${at})`;
  const failures = `case
    when row.window_ends_at <= ${at} or row.locked_until <= ${at} then 0
    when ${lost} then least(row.failures + row.pending, greatest(row.failures, ${limit}::int - 1))
    else row.failures end`;
  const pending = `case when ${lost} then 0 else row.pending end`;
  return `begun${index} as (
    insert into lockouts as row
      (tenant_id, kind, key, failures, pending, pending_until, window_ends_at, lockouts, expires_at)
    select $1::uuid, ${kind}::text, ${key}::text, 0, 1, ${at} + make_interval(secs => ${PENDING_SECONDS}),
      ${windowEnd}, 0, ${windowEnd}
    ${index === 0 ? "" : `from begun${index - 1}`}
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
    where (row.locked_until is null or row.locked_until <= ${at}) and (${failures}) + (${pending}) < ${limit}::int
    returning 1)`;
}

/**
 * The same statement for each number of rules, so that it is prepared once. Nobody waits for the disk: all that is answered of
 * a credential is answered after a commit that is waited for, and with it everything before it is on the disk.
 */
const beginText = textOfCount((count) => {
  const indexes = Array.from({ length: count }, (_, index) => index);
  const counts = indexes.map((index) => `(select count(*) from begun${index})`);
  return `with ${indexes.map(beginningOf).join(", ")}
    select (${counts.join(" + ")})::int as begun, set_config('synchronous_commit', 'off', true)`;
});

/**
 * Begins an attempt by each rule in turn, up to the first that locks it out or of which as many as could still be wrong are
 * under way. One statement: of attempts that race, no more are admitted than are left. Attempts that never ended count as
 * wrong, though one is always left, so that a crash locks nobody out.
 * @returns by how many it may go on; for the next one, `findLock` tells whether to wait
 */
export async function begin(
  db: Database,
  tenantId: Id<"tenant">,
  rules: readonly LockoutRule[],
  now: Date,
): Promise<number> {
  const parameters = [uuidFromId("tenant", tenantId), now.toISOString(), ...rules.flatMap(parametersOf)];
  const [row] = await db.$client.unsafe<{ begun: number }[]>(beginText(rules.length), parameters, {
    prepare: true,
  });
  return row?.begun ?? 0;
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

const passText = textOfCount((count) => {
  const passed = Array.from(
    { length: count },
    (_, index) => `passed${index} as (
      update lockouts set pending = greatest(pending - 1, 0)
      where tenant_id = $1::uuid and kind = $${2 + 2 * index} and key = $${3 + 2 * index}
      ${
        // Held in the order in which attempts begin: none that begin and none that end wait for each other.
        index === 0 ? "" : `and (select count(*) from passed${index - 1}) >= 0`
      }
      returning 1)`,
  );
  return `with ${passed.join(", ")} select 1 from passed${count - 1}`;
});

/** An attempt was right: it leaves no trace, and takes none away. One statement, whatever it is counted by. */
export async function pass(db: Database, tenantId: Id<"tenant">, counted: readonly Counted[]): Promise<void> {
  if (counted.length === 0) return;
  const parameters = [uuidFromId("tenant", tenantId), ...counted.flatMap(({ kind, key }) => [kind, key])];
  await db.$client.unsafe(passText(counted.length), parameters, { prepare: true });
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

/**
 * Forgets all failures and lockouts of some accounts, as a part of a larger statement: common table expressions, each with the
 * comma before it. Attempts that are under way stay counted as such, but for one that was right: it ends as by `pass`, with
 * the address first.
 * @param passed what that attempt is counted by: accounts among those, and at most one address
 * @param source the common table expression that has a row exactly when they are to be forgotten
 */
export function forgetting(
  driver: Sql,
  tenantId: Id<"tenant">,
  keys: readonly string[],
  passed: readonly Counted[],
  source: string,
): Fragment {
  const tenant = uuidFromId("tenant", tenantId);
  const keysOf = (kind: Counted["kind"]) =>
    arrayLiteral(passed.filter((counted) => counted.kind === kind).map(({ key }) => key));
  return driver`, address as (
      update lockouts l set pending = greatest(l.pending - 1, 0)
      from ${driver(source)}
      where l.tenant_id = ${tenant}::uuid and l.kind = 'ip' and l.key = any(${keysOf("ip")}::text[])
      returning 1
    ), forgotten as (
      update lockouts l
      set failures = 0, lockouts = 0, locked_until = null,
        pending = greatest(l.pending - (l.key = any(${keysOf("account")}::text[]))::int, 0)
      from ${driver(source)}
      where l.tenant_id = ${tenant}::uuid and l.kind = 'account' and l.key = any(${arrayLiteral(keys)}::text[])
        and (l.failures > 0 or l.lockouts > 0 or l.locked_until is not null
          or l.key = any(${keysOf("account")}::text[]))
        and (select count(*) from address) >= 0)`;
}

function textOfCount(build: (count: number) => string): (count: number) => string {
  const texts = new Map<number, string>();
  return (count) => {
    const text = texts.get(count) ?? build(count);
    texts.set(count, text);
    return text;
  };
}

const isRow = (tenantId: Id<"tenant">, { kind, key }: Counted) =>
  and(eq(lockouts.tenantId, tenantId), eq(lockouts.kind, kind), eq(lockouts.key, key));
