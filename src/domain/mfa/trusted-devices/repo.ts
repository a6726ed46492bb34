import { and, desc, eq, gt, sql } from "drizzle-orm";
import type { Executor } from "../../../db/client.ts";
import { passwordCredentials, trustedDevices } from "../../../db/schema/index.ts";
import type { Id } from "../../../lib/ids.ts";

export type TrustedDevice = typeof trustedDevices.$inferSelect;

export interface Owner {
  readonly tenantId: Id<"tenant">;
  readonly userId: Id<"user">;
}

export async function insertDevice(
  executor: Executor,
  device: typeof trustedDevices.$inferInsert,
): Promise<void> {
  await executor.insert(trustedDevices).values(device);
}

/**
 * Not expired, and trusted with the password that is still the user's: no flow that changes a password has to remember
 * that devices are trusted.
 */
function isTrusted({ tenantId, userId }: Owner, now: Date) {
  return and(
    eq(trustedDevices.tenantId, tenantId),
    eq(trustedDevices.userId, userId),
    gt(trustedDevices.expiresAt, now),
    sql`${trustedDevices.passwordChangedAt} is not distinct from (
      select p.changed_at from ${passwordCredentials} p
      where p.tenant_id = ${trustedDevices.tenantId} and p.user_id = ${trustedDevices.userId})`,
  );
}

export async function findTrusted(
  executor: Executor,
  owner: Owner,
  id: Id<"trustedDevice">,
  now: Date,
): Promise<TrustedDevice | undefined> {
  const [device] = await executor
    .select()
    .from(trustedDevices)
    .where(and(isTrusted(owner, now), eq(trustedDevices.id, id)));
  return device;
}

/** Newest first. */
export function listTrusted(executor: Executor, owner: Owner, now: Date): Promise<TrustedDevice[]> {
  return executor
    .select()
    .from(trustedDevices)
    .where(isTrusted(owner, now))
    .orderBy(desc(trustedDevices.createdAt), desc(trustedDevices.id));
}

export async function touch(
  executor: Executor,
  owner: Owner,
  id: Id<"trustedDevice">,
  now: Date,
): Promise<void> {
  await executor
    .update(trustedDevices)
    .set({ lastUsedAt: now })
    .where(and(eq(trustedDevices.tenantId, owner.tenantId), eq(trustedDevices.id, id)));
}

/** @returns how many are gone: all of the user's, or the one of this id */
export async function deleteDevices(
  executor: Executor,
  owner: Owner,
  id?: Id<"trustedDevice">,
): Promise<number> {
  const gone = await executor
    .delete(trustedDevices)
    .where(
      and(
        eq(trustedDevices.tenantId, owner.tenantId),
        eq(trustedDevices.userId, owner.userId),
        id ? eq(trustedDevices.id, id) : undefined,
      ),
    )
    .returning({ id: trustedDevices.id });
  return gone.length;
}
