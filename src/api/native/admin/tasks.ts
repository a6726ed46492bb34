/** Scheduled tasks: what is done when, and how that went. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import {
  createTask,
  deleteTask,
  getTask,
  getTaskRun,
  listKinds,
  listTaskRuns,
  listTasks,
  pauseTask,
  resumeTask,
  runTask,
  updateTask,
} from "../../../domain/tasks/service.ts";
import { jsonBody } from "../../../http/json-body.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { listOf, listQuery, listResponse, readPage } from "../../../http/pagination.ts";
import { adminScope } from "../../../http/scope.ts";
import { adminErrors, Nothing } from "./models.ts";
import * as models from "./tasks-models.ts";

const SORTS = ["created_at"] as const;

const scope = (deps: Deps, name: string) =>
  new Elysia({ name, detail: { tags: ["Scheduled tasks"], security: bearerAuth } }).use(adminScope(deps));

export const adminTaskRoutes = (deps: Deps) =>
  scope(deps, "native-admin-tasks")
    .get("/api/v1/admin/task-kinds", ({ by }) => ({ data: listKinds(by).map(models.kindResponse) }), {
      response: { 200: t.Object({ data: t.Array(models.TaskKindResponse) }), ...adminErrors },
      detail: { summary: "What tasks can do" },
    })
    .get(
      "/api/v1/admin/tasks",
      async ({ tenant, by }) => ({
        data: (await listTasks(deps, tenant.id, by)).map(models.taskResponse),
      }),
      {
        response: { 200: t.Object({ data: t.Array(models.TaskResponse) }), ...adminErrors },
        detail: {
          summary: "List tasks",
          description:
            "The tenant's, built-in ones among them; for a super_admin also those of the whole installation.",
        },
      },
    )
    .post(
      "/api/v1/admin/tasks",
      async ({ tenant, body, by, status }) => {
        const { kind, name, cron, time_zone: timeZone = "UTC", parameters = {} } = body;
        const made = await createTask(deps, tenant.id, { kind, name, cron, timeZone, parameters }, by);
        return status(201, models.taskResponse(made));
      },
      {
        parse: jsonBody,
        body: models.TaskRequest,
        response: { 201: models.TaskResponse, 409: ErrorResponse, 422: ErrorResponse, ...adminErrors },
        detail: { summary: "Add a task", description: "Of a known kind, with a schedule of its own." },
      },
    )
    .get(
      "/api/v1/admin/tasks/:id",
      async ({ tenant, params, by }) => models.taskResponse(await getTask(deps, tenant.id, params.id, by)),
      { response: { 200: models.TaskResponse, ...adminErrors }, detail: { summary: "One task" } },
    )
    .patch(
      "/api/v1/admin/tasks/:id",
      async ({ tenant, params, body: { time_zone, ...body }, by }) => {
        const changes = time_zone === undefined ? body : { ...body, timeZone: time_zone };
        return models.taskResponse(await updateTask(deps, tenant.id, params.id, changes, by));
      },
      {
        parse: jsonBody,
        body: models.TaskChanges,
        response: { 200: models.TaskResponse, 422: ErrorResponse, ...adminErrors },
        detail: {
          summary: "Change a task",
          description: "Not a built-in one: 403 `built_in_task`.",
        },
      },
    )
    .delete(
      "/api/v1/admin/tasks/:id",
      async ({ tenant, params, by, status }) => {
        await deleteTask(deps, tenant.id, params.id, by);
        return status(204, undefined);
      },
      {
        response: { 204: Nothing, ...adminErrors },
        detail: {
          summary: "Remove a task",
          description: "With its history. Not a built-in one: 403 `built_in_task`.",
        },
      },
    );

export const adminTaskRunRoutes = (deps: Deps) =>
  scope(deps, "native-admin-task-runs")
    .get(
      "/api/v1/admin/tasks/:id/runs",
      async ({ tenant, params, query, by }) => {
        const page = readPage(query, SORTS, "taskRun");
        return listResponse(await listTaskRuns(deps, tenant.id, params.id, page, by), page, "taskRun", {
          show: models.runResponse,
          keyOf: ({ id, createdAt }) => ({ value: createdAt.toISOString(), id }),
        });
      },
      {
        query: t.Omit(listQuery(SORTS), ["search"]),
        response: { 200: listOf(models.TaskRunResponse), ...adminErrors },
        detail: {
          summary: "What a task did",
          description: "The last 200 runs, for 90 days; the last ten for ever.",
        },
      },
    )
    .get(
      "/api/v1/admin/tasks/:id/runs/:run_id",
      async ({ tenant, params, by }) => {
        const of = { taskId: params.id, runId: params.run_id };
        return models.runResponse(await getTaskRun(deps, tenant.id, of, by));
      },
      { response: { 200: models.TaskRunResponse, ...adminErrors }, detail: { summary: "One run" } },
    )
    .post(
      "/api/v1/admin/tasks/:id/run",
      async ({ tenant, params, by, status }) =>
        status(202, models.runResponse(await runTask(deps, tenant.id, params.id, by))),
      {
        response: { 202: models.TaskRunResponse, 409: ErrorResponse, ...adminErrors },
        detail: {
          summary: "Run a task now",
          description: "Beside its schedule, also while it is paused. 409 `task_running` while it runs.",
        },
      },
    )
    .post(
      "/api/v1/admin/tasks/:id/pause",
      async ({ tenant, params, by }) => models.taskResponse(await pauseTask(deps, tenant.id, params.id, by)),
      {
        response: { 200: models.TaskResponse, ...adminErrors },
        detail: {
          summary: "Pause a task",
          description: "How many moments pass meanwhile is recorded when it is resumed.",
        },
      },
    )
    .post(
      "/api/v1/admin/tasks/:id/resume",
      async ({ tenant, params, by }) => models.taskResponse(await resumeTask(deps, tenant.id, params.id, by)),
      {
        response: { 200: models.TaskResponse, ...adminErrors },
        detail: { summary: "Resume a task", description: "It goes on with the next moment to come." },
      },
    );
