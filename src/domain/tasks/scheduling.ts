/**
 * What is due, and who does it.
 *
 * PostgreSQL's rows are the truth, and not a scheduler of the queue for each task: a row's `next_run_at` is taken
 * atomically (`FOR UPDATE SKIP LOCKED`) together with the run, the record of what was missed, and the next moment, so that
 * any number of workers on either backend agree on all of it, and what happened while no worker ran can be told
 * afterwards. The queue only wakes a worker once a minute to look, and carries the runs; a queue that was emptied loses
 * none of this, and wakes workers again when the next one starts.
 */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { newId } from "../../lib/ids.ts";
import { taskKinds } from "./catalogue.ts";
import { readParameters, type TaskKind } from "./kind.ts";
import * as repo from "./repo.ts";
import { recordPassed, recordUnreadable, recoverRuns, type Recovered, startRun } from "./runs/service.ts";
import type { Passed } from "./schedule.ts";

/** Loaded when one is read: the library and its calendar would be some megabytes of every API process. */
export const loadSchedules = () => import("./schedule.ts");

/** Workers look every minute: what begins later than twice that is told as caught up. */
const PUNCTUAL_MS = 120_000;
const BATCH = 100;
const TENANTS = 500;

export interface Scheduled extends Recovered {
  /** Runs that were begun because their moment had come. */
  readonly started: number;
}

/**
 * Begins what is due, once each: of several moments that passed, the last; the others are recorded as missed. Safe to
 * repeat, and to run in any number of workers at once.
 * @param at the present; undefined asks the database, in whose time all workers agree
 */
export async function scheduleDueTasks(deps: Deps, at?: Date): Promise<Scheduled> {
  const now = at ?? (await repo.databaseTime(deps.db));
  await addBuiltInTasks(deps, now);
  const recovered = await recoverRuns(deps, now);
  const kinds = taskKinds.map(({ kind }) => kind);
  let started = 0;
  for (;;) {
    const taken = await deps.db.transaction(async (tx) => {
      const due = await repo.takeDue(tx, { now, kinds, limit: BATCH });
      for (const task of due) if (await begin(deps, tx, task, now)) started++;
      return due.length;
    });
    if (taken < BATCH) return { ...recovered, started };
  }
}

/** @returns whether it was: not when an administrator began it in this very moment */
async function begin(deps: Deps, tx: Executor, task: repo.TaskRow, now: Date): Promise<boolean> {
  const { nextRunAt } = task;
  if (!nextRunAt) return false;
  const { passedRuns } = await loadSchedules();
  let passed: Passed;
  try {
    passed = passedRuns(task, nextRunAt, now);
  } catch (err) {
    // Only when a time zone is taken out of the world, or somebody wrote to the table. The others are to go on.
    deps.log.error({ err, task: task.id }, "a task's schedule cannot be read");
    await recordUnreadable(tx, task, now);
    await repo.updateTask(tx, task, { nextRunAt: null });
    return false;
  }
  const { latest, before, next } = passed;
  const trigger = now.getTime() - latest.getTime() > PUNCTUAL_MS ? "catch_up" : "schedule";
  if (!(await startRun(tx, task, { trigger, dueAt: latest }, now))) return false;
  if (before > 0) {
    await recordPassed(tx, task, { outcome: "missed", moments: before, first: nextRunAt }, now);
  }
  await repo.updateTask(tx, task, { nextRunAt: next });
  return true;
}

/** Makes the built-in tasks that are missing: of a new installation, a new tenant, a new kind. Safe to repeat. */
export async function addBuiltInTasks(deps: Deps, now: Date): Promise<void> {
  for (const kind of taskKinds.filter(({ builtIn }) => builtIn)) {
    for (;;) {
      const lacking = await repo.findLacking(deps.db, kind, TENANTS);
      if (lacking.length > 0) await addBuiltInTask(deps, kind, lacking, now);
      if (lacking.length < TENANTS) break;
    }
  }
}

async function addBuiltInTask(
  deps: Deps,
  kind: TaskKind,
  tenantIds: readonly repo.TaskRow["tenantId"][],
  now: Date,
): Promise<void> {
  const read = readParameters(kind, {});
  if ("errors" in read) throw new Error(`the built-in task ${kind.kind} needs parameters`);
  const schedule = { cron: kind.cron, timeZone: "UTC" };
  const nextRunAt = (await loadSchedules()).nextRun(schedule, now);
  const task = {
    scope: kind.scope,
    kind: kind.kind,
    builtIn: true,
    ...schedule,
    parameters: read.parameters,
    nextRunAt,
    createdAt: now,
    updatedAt: now,
  };
  const rows = tenantIds.map((tenantId) => ({ ...task, tenantId, id: newId("task") }));
  await repo.insertBuiltIns(deps.db, rows);
}
