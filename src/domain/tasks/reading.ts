/** Scheduled tasks as they are shown, and to whom. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { notFound } from "../../lib/errors.ts";
import { type Id, isId } from "../../lib/ids.ts";
import type { PageRequest, PageResult } from "../../lib/page.ts";
import type { Administrator } from "../administrators/service.ts";
import { kindOf, taskKinds } from "./catalogue.ts";
import type { TaskKind } from "./kind.ts";
import * as repo from "./repo.ts";
import * as runs from "./runs/service.ts";
import { addBuiltInTasks } from "./scheduling.ts";

/** A task as its administrators see it. */
export interface Task extends Omit<repo.TaskRow, "name"> {
  readonly of: TaskKind;
  readonly name: string;
  /** The run that waits or goes on. */
  readonly current: runs.TaskRun | null;
  /** The last one that was begun and has ended. */
  readonly last: runs.TaskRun | null;
}

export const noTask = () => notFound("There is no such task.");

export const visible = (tenantId: Id<"tenant">, by: Pick<Administrator, "superAdmin">): repo.Visible => ({
  tenantId,
  installation: by.superAdmin,
});

/** The kinds that who asks may add tasks of, and sees those of. */
export function listKinds(by: Pick<Administrator, "superAdmin">): readonly TaskKind[] {
  return taskKinds.filter(({ scope }) => scope === "tenant" || by.superAdmin);
}

/** The tenant's tasks, and for who administers every tenant also those of the whole installation. */
export async function listTasks(
  deps: Deps,
  tenantId: Id<"tenant">,
  by: Pick<Administrator, "superAdmin">,
): Promise<Task[]> {
  const to = visible(tenantId, by);
  let rows = await repo.listVisible(deps.db, to);
  const there = new Set(rows.filter(({ builtIn }) => builtIn).map(({ kind }) => kind));
  // A tenant that is younger than the last look at what is due.
  if (listKinds(by).some(({ builtIn, kind }) => builtIn && !there.has(kind))) {
    await addBuiltInTasks(deps, deps.clock.now());
    rows = await repo.listVisible(deps.db, to);
  }
  return showTasks(deps.db, rows);
}

/** @throws AppError 404, for another tenant's and for what only others see as for none */
export async function getTask(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: string,
  by: Pick<Administrator, "superAdmin">,
): Promise<Task> {
  const row = isId("task", id) && (await repo.findVisible(deps.db, visible(tenantId, by), id));
  const [task] = row ? await showTasks(deps.db, [row]) : [];
  if (!task) throw noTask();
  return task;
}

/** Tasks of kinds that only another build knows are left out. */
export async function showTasks(executor: Executor, rows: readonly repo.TaskRow[]): Promise<Task[]> {
  const newest = await runs.findNewest(executor, rows);
  return rows.flatMap((row) => {
    const of = kindOf(row.kind);
    if (!of) return [];
    const own = newest.filter(({ taskId }) => taskId === row.id);
    const isActive = ({ outcome }: runs.TaskRun) => outcome === "queued" || outcome === "running";
    const current = own.find(isActive) ?? null;
    const last = own.find((run) => !isActive(run)) ?? null;
    return [{ ...row, of, name: row.name ?? of.name, current, last }];
  });
}

/** A task's runs. @throws AppError 404 */
export async function listTaskRuns(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: string,
  page: PageRequest<"created_at">,
  by: Pick<Administrator, "superAdmin">,
): Promise<PageResult<runs.TaskRun>> {
  return runs.listRuns(deps, await getTask(deps, tenantId, id, by), page);
}

/** @throws AppError 404 */
export async function getTaskRun(
  deps: Deps,
  tenantId: Id<"tenant">,
  of: { taskId: string; runId: string },
  by: Pick<Administrator, "superAdmin">,
): Promise<runs.TaskRun> {
  const task = await getTask(deps, tenantId, of.taskId, by);
  const run = isId("taskRun", of.runId) && (await runs.findRun(deps.db, task, of.runId));
  if (!run) throw notFound("The task has no such run.");
  return run;
}
