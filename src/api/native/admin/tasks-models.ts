import { t } from "elysia";
import type { Task, TaskKind, TaskRun } from "../../../domain/tasks/service.ts";

const Moment = t.String({ format: "date-time" });
const optionalMoment = (description: string) => t.Union([Moment, t.Null()], { description });

const fields = {
  name: t.String({ minLength: 1, maxLength: 128, description: "What you call it" }),
  cron: t.String({
    minLength: 1,
    maxLength: 256,
    description:
      "Minute, hour, day of month, month, day of week; a tenant's tasks at least five minutes apart",
    examples: ["30 6 * * 1-5"],
  }),
  time_zone: t.String({
    minLength: 1,
    maxLength: 64,
    description: "Whose clock it is: an IANA name. UTC if it is left out",
    examples: ["Europe/Berlin"],
  }),
  parameters: t.Record(t.String(), t.Unknown(), {
    description: "What the kind lets one choose; defaults for the rest",
  }),
};

export const TaskRequest = t.Object({
  kind: t.String({ minLength: 1, maxLength: 64, description: "One of /api/v1/admin/task-kinds" }),
  name: fields.name,
  cron: fields.cron,
  time_zone: t.Optional(fields.time_zone),
  parameters: t.Optional(fields.parameters),
});

export const TaskChanges = t.Partial(t.Object(fields));

export const TaskKindResponse = t.Object(
  {
    kind: t.String(),
    name: t.String(),
    description: t.String(),
    scope: t.String({ description: "installation or tenant: whose data it works on" }),
    built_in: t.Boolean({ description: "Whether there is one from the start" }),
    default_cron: t.String(),
    parameters: t.Record(t.String(), t.Unknown(), { description: "A JSON schema" }),
  },
  { description: "What a task can do" },
);

export const TaskRunResponse = t.Object(
  {
    id: t.String(),
    task_id: t.String(),
    trigger: t.String({
      description:
        "schedule, manual, catch_up (after no worker was there at its moment) or retry (after it failed or was lost)",
    }),
    outcome: t.String({
      description:
        "queued, running, succeeded, failed, lost (its worker died), missed (nobody was there) or skipped (it was paused)",
    }),
    attempt: t.Integer({ description: "How often the same work was begun" }),
    due_at: Moment,
    started_at: optionalMoment("Null until it is begun"),
    finished_at: optionalMoment("Null until it has ended"),
    duration_ms: t.Union([t.Integer(), t.Null()]),
    counts: t.Record(t.String(), t.Number(), {
      description: "What it did; of what was missed or skipped, how many moments (up to 1000 are counted)",
    }),
    error: t.Union([t.String(), t.Null()]),
    created_at: Moment,
  },
  { description: "One run of a task, or what became of moments without one" },
);

export const TaskResponse = t.Object(
  {
    id: t.String(),
    kind: t.String(),
    name: t.String(),
    description: t.String(),
    scope: t.String(),
    built_in: t.Boolean({ description: "It can be run, paused and resumed, and stays otherwise as it is" }),
    cron: t.String(),
    time_zone: t.String(),
    parameters: t.Record(t.String(), t.Unknown()),
    paused: t.Boolean(),
    paused_at: optionalMoment("Since when"),
    next_run_at: optionalMoment("Null while it is paused"),
    current_run: t.Union([TaskRunResponse, t.Null()], { description: "The one that waits or goes on" }),
    last_run: t.Union([TaskRunResponse, t.Null()], {
      description: "The last one that was begun and has ended",
    }),
    created_at: Moment,
    updated_at: Moment,
  },
  { description: "Something that is done at its times" },
);

export const kindResponse = (kind: TaskKind): typeof TaskKindResponse.static => ({
  kind: kind.kind,
  name: kind.name,
  description: kind.description,
  scope: kind.scope,
  built_in: kind.builtIn,
  default_cron: kind.cron,
  // Without the marks that the library keeps beside the schema.
  parameters: JSON.parse(JSON.stringify(kind.parameters)),
});

export function runResponse(run: TaskRun): typeof TaskRunResponse.static {
  const { startedAt, finishedAt } = run;
  return {
    id: run.id,
    task_id: run.taskId,
    trigger: run.trigger,
    outcome: run.outcome,
    attempt: run.attempt,
    due_at: run.dueAt.toISOString(),
    started_at: startedAt?.toISOString() ?? null,
    finished_at: finishedAt?.toISOString() ?? null,
    duration_ms: startedAt && finishedAt ? finishedAt.getTime() - startedAt.getTime() : null,
    counts: run.counts,
    error: run.error,
    created_at: run.createdAt.toISOString(),
  };
}

export const taskResponse = (task: Task): typeof TaskResponse.static => ({
  id: task.id,
  kind: task.kind,
  name: task.name,
  description: task.of.description,
  scope: task.scope,
  built_in: task.builtIn,
  cron: task.cron,
  time_zone: task.timeZone,
  parameters: task.parameters,
  paused: task.pausedAt !== null,
  paused_at: task.pausedAt?.toISOString() ?? null,
  next_run_at: task.pausedAt ? null : (task.nextRunAt?.toISOString() ?? null),
  current_run: task.current && runResponse(task.current),
  last_run: task.last && runResponse(task.last),
  created_at: task.createdAt.toISOString(),
  updated_at: task.updatedAt.toISOString(),
});
