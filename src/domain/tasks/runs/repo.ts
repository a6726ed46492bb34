import { and, asc, count, desc, eq, gt, inArray, lt, lte, or, type SQL, sql } from "drizzle-orm";
import { type Database, type Executor, moment } from "../../../db/client.ts";
import { scheduledTasks, taskRuns } from "../../../db/schema/index.ts";
import { type Id, isId, uuidFromId } from "../../../lib/ids.ts";
import { COUNTED_AT_MOST, type PageRequest, pageOf, type PageResult } from "../../../lib/page.ts";

export type TaskRun = typeof taskRuns.$inferSelect;

export interface TaskKey {
  readonly tenantId: Id<"tenant">;
  readonly id: Id<"task">;
}
export interface RunKey {
  readonly tenantId: Id<"tenant">;
  readonly id: Id<"taskRun">;
}

const theRun = ({ tenantId, id }: RunKey) => and(eq(taskRuns.tenantId, tenantId), eq(taskRuns.id, id));
const ofTask = ({ tenantId, id }: TaskKey) => and(eq(taskRuns.tenantId, tenantId), eq(taskRuns.taskId, id));

/**
 * By the database's own time, in which workers agree whatever their clocks say: a lease is about who lives now, and not
 * about what is due.
 */
const leaseOf = (seconds: number) => sql`now() + ${seconds} * interval '1 second'`;
const leaseIsOver = sql`${taskRuns.leaseUntil} < now()`;

/** @returns undefined when the task has one that waits or runs: of two at once, one comes to be */
export async function insertQueued(
  executor: Executor,
  run: Pick<TaskRun, "tenantId" | "id" | "taskId" | "trigger" | "attempt" | "dueAt" | "createdAt">,
  leaseSeconds: number,
): Promise<TaskRun | undefined> {
  const [made] = await executor
    .insert(taskRuns)
    .values({ ...run, outcome: "queued", leaseUntil: leaseOf(leaseSeconds) })
    .onConflictDoNothing()
    .returning();
  return made;
}

/** What is over as soon as it is known of. */
export async function insertEnded(executor: Executor, run: typeof taskRuns.$inferInsert): Promise<void> {
  await executor.insert(taskRuns).values(run);
}

/** Of several that are told to do the same run, one gets it. */
export async function claim(
  executor: Executor,
  key: RunKey,
  now: Date,
  leaseSeconds: number,
): Promise<TaskRun | undefined> {
  const [claimed] = await executor
    .update(taskRuns)
    .set({ outcome: "running", startedAt: now, leaseUntil: leaseOf(leaseSeconds) })
    .where(and(theRun(key), eq(taskRuns.outcome, "queued")))
    .returning();
  return claimed;
}

/** @returns whether it still is the caller's */
export async function renew(executor: Executor, key: RunKey, leaseSeconds: number): Promise<boolean> {
  const renewed = await executor
    .update(taskRuns)
    .set({ leaseUntil: leaseOf(leaseSeconds) })
    .where(and(theRun(key), eq(taskRuns.outcome, "running")))
    .returning({ id: taskRuns.id });
  return renewed.length > 0;
}

/** @returns whether it still was the caller's */
export async function end(
  executor: Executor,
  key: RunKey,
  result: Pick<TaskRun, "outcome" | "finishedAt"> & Partial<Pick<TaskRun, "counts" | "error" | "retryAt">>,
): Promise<boolean> {
  const ended = await executor
    .update(taskRuns)
    .set({ ...result, leaseUntil: null })
    .where(and(theRun(key), eq(taskRuns.outcome, "running")))
    .returning({ id: taskRuns.id });
  return ended.length > 0;
}

/** Runs whose worker has not said for too long that it lives. */
export async function markLost(
  executor: Executor,
  { now, attempts }: { now: Date; attempts: number },
): Promise<TaskRun[]> {
  return executor
    .update(taskRuns)
    .set({
      outcome: "lost",
      finishedAt: now,
      leaseUntil: null,
      retryAt: sql`case when ${taskRuns.attempt} < ${attempts} then ${moment(now)} end`,
    })
    .where(and(eq(taskRuns.outcome, "running"), leaseIsOver))
    .returning();
}

/** Runs that wait for so long that their jobs may have been lost. */
export async function takeWaiting(executor: Executor, leaseSeconds: number): Promise<RunKey[]> {
  return executor
    .update(taskRuns)
    .set({ leaseUntil: leaseOf(leaseSeconds) })
    .where(and(eq(taskRuns.outcome, "queued"), leaseIsOver))
    .returning({ tenantId: taskRuns.tenantId, id: taskRuns.id });
}

