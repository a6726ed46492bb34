import { and, eq, sql } from "drizzle-orm";
import { type Executor, moment } from "../../db/client.ts";
import { idempotencyKeys } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";

export type IdempotencyRow = typeof idempotencyKeys.$inferSelect;

interface Named {
  readonly tenantId: Id<"tenant">;
  readonly hash: Buffer;
}

const named = ({ tenantId, hash }: Named) =>
  and(eq(idempotencyKeys.tenantId, tenantId), eq(idempotencyKeys.hash, hash));

/**
 * Takes the key for one attempt, in one statement: of attempts that come at once one gets it. A key whose time is over is
 * as good as new, and so is one whose attempt ended without an answer, for the same request.
 * @returns whether this attempt got it
 */
export async function take(
  executor: Executor,
  key: Named & Pick<IdempotencyRow, "fingerprint" | "lease" | "leasedUntil" | "createdAt" | "expiresAt">,
): Promise<boolean> {
  const now = moment(key.createdAt);
  const taken = await executor
    .insert(idempotencyKeys)
    .values(key)
    .onConflictDoUpdate({
      target: [idempotencyKeys.tenantId, idempotencyKeys.hash],
      set: {
        fingerprint: sql`excluded.fingerprint`,
        lease: sql`excluded.lease`,
        leasedUntil: sql`excluded.leased_until`,
        status: null,
        sealedAnswer: null,
        masterKeyId: null,
        createdAt: sql`excluded.created_at`,
        expiresAt: sql`excluded.expires_at`,
      },
      setWhere: sql`${idempotencyKeys.expiresAt} <= ${now}
        or (${idempotencyKeys.status} is null and ${idempotencyKeys.leasedUntil} <= ${now}
          and ${idempotencyKeys.fingerprint} = excluded.fingerprint)`,
    })
    .returning({ lease: idempotencyKeys.lease });
  return taken.length > 0;
}

export async function find(executor: Executor, key: Named): Promise<IdempotencyRow | undefined> {
  const [row] = await executor.select().from(idempotencyKeys).where(named(key));
  return row;
}

/** Only the attempt that holds the key writes its answer. */
export async function complete(
  executor: Executor,
  key: Named & { lease: string },
  answer: { status: number; sealedAnswer: Buffer; masterKeyId: string },
): Promise<void> {
  await executor
    .update(idempotencyKeys)
    .set(answer)
    .where(and(named(key), eq(idempotencyKeys.lease, key.lease)));
}

/** Lets the next attempt have the key. */
export async function release(executor: Executor, key: Named & { lease: string }): Promise<void> {
  await executor.delete(idempotencyKeys).where(and(named(key), eq(idempotencyKeys.lease, key.lease)));
}

/** By primary key, along an index, and past rows that somebody is using. @returns how many went */
export async function removeExpired(executor: Executor, before: Date, limit: number): Promise<number> {
  const result = await executor.execute(sql`
    delete from ${idempotencyKeys} where (tenant_id, hash) in (
      select row.tenant_id, row.hash from ${idempotencyKeys} as row
      where row.expires_at < ${moment(before)} order by row.expires_at limit ${limit} for update of row skip locked)`);
  return result.count;
}
