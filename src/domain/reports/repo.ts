import { and, asc, eq, inArray, lt, ne, sql } from "drizzle-orm";
import type { Database, Executor } from "../../db/client.ts";
import { reports } from "../../db/schema/index.ts";
import { type Id, idFromUuid, isId, uuidFromId } from "../../lib/ids.ts";

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

/** What each kind of actor and target that has a name of its own is called. */
const named = [
  { kind: "user", source: sql`select id, username as name from users` },
  { kind: "client", source: sql`select id, name from clients` },
  { kind: "serviceAccount", source: sql`select id, name from service_accounts` },
] as const;

/** What the users, clients and service accounts among these ids are called now. */
export async function findNames(
  executor: Executor,
  tenantId: Id<"tenant">,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const { kind, source } of named) {
    const uuids = ids.filter((id) => isId(kind, id)).map((id) => uuidFromId(kind, id));
    if (uuids.length === 0) continue;
    const rows = await executor.execute<{ id: string; name: string }>(sql`
      ${source} where tenant_id = ${uuidFromId("tenant", tenantId)}::uuid and id = any(${`{${uuids.join(",")}}`}::uuid[])`);
    for (const { id, name } of rows) found.set(idFromUuid(kind, id), name);
  }
  return found;
}
