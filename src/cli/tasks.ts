import { defineCommand } from "citty";
import type { Deps } from "../deps.ts";
import { systemContext } from "../domain/request-context.ts";
import {
  getTask,
  listTaskRuns,
  listTasks,
  pauseTask,
  resumeTask,
  runTask,
  type Task,
  type TaskRun,
} from "../domain/tasks/service.ts";
import { wholeNumber } from "./support.ts";
import { requireTenant, tenantArgument, withDeps } from "./with-deps.ts";

/** Whoever runs commands on the installation may do all of it. */
const by = { actor: { type: "system" }, context: systemContext, superAdmin: true } as const;

const theTask = {
  task: {
    type: "positional",
    required: true,
    description: "its id, or the kind of a built-in one, as `tasks list` shows them",
  },
  tenant: tenantArgument,
} as const;

const showRun = (run: TaskRun) => ({
  id: run.id,
  trigger: run.trigger,
  outcome: run.outcome,
  attempt: run.attempt,
  due_at: run.dueAt.toISOString(),
  started_at: run.startedAt?.toISOString() ?? null,
  finished_at: run.finishedAt?.toISOString() ?? null,
  counts: run.counts,
  error: run.error,
});

const show = (task: Task) => ({
  id: task.id,
  kind: task.kind,
  name: task.name,
  scope: task.scope,
  built_in: task.builtIn,
  cron: task.cron,
  time_zone: task.timeZone,
  parameters: task.parameters,
  paused: task.pausedAt !== null,
  next_run_at: task.pausedAt ? null : (task.nextRunAt?.toISOString() ?? null),
  current_run: task.current && showRun(task.current),
  last_run: task.last && showRun(task.last),
});

/** Finds the tenant and the task, and works on it. */
function withTask(
  args: { task: string; tenant?: string | undefined },
  work: (deps: Deps, tenantId: Task["tenantId"], id: string) => Promise<void>,
): Promise<void> {
  return withDeps(async (deps) => {
    const { id: tenantId } = await requireTenant(deps, args.tenant);
    const builtIn = (await listTasks(deps, tenantId, by)).find(
      ({ kind, builtIn: isBuiltIn }) => isBuiltIn && kind === args.task,
    );
    await work(deps, tenantId, builtIn?.id ?? (await getTask(deps, tenantId, args.task, by)).id);
  });
}

const list = defineCommand({
  meta: {
    name: "list",
    description: "Lists the installation's tasks and a tenant's, with when they run next and how they went",
  },
  args: {
    tenant: tenantArgument,
    json: { type: "boolean", description: "print JSON, one a line" },
  },
  run: ({ args }) =>
    withDeps(async (deps) => {
      const { id: tenantId } = await requireTenant(deps, args.tenant);
      const tasks = await listTasks(deps, tenantId, by);
      if (args.json) for (const task of tasks) console.log(JSON.stringify(show(task)));
      else console.log(toTable(tasks));
    }),
});

const runs = defineCommand({
  meta: { name: "runs", description: "Shows what a task did as JSON, one run a line, the newest first" },
  args: {
    ...theTask,
    limit: { type: "string", default: "20", description: "at most so many", valueHint: "count" },
  },
  run: ({ args }) => {
    const limit = wholeNumber(args.limit, "limit", { minimum: 1, maximum: 200 });
    const page = { limit, sort: "created_at", order: "desc", search: undefined, after: undefined } as const;
    return withTask(args, async (deps, tenantId, id) => {
      const { items } = await listTaskRuns(deps, tenantId, id, page, by);
      for (const item of items) console.log(JSON.stringify(showRun(item)));
    });
  },
});

const run = defineCommand({
  meta: { name: "run", description: "Runs a task now, by a worker, beside its schedule" },
  args: theTask,
  run: ({ args }) =>
    withTask(args, async (deps, tenantId, id) => {
      console.log(JSON.stringify(showRun(await runTask(deps, tenantId, id, by))));
    }),
});

const pause = defineCommand({
  meta: { name: "pause", description: "Lets a task's times pass until it is resumed" },
  args: theTask,
  run: ({ args }) =>
    withTask(args, async (deps, tenantId, id) => {
      console.log(JSON.stringify(show(await pauseTask(deps, tenantId, id, by))));
    }),
});

const resume = defineCommand({
  meta: { name: "resume", description: "Lets a paused task go on with its next time" },
  args: theTask,
  run: ({ args }) =>
    withTask(args, async (deps, tenantId, id) => {
      console.log(JSON.stringify(show(await resumeTask(deps, tenantId, id, by))));
    }),
});

export default defineCommand({
  meta: { name: "tasks", description: "Scheduled tasks: lists, runs, pauses and resumes them" },
  subCommands: { list, runs, run, pause, resume },
});

function toTable(tasks: readonly Task[]): string {
  const header = ["ID", "KIND", "NAME", "SCHEDULE", "NEXT RUN", "LAST OUTCOME"];
  const rows = tasks.map((task) => [
    task.id,
    task.kind,
    task.name,
    task.timeZone === "UTC" ? task.cron : `${task.cron} (${task.timeZone})`,
    task.pausedAt ? "paused" : (task.nextRunAt?.toISOString() ?? ""),
    task.current?.outcome ?? task.last?.outcome ?? "",
  ]);
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
