import { and, desc, eq, gt, isNull } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import { dataExports } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";

export interface Owner {
  tenantId: Id<"tenant">;
  userId: Id<"user">;
}

export type DataExport = typeof dataExports.$inferSelect;

export async function insertExport(executor: Executor, row: typeof dataExports.$inferInsert): Promise<void> {
  await executor.insert(dataExports).values(row);
}

export async function findPending(
  executor: Executor,
  { tenantId, userId }: Owner,
  now: Date,
): Promise<DataExport | undefined> {
  const [pending] = await executor
    .select()
    .from(dataExports)
    .where(
      and(
        eq(dataExports.tenantId, tenantId),
        eq(dataExports.userId, userId),
        isNull(dataExports.readyAt),
        gt(dataExports.expiresAt, now),
      ),
    );
  return pending;
}

export async function findNewest(
  executor: Executor,
  { tenantId, userId }: Owner,
  now: Date,
): Promise<DataExport | undefined> {
  const [newest] = await executor
    .select()
    .from(dataExports)
    .where(
      and(eq(dataExports.tenantId, tenantId), eq(dataExports.userId, userId), gt(dataExports.expiresAt, now)),
    )
    .orderBy(desc(dataExports.createdAt))
    .limit(1);
  return newest;
}

export async function findExport(
  executor: Executor,
  { tenantId, userId }: Owner,
  id: Id<"dataExport">,
): Promise<DataExport | undefined> {
  const [found] = await executor
    .select()
    .from(dataExports)
    .where(and(eq(dataExports.tenantId, tenantId), eq(dataExports.userId, userId), eq(dataExports.id, id)));
  return found;
}

/** Takes hold of an export that is to be made. */
export async function lockPending(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"dataExport">,
): Promise<DataExport | undefined> {
  const [pending] = await executor
    .select()
    .from(dataExports)
    .where(and(eq(dataExports.tenantId, tenantId), eq(dataExports.id, id), isNull(dataExports.readyAt)))
    .for("update");
  return pending;
}

export async function updateExport(
  executor: Executor,
  { tenantId, id }: Pick<DataExport, "tenantId" | "id">,
  changes: Partial<Pick<DataExport, "readyAt" | "expiresAt" | "sealed" | "downloadedAt">>,
): Promise<void> {
  await executor
    .update(dataExports)
    .set(changes)
    .where(and(eq(dataExports.tenantId, tenantId), eq(dataExports.id, id)));
}
