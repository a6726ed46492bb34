/** Scheduled tasks as administrators look after them: those that are built in, and their own. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { AppError, type FieldError, validationError } from "../../lib/errors.ts";
import { type Id, isId, newId } from "../../lib/ids.ts";
import type { Administrator } from "../administrators/service.ts";
import * as audit from "../audit/service.ts";
import { findDefaultTenant } from "../tenants/service.ts";
import { kindOf } from "./catalogue.ts";
import { readParameters, type TaskKind, type TaskScope } from "./kind.ts";
import { listKinds, noTask, showTasks, type Task, visible } from "./reading.ts";
import * as repo from "./repo.ts";
import * as runs from "./runs/service.ts";
import type { Schedule } from "./schedule.ts";
import { loadSchedules } from "./scheduling.ts";

export type { TaskKind } from "./kind.ts";
export { getTask, getTaskRun, listKinds, listTaskRuns, listTasks, type Task } from "./reading.ts";
export type { TaskRun } from "./runs/service.ts";

/** How far apart two runs have to be: what one tenant wants is not to keep the others' workers busy. */
const leastMinutes: Readonly<Record<TaskScope, number>> = { installation: 1, tenant: 5 };
const MOST_OWN = 100;

export interface NewTask extends Schedule {
  readonly kind: string;
  readonly name: string;
  readonly parameters: Record<string, unknown>;
}

/** @throws AppError 422 that names what is wrong; 409 for one too many */
export async function createTask(
  deps: Deps,
  tenantId: Id<"tenant">,
  { kind: kindName, name, cron, timeZone, parameters: given }: NewTask,
  by: Administrator,
): Promise<Task> {
  const kind = listKinds(by).find((one) => one.kind === kindName);
  if (!kind) throw validationError([{ field: "kind", message: "is no kind of task that you can add" }]);
  const schedule = { cron, timeZone };
  const parameters = await requireSound(kind, schedule, given);
  const now = deps.clock.now();
  const nextRunAt = await nextRun(schedule, now);
  const owner = kind.scope === "tenant" ? tenantId : await installationOwner(deps);
  return deps.db.transaction(async (tx) => {
    if ((await repo.countOwn(tx, owner)) >= MOST_OWN)
      throw new AppError(409, "too_many_tasks", `There are ${MOST_OWN} tasks already: remove one first.`);
    const row = await repo.insertTask(tx, {
      tenantId: owner,
      id: newId("task"),
      scope: kind.scope,
      kind: kind.kind,
      builtIn: false,
      name,
      ...schedule,
      parameters,
      nextRunAt,
      createdAt: now,
      updatedAt: now,
    });
    await record(tx, row, "task.created", { after: described(row) }, by, now);
    return oneShown(tx, row);
  });
}

/** The default tenant has the installation's tasks. */
async function installationOwner(deps: Deps): Promise<Id<"tenant">> {
  const owner = await findDefaultTenant(deps);
  if (!owner) throw new Error("there is no default tenant");
  return owner.id;
}

const nextRun = async (schedule: Schedule, after: Date): Promise<Date | null> =>
  (await loadSchedules()).nextRun(schedule, after);

async function requireSound(
  kind: TaskKind,
  schedule: Schedule,
  given: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const { scheduleErrors } = await loadSchedules();
  const read = readParameters(kind, given);
  const errors: FieldError[] = scheduleErrors(schedule, leastMinutes[kind.scope]);
  if ("errors" in read) throw validationError([...errors, ...read.errors]);
  if (errors.length > 0) throw validationError(errors);
  return read.parameters;
}

/**
 * Changes a task of one's own. What was due under the former schedule, and has not been begun, is recorded as missed.
 * @throws AppError 404; 403 for a built-in one; 422 that names what is wrong
 */
export async function updateTask(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: string,
  changes: Partial<Omit<NewTask, "kind">>,
  by: Administrator,
): Promise<Task> {
  return changing(deps, tenantId, id, by, async (tx, row, now) => {
    const of = kindOf(row.kind);
    if (!of) throw noTask();
    requireOwn(row);
    const schedule = { cron: changes.cron ?? row.cron, timeZone: changes.timeZone ?? row.timeZone };
    const parameters = await requireSound(of, schedule, changes.parameters ?? row.parameters);
    const isMoved = schedule.cron !== row.cron || schedule.timeZone !== row.timeZone;
    if (isMoved) await settlePassed(tx, row, now);
    const next = {
      name: changes.name ?? row.name,
      ...schedule,
      parameters,
      nextRunAt: isMoved ? await nextRun(schedule, now) : row.nextRunAt,
      updatedAt: now,
    };
    await repo.updateTask(tx, row, next);
    const after = { ...row, ...next };
    await record(tx, row, "task.updated", { before: described(row), after: described(after) }, by, now);
    return after;
  });
}

