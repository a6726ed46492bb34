import { and, asc, eq, inArray, lt, ne } from "drizzle-orm";
import type { Database, Executor } from "../../db/client.ts";
import { clients, reports, serviceAccounts, users } from "../../db/schema/index.ts";
import { type Id, isId } from "../../lib/ids.ts";

export type Report = typeof reports.$inferSelect;

export async function insertReport(executor: Executor, row: typeof reports.$inferInsert): Promise<Report> {
  const [made] = await executor.insert(reports).values(row).returning();
  if (!made) throw new Error("the report was not kept");
  return made;
}

/** One that was asked for in the same words and is not done yet. */
export async function findOpen(
  executor: Executor,
  tenantId: Id<"tenant">,
  digest: string,
): Promise<Report | undefined> {
  const [open] = await executor
    .select()
    .from(reports)
    .where(
      and(
        eq(reports.tenantId, tenantId),
        eq(reports.digest, digest),
        inArray(reports.status, ["pending", "running"]),
      ),
    )
    .orderBy(asc(reports.createdAt))
    .limit(1);
  return open;
}

export async function findReport(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"report">,
): Promise<Report | undefined> {
  const [found] = await executor
    .select()
    .from(reports)
    .where(and(eq(reports.tenantId, tenantId), eq(reports.id, id)));
  return found;
}

/**
 * What is done stays done, whoever else was at it.
 * @returns whether it was not done before
 */
export async function updateOpenReport(
  executor: Executor,
  { tenantId, id }: Pick<Report, "tenantId" | "id">,
  changes: Partial<Pick<Report, "status" | "progress" | "files" | "events" | "completedAt" | "expiresAt">>,
): Promise<boolean> {
  const changed = await executor
    .update(reports)
    .set(changes)
    .where(and(eq(reports.tenantId, tenantId), eq(reports.id, id), ne(reports.status, "done")))
    .returning({ id: reports.id });
  return changed.length > 0;
}

export async function findExpired(db: Database, before: Date, limit: number): Promise<Report[]> {
  return db
    .select()
    .from(reports)
    .where(lt(reports.expiresAt, before))
    .orderBy(asc(reports.expiresAt))
    .limit(limit);
}

export async function deleteReport(
  executor: Executor,
  { tenantId, id }: Pick<Report, "tenantId" | "id">,
): Promise<void> {
  await executor.delete(reports).where(and(eq(reports.tenantId, tenantId), eq(reports.id, id)));
}

/** What the users, clients and service accounts among these ids are called now. */
export async function findNames(
  executor: Executor,
  tenantId: Id<"tenant">,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const userIds = ids.filter((id) => isId("user", id));
  const clientIds = ids.filter((id) => isId("client", id));
  const accountIds = ids.filter((id) => isId("serviceAccount", id));
  const found = await Promise.all([
    userIds.length === 0
      ? []
      : executor
          .select({ id: users.id, name: users.username })
          .from(users)
          .where(and(eq(users.tenantId, tenantId), inArray(users.id, userIds))),
    clientIds.length === 0
      ? []
      : executor
          .select({ id: clients.id, name: clients.name })
          .from(clients)
          .where(and(eq(clients.tenantId, tenantId), inArray(clients.id, clientIds))),
    accountIds.length === 0
      ? []
      : executor
          .select({ id: serviceAccounts.id, name: serviceAccounts.name })
          .from(serviceAccounts)
          .where(and(eq(serviceAccounts.tenantId, tenantId), inArray(serviceAccounts.id, accountIds))),
  ]);
  return new Map(found.flat().map(({ id, name }) => [id, name]));
}