/** Runs that are to be done again by now; others' are passed over. Those of tasks that are paused are let go. */
export async function takeRetries(executor: Executor, now: Date): Promise<(TaskRun & { paused: boolean })[]> {
  const due = await executor
    .select({ run: taskRuns, pausedAt: scheduledTasks.pausedAt })
    .from(taskRuns)
    .innerJoin(
      scheduledTasks,
      and(eq(scheduledTasks.tenantId, taskRuns.tenantId), eq(scheduledTasks.id, taskRuns.taskId)),
    )
    .where(lte(taskRuns.retryAt, now))
    .orderBy(asc(taskRuns.retryAt))
    .limit(100)
    .for("update", { of: taskRuns, skipLocked: true });
  for (const { run } of due) await executor.update(taskRuns).set({ retryAt: null }).where(theRun(run));
  return due.map(({ run, pausedAt }) => ({ ...run, paused: pausedAt !== null }));
}

export async function findRun(
  executor: Executor,
  task: TaskKey,
  id: Id<"taskRun">,
): Promise<TaskRun | undefined> {
  const [found] = await executor
    .select()
    .from(taskRuns)
    .where(and(ofTask(task), eq(taskRuns.id, id)));
  return found;
}

/** Of each task the last run that ended after it was begun, and the one that waits or runs. */
export async function findNewest(executor: Executor, tasks: readonly TaskKey[]): Promise<TaskRun[]> {
  if (tasks.length === 0) return [];
  const keys = sql.join(
    tasks.map(
      ({ tenantId, id }) => sql`(${uuidFromId("tenant", tenantId)}::uuid, ${uuidFromId("task", id)}::uuid)`,
    ),
    sql`, `,
  );
  const newest = (condition: SQL) => sql`(
    select r.id from task_runs r where r.tenant_id = t.tenant_id and r.task_id = t.id and ${condition}
    order by r.created_at desc, r.id desc limit 1)`;
  const ids = sql`(
    select unnest(array[
      ${newest(sql`r.outcome in ('succeeded', 'failed', 'lost')`)},
      ${newest(sql`r.outcome in ('queued', 'running')`)}])
    from scheduled_tasks t where (t.tenant_id, t.id) in (${keys}))`;
  const tenantIds = [...new Set(tasks.map(({ tenantId }) => tenantId))];
  return executor
    .select()
    .from(taskRuns)
    .where(and(inArray(taskRuns.tenantId, tenantIds), sql`${taskRuns.id} in ${ids}`));
}

export async function listRuns(
  db: Database,
  task: TaskKey,
  page: PageRequest<"created_at">,
): Promise<PageResult<TaskRun>> {
  const matching = ofTask(task);
  const direction = page.order === "asc" ? asc : desc;
  const [rows, [counted]] = await Promise.all([
    db
      .select()
      .from(taskRuns)
      .where(and(matching, following(page)))
      .orderBy(direction(taskRuns.createdAt), direction(taskRuns.id))
      .limit(page.limit + 1),
    db.select({ total: count() }).from(
      db
        .select({ one: sql`1` })
        .from(taskRuns)
        .where(matching)
        .limit(COUNTED_AT_MOST)
        .as("counted"),
    ),
  ]);
  return pageOf(rows, page.limit, counted?.total ?? 0);
}

function following({ order, after }: PageRequest<"created_at">): SQL | undefined {
  if (!after || !isId("taskRun", after.id)) return undefined;
  const beyond = order === "asc" ? gt : lt;
  const at = new Date(after.value);
  return or(beyond(taskRuns.createdAt, at), and(eq(taskRuns.createdAt, at), beyond(taskRuns.id, after.id)));
}

/** @returns how many went */
export async function deleteOld(
  executor: Executor,
  keep: { newest: number; always: number; since: Date },
  limit: number,
): Promise<number> {
  const result = await executor.execute(sql`
    delete from task_runs where (tenant_id, id) in (
      select tenant_id, id from (
        select tenant_id, id, created_at, row_number() over (
          partition by tenant_id, task_id order by created_at desc, id desc) as place
        from task_runs where outcome not in ('queued', 'running') and retry_at is null) as ended
      where place > ${keep.newest} or (place > ${keep.always} and created_at < ${moment(keep.since)})
      limit ${limit})`);
  return result.count;
}