/** Removes a task of one's own, with its history. @throws AppError 404; 403 for a built-in one */
export async function deleteTask(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: string,
  by: Administrator,
): Promise<void> {
  await holding(deps, tenantId, id, by, async (tx, row, now) => {
    requireOwn(row);
    await record(tx, row, "task.deleted", { before: described(row) }, by, now);
    await repo.deleteTask(tx, row);
  });
}

/** Lets the task's moments pass until it is resumed; a run that waits or goes on is finished. @throws AppError 404 */
export async function pauseTask(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: string,
  by: Administrator,
): Promise<Task> {
  return changing(deps, tenantId, id, by, async (tx, row, now) => {
    if (row.pausedAt) return row;
    await repo.updateTask(tx, row, { pausedAt: now, updatedAt: now });
    await record(tx, row, "task.paused", {}, by, now);
    return { ...row, pausedAt: now, updatedAt: now };
  });
}

/** Lets it run again. How many moments passed meanwhile is recorded as one skipped run. @throws AppError 404 */
export async function resumeTask(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: string,
  by: Administrator,
): Promise<Task> {
  return changing(deps, tenantId, id, by, async (tx, row, now) => {
    if (!row.pausedAt) return row;
    const skipped = await settlePassed(tx, row, now);
    const next = { pausedAt: null, nextRunAt: await nextRun(row, now), updatedAt: now };
    await repo.updateTask(tx, row, next);
    await record(tx, row, "task.resumed", { skipped }, by, now);
    return { ...row, ...next };
  });
}

/** Records the moments that nothing came of. @returns how many there were */
async function settlePassed(tx: Executor, row: repo.TaskRow, now: Date): Promise<number> {
  const { nextRunAt: first, pausedAt } = row;
  if (!first || first > now) return 0;
  const { passedRuns } = await loadSchedules();
  const moments = passedRuns(row, first, now).before + 1;
  const outcome = pausedAt ? "skipped" : "missed";
  await runs.recordPassed(tx, row, { outcome, moments, first }, now);
  return moments;
}

/**
 * Runs a task now, beside its schedule; also one that is paused.
 * @throws AppError 404; 409 while it waits or runs
 */
export async function runTask(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: string,
  by: Administrator,
): Promise<runs.TaskRun> {
  return holding(deps, tenantId, id, by, async (tx, task, now) => {
    const run = await runs.startRun(tx, task, { trigger: "manual", dueAt: now }, now);
    if (!run) throw new AppError(409, "task_running", "The task is running, or waits to.");
    await record(tx, task, "task.run_requested", { kind: task.kind, run: run.id }, by, now);
    return run;
  });
}

/** Works on a task while nobody else does, the look at what is due included. @throws AppError 404 */
async function holding<Result>(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: string,
  by: Administrator,
  work: (tx: Executor, row: repo.TaskRow, now: Date) => Promise<Result>,
): Promise<Result> {
  return deps.db.transaction(async (tx) => {
    const row = isId("task", id) && (await repo.lockVisible(tx, visible(tenantId, by), id));
    if (!row || !kindOf(row.kind)) throw noTask();
    return work(tx, row, deps.clock.now());
  });
}

function changing(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: string,
  by: Administrator,
  change: (tx: Executor, row: repo.TaskRow, now: Date) => Promise<repo.TaskRow>,
): Promise<Task> {
  return holding(deps, tenantId, id, by, async (tx, row, now) => oneShown(tx, await change(tx, row, now)));
}

async function oneShown(tx: Executor, row: repo.TaskRow): Promise<Task> {
  const [task] = await showTasks(tx, [row]);
  if (!task) throw noTask();
  return task;
}

function requireOwn({ builtIn }: repo.TaskRow): void {
  if (builtIn) throw new AppError(403, "built_in_task", "A built-in task stays as it is. It can be paused.");
}

const described = ({ kind, name, cron, timeZone, parameters }: repo.TaskRow) => ({
  kind,
  name,
  cron,
  time_zone: timeZone,
  parameters,
});

type TaskEvent = Extract<audit.AuditEventType, `task.${string}`>;

async function record(
  tx: Executor,
  { tenantId, id }: Pick<repo.TaskRow, "tenantId" | "id">,
  type: TaskEvent,
  details: Record<string, unknown>,
  { actor, context }: Administrator,
  now: Date,
): Promise<void> {
  await audit.record(tx, { tenantId, type, actor, target: { type: "task", id }, details, context, now });
}
