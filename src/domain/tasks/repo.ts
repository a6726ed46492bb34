import { and, asc, count, eq, inArray, isNull, lte, or, type SQL, sql } from "drizzle-orm";
import { type Executor } from "../../db/client.ts";
import { scheduledTasks, tenants } from "../../db/schema/index.ts";
import { type Id, idFromUuid } from "../../lib/ids.ts";

export type TaskRow = typeof scheduledTasks.$inferSelect;

/** Whose tasks somebody may see: their tenant's, and with `installation` those of all tenants together. */
export interface Visible {
  readonly tenantId: Id<"tenant">;
  readonly installation: boolean;
}

const visibleTo = ({ tenantId, installation }: Visible): SQL | undefined => {
  const own = and(eq(scheduledTasks.tenantId, tenantId), eq(scheduledTasks.scope, "tenant"));
  return installation ? or(own, eq(scheduledTasks.scope, "installation")) : own;
};

const theTask = ({ tenantId, id }: Pick<TaskRow, "tenantId" | "id">) =>
  and(eq(scheduledTasks.tenantId, tenantId), eq(scheduledTasks.id, id));

/** The time in which all workers agree what is due, whatever their own clocks say. */
export async function databaseTime(executor: Executor): Promise<Date> {
  const [row] = await executor.execute<{ now: string }>(sql`select clock_timestamp() as now`);
  if (!row) throw new Error("the database does not tell the time");
  return new Date(row.now);
}

export async function listVisible(executor: Executor, to: Visible): Promise<TaskRow[]> {
  return executor
    .select()
    .from(scheduledTasks)
    .where(visibleTo(to))
    .orderBy(asc(scheduledTasks.scope), asc(scheduledTasks.createdAt), asc(scheduledTasks.id));
}

export async function findVisible(
  executor: Executor,
  to: Visible,
  id: Id<"task">,
): Promise<TaskRow | undefined> {
  const [found] = await executor
    .select()
    .from(scheduledTasks)
    .where(and(eq(scheduledTasks.id, id), visibleTo(to)));
  return found;
}

/** Holds the task as it is until the transaction ends. */
export async function lockVisible(
  executor: Executor,
  to: Visible,
  id: Id<"task">,
): Promise<TaskRow | undefined> {
  const [found] = await executor
    .select()
    .from(scheduledTasks)
    .where(and(eq(scheduledTasks.id, id), visibleTo(to)))
    .for("update");
  return found;
}

export async function findTask(
  executor: Executor,
  key: Pick<TaskRow, "tenantId" | "id">,
): Promise<TaskRow | undefined> {
  const [found] = await executor.select().from(scheduledTasks).where(theTask(key));
  return found;
}

export async function insertTask(
  executor: Executor,
  row: typeof scheduledTasks.$inferInsert,
): Promise<TaskRow> {
  const [made] = await executor.insert(scheduledTasks).values(row).returning();
  if (!made) throw new Error("the task was not kept");
  return made;
}

/** Those that are there already stay as they are. */
export async function insertBuiltIns(
  executor: Executor,
  rows: readonly (typeof scheduledTasks.$inferInsert)[],
): Promise<void> {
  await executor
    .insert(scheduledTasks)
    .values([...rows])
    .onConflictDoNothing();
}

export async function updateTask(
  executor: Executor,
  key: Pick<TaskRow, "tenantId" | "id">,
  changes: Partial<
    Pick<TaskRow, "name" | "cron" | "timeZone" | "parameters" | "pausedAt" | "nextRunAt" | "updatedAt">
  >,
): Promise<void> {
  await executor.update(scheduledTasks).set(changes).where(theTask(key));
}

export async function deleteTask(executor: Executor, key: Pick<TaskRow, "tenantId" | "id">): Promise<void> {
  await executor.delete(scheduledTasks).where(theTask(key));
}

/** How many tasks a tenant has beside the built-in ones. Locks the tenant, so that two at once count each other. */
export async function countOwn(executor: Executor, tenantId: Id<"tenant">): Promise<number> {
  await executor
    .select({ id: tenants.id })
    .from(tenants)
    .where(eq(tenants.id, tenantId))
    .for("no key update");
  const [row] = await executor
    .select({ own: count() })
    .from(scheduledTasks)
    .where(and(eq(scheduledTasks.tenantId, tenantId), eq(scheduledTasks.builtIn, false)));
  return row?.own ?? 0;
}

/** Tenants that lack a built-in task: the default one alone for what is the whole installation's. */
export async function findLacking(
  executor: Executor,
  { kind, scope }: Pick<TaskRow, "kind" | "scope">,
  limit: number,
): Promise<Id<"tenant">[]> {
  const rows = await executor.execute<{ id: string }>(sql`
    select t.id from tenants t
    where ${scope === "installation" ? sql`t.is_default` : sql`true`} and not exists (
      select 1 from scheduled_tasks s where s.tenant_id = t.id and s.built_in and s.kind = ${kind})
    limit ${limit}`);
  return rows.map(({ id }) => idFromUuid("tenant", id));
}

/**
 * Takes tasks that are due, for the caller's transaction: others' are passed over. A task with a run that waits or goes
 * on stays due, so that what it misses meanwhile is counted when it has ended.
 */
export async function takeDue(
  executor: Executor,
  { now, kinds, limit }: { now: Date; kinds: readonly string[]; limit: number },
): Promise<TaskRow[]> {
  return executor
    .select()
    .from(scheduledTasks)
    .where(
      and(
        isNull(scheduledTasks.pausedAt),
        lte(scheduledTasks.nextRunAt, now),
        inArray(scheduledTasks.kind, [...kinds]),
        sql`not exists (select 1 from task_runs r where r.tenant_id = "scheduled_tasks"."tenant_id"
          and r.task_id = "scheduled_tasks"."id" and r.outcome in ('queued', 'running'))`,
      ),
    )
    .orderBy(asc(scheduledTasks.nextRunAt))
    .limit(limit)
    .for("update", { skipLocked: true });
}
