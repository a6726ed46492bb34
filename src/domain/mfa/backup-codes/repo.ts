import { and, count, eq, isNull, ne } from "drizzle-orm";
import type { Executor } from "../../../db/client.ts";
import { backupCodes, backupCodeSets } from "../../../db/schema/index.ts";
import type { Id } from "../../../lib/ids.ts";
import type { SealedBox } from "../../../lib/master-keys.ts";

export interface Owner {
  readonly tenantId: Id<"tenant">;
  readonly userId: Id<"user">;
}

export type BackupCodeSet = typeof backupCodeSets.$inferSelect;

const setOf = ({ tenantId, userId }: Owner) =>
  and(eq(backupCodeSets.tenantId, tenantId), eq(backupCodeSets.userId, userId));

/** Takes the place of the set before, whose codes go with it. */
export async function replaceSet(
  executor: Executor,
  set: BackupCodeSet,
  hashes: readonly Buffer[],
): Promise<void> {
  const { tenantId, userId } = set;
  await executor.delete(backupCodeSets).where(setOf(set));
  await executor.insert(backupCodeSets).values(set);
  await executor.insert(backupCodes).values(hashes.map((hash) => ({ tenantId, userId, hash })));
}

export async function findSet(executor: Executor, owner: Owner): Promise<BackupCodeSet | undefined> {
  const [set] = await executor.select().from(backupCodeSets).where(setOf(owner));
  return set;
}

export async function deleteSet(executor: Executor, owner: Owner): Promise<void> {
  await executor.delete(backupCodeSets).where(setOf(owner));
}

const unused = ({ tenantId, userId }: Owner) =>
  and(eq(backupCodes.tenantId, tenantId), eq(backupCodes.userId, userId), isNull(backupCodes.usedAt));

export async function isUnused(executor: Executor, owner: Owner, hash: Buffer): Promise<boolean> {
  const [code] = await executor
    .select({ hash: backupCodes.hash })
    .from(backupCodes)
    .where(and(unused(owner), eq(backupCodes.hash, hash)));
  return code !== undefined;
}

export async function countUnused(executor: Executor, owner: Owner): Promise<number> {
  const [row] = await executor.select({ codes: count() }).from(backupCodes).where(unused(owner));
  return row?.codes ?? 0;
}

/** Uses a code up, by one atomic statement. @returns whether it was still unused */
export async function useCode(executor: Executor, owner: Owner, hash: Buffer, now: Date): Promise<boolean> {
  const used = await executor
    .update(backupCodes)
    .set({ usedAt: now })
    .where(and(unused(owner), eq(backupCodes.hash, hash)))
    .returning({ hash: backupCodes.hash });
  return used.length > 0;
}

/** Sets of any tenant whose key is not sealed under this master key. */
export function findSealedOtherwise(
  executor: Executor,
  masterKeyId: string,
  limit: number,
): Promise<BackupCodeSet[]> {
  return executor
    .select()
    .from(backupCodeSets)
    .where(ne(backupCodeSets.masterKeyId, masterKeyId))
    .limit(limit);
}

/** Unless the set was replaced meanwhile, which has a key of its own. */
export async function replaceSeal(executor: Executor, set: BackupCodeSet, sealed: SealedBox): Promise<void> {
  await executor
    .update(backupCodeSets)
    .set({ sealedKey: sealed.box, masterKeyId: sealed.keyId })
    .where(and(setOf(set), eq(backupCodeSets.sealedKey, set.sealedKey)));
}
