import { and, asc, eq, isNotNull, isNull, lt, ne, sql } from "drizzle-orm";
import type { Executor } from "../../../db/client.ts";
import { totpDevices } from "../../../db/schema/index.ts";
import type { Id } from "../../../lib/ids.ts";
import type { SealedBox } from "../../../lib/master-keys.ts";

export type TotpDevice = typeof totpDevices.$inferSelect;

export interface Owner {
  readonly tenantId: Id<"tenant">;
  readonly userId: Id<"user">;
}

const ofOwner = ({ tenantId, userId }: Owner) =>
  and(eq(totpDevices.tenantId, tenantId), eq(totpDevices.userId, userId));

export async function insertDevice(
  executor: Executor,
  device: typeof totpDevices.$inferInsert,
): Promise<void> {
  await executor.insert(totpDevices).values(device);
}

/** Setting up a device anew gives up the attempt before. */
export async function deleteUnconfirmed(executor: Executor, owner: Owner): Promise<void> {
  await executor.delete(totpDevices).where(and(ofOwner(owner), isNull(totpDevices.confirmedAt)));
}

/** The newest device that is being set up, or the one of this id. */
export async function findUnconfirmed(
  executor: Executor,
  owner: Owner,
  id: Id<"totpDevice"> | undefined,
): Promise<TotpDevice | undefined> {
  const [device] = await executor
    .select()
    .from(totpDevices)
    .where(and(ofOwner(owner), isNull(totpDevices.confirmedAt), id ? eq(totpDevices.id, id) : undefined))
    .orderBy(sql`${totpDevices.createdAt} desc`)
    .limit(1);
  return device;
}

/** Devices whose codes count, oldest first. */
export function findConfirmed(executor: Executor, owner: Owner): Promise<TotpDevice[]> {
  return executor
    .select()
    .from(totpDevices)
    .where(and(ofOwner(owner), isNotNull(totpDevices.confirmedAt)))
    .orderBy(asc(totpDevices.createdAt), asc(totpDevices.id));
}

/** @returns whether the device was being set up until now */
export async function confirm(
  executor: Executor,
  owner: Owner,
  device: { id: Id<"totpDevice">; step: number; now: Date },
): Promise<boolean> {
  const confirmed = await executor
    .update(totpDevices)
    .set({ confirmedAt: device.now, lastUsedAt: device.now, lastStep: device.step })
    .where(and(ofOwner(owner), eq(totpDevices.id, device.id), isNull(totpDevices.confirmedAt)))
    .returning({ id: totpDevices.id });
  return confirmed.length > 0;
}

/**
 * Takes a time step of a device, by one atomic statement: of requests that race with one code, one gets it, and none that
 * comes later gets that step or one before it (RFC 6238 §5.2).
 */
export async function takeStep(
  executor: Executor,
  owner: Owner,
  device: { id: Id<"totpDevice">; step: number; now: Date },
): Promise<boolean> {
  const taken = await executor
    .update(totpDevices)
    .set({ lastStep: device.step, lastUsedAt: device.now })
    .where(
      and(
        ofOwner(owner),
        eq(totpDevices.id, device.id),
        isNotNull(totpDevices.confirmedAt),
        lt(totpDevices.lastStep, device.step),
      ),
    )
    .returning({ id: totpDevices.id });
  return taken.length > 0;
}

/** @returns whether there is such a device, whose codes count */
export async function rename(
  executor: Executor,
  owner: Owner,
  id: Id<"totpDevice">,
  name: string,
): Promise<boolean> {
  const renamed = await executor
    .update(totpDevices)
    .set({ name })
    .where(and(ofOwner(owner), eq(totpDevices.id, id), isNotNull(totpDevices.confirmedAt)))
    .returning({ id: totpDevices.id });
  return renamed.length > 0;
}

/** @returns the devices that are gone, or the one of this id */
export function deleteConfirmed(
  executor: Executor,
  owner: Owner,
  id: Id<"totpDevice"> | undefined,
): Promise<Pick<TotpDevice, "id" | "name">[]> {
  return executor
    .delete(totpDevices)
    .where(and(ofOwner(owner), isNotNull(totpDevices.confirmedAt), id ? eq(totpDevices.id, id) : undefined))
    .returning({ id: totpDevices.id, name: totpDevices.name });
}

/** Devices of any tenant whose secret is not sealed under this master key. */
export function findSealedOtherwise(
  executor: Executor,
  masterKeyId: string,
  limit: number,
): Promise<TotpDevice[]> {
  return executor.select().from(totpDevices).where(ne(totpDevices.masterKeyId, masterKeyId)).limit(limit);
}

export async function replaceSeal(executor: Executor, device: TotpDevice, sealed: SealedBox): Promise<void> {
  await executor
    .update(totpDevices)
    .set({ sealedSecret: sealed.box, masterKeyId: sealed.keyId })
    .where(and(eq(totpDevices.tenantId, device.tenantId), eq(totpDevices.id, device.id)));
}
