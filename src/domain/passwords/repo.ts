import { and, desc, eq, notInArray } from "drizzle-orm";
import {
  type Database,
  driverOf,
  type Executor,
  type Fragment,
  parameter,
  prepared,
  type Sql,
} from "../../db/client.ts";
import { passwordCredentials, passwordHistory } from "../../db/schema/index.ts";
import { type Id, newId, uuidFromId } from "../../lib/ids.ts";

export async function upsertPassword(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  hash: string,
  changedAt: Date,
): Promise<void> {
  await executor
    .insert(passwordCredentials)
    .values({ tenantId, userId, hash, changedAt })
    .onConflictDoUpdate({
      target: [passwordCredentials.tenantId, passwordCredentials.userId],
      set: { hash, changedAt, setByMail: false },
    });
}

/** Notes that a mailed link was enough to set the password, in the transaction that sets it. */
export async function noteSetByMail(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
): Promise<void> {
  await executor.update(passwordCredentials).set({ setByMail: true }).where(ofUser(tenantId, userId));
}

const setByMail = prepared((db) =>
  db
    .select({ setByMail: passwordCredentials.setByMail })
    .from(passwordCredentials)
    .where(
      and(
        eq(passwordCredentials.tenantId, parameter(passwordCredentials.tenantId, "tenantId")),
        eq(passwordCredentials.userId, parameter(passwordCredentials.userId, "userId")),
      ),
    )
    .prepare("password_set_by_mail"),
);

export async function isSetByMail(
  db: Database,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
): Promise<boolean> {
  const [row] = await setByMail(db).execute({ tenantId, userId });
  return row?.setByMail ?? false;
}

/** Holds the credential as it is until the transaction ends; @returns whether it still has this hash. */
export async function isCurrentHash(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  hash: string,
): Promise<boolean> {
  const rows = await holdingHash(driverOf(executor), tenantId, userId, hash);
  return rows.length > 0;
}

/** The same as a part of a larger statement. @returns one row when the credential still has this hash */
export const holdingHash = (
  sql: Sql,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  hash: string,
): Fragment => sql`
  select 1 from password_credentials
  where tenant_id = ${uuidFromId("tenant", tenantId)}::uuid and user_id = ${uuidFromId("user", userId)}::uuid
    and hash = ${hash}
  for share`;

/**
 * Holds the credential as it is until the transaction ends.
 * @returns when it was last changed, which tells one password from the next; undefined without one
 */
export async function lockPasswordVersion(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
): Promise<Date | undefined> {
  const [row] = await executor
    .select({ changedAt: passwordCredentials.changedAt })
    .from(passwordCredentials)
    .where(and(eq(passwordCredentials.tenantId, tenantId), eq(passwordCredentials.userId, userId)))
    .for("share");
  return row?.changedAt;
}

/** Replaces a hash by one of the same password at another cost. @returns false when it was changed meanwhile */
export async function replaceHash(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  from: string,
  to: string,
): Promise<boolean> {
  const replaced = await executor
    .update(passwordCredentials)
    .set({ hash: to })
    .where(
      and(
        eq(passwordCredentials.tenantId, tenantId),
        eq(passwordCredentials.userId, userId),
        eq(passwordCredentials.hash, from),
      ),
    )
    .returning({ userId: passwordCredentials.userId });
  return replaced.length > 0;
}

const ofUser = (tenantId: Id<"tenant">, userId: Id<"user">) =>
  and(eq(passwordCredentials.tenantId, tenantId), eq(passwordCredentials.userId, userId));

export async function findPasswordHash(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
): Promise<string | undefined> {
  const [row] = await executor
    .select({ hash: passwordCredentials.hash })
    .from(passwordCredentials)
    .where(ofUser(tenantId, userId));
  return row?.hash;
}

const formerOf = (tenantId: Id<"tenant">, userId: Id<"user">) =>
  and(eq(passwordHistory.tenantId, tenantId), eq(passwordHistory.userId, userId));

/** The current hash and those before it, newest first. */
export async function findLastHashes(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  count: number,
): Promise<string[]> {
  const current = await findPasswordHash(executor, tenantId, userId);
  const former = await executor
    .select({ hash: passwordHistory.hash })
    .from(passwordHistory)
    .where(formerOf(tenantId, userId))
    .orderBy(desc(passwordHistory.id))
    .limit(count);
  return [...(current ? [current] : []), ...former.map(({ hash }) => hash)].slice(0, count);
}

/**
 * Puts the current hash into the history, and takes out of it all but the newest `keep`. Holds the credential until the
 * transaction ends. @returns the current hash
 */
export async function archivePassword(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  keep: number,
  now: Date,
): Promise<string | undefined> {
  const [current] = await executor
    .select({ hash: passwordCredentials.hash })
    .from(passwordCredentials)
    .where(ofUser(tenantId, userId))
    .for("update");
  if (current && keep > 0) {
    const { hash } = current;
    await executor
      .insert(passwordHistory)
      .values({ tenantId, id: newId("formerPassword"), userId, hash, replacedAt: now });
  }
  const newest = executor
    .select({ id: passwordHistory.id })
    .from(passwordHistory)
    .where(formerOf(tenantId, userId))
    .orderBy(desc(passwordHistory.id))
    .limit(Math.max(keep, 0));
  await executor
    .delete(passwordHistory)
    .where(and(formerOf(tenantId, userId), notInArray(passwordHistory.id, newest)));
  return current?.hash;
}
