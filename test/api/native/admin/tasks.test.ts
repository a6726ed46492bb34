import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { scheduledTasks, taskRuns } from "../../../../src/db/schema/index.ts";
import { claimRun, performRun } from "../../../../src/domain/tasks/running.ts";
import { isId, newId } from "../../../../src/lib/ids.ts";
import { createOtherTenant, type OtherTenant } from "../../../attacks/support.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { administratorsToken, auditOf, caller, newAdministrator } from "./support.ts";

interface TaskBody {
  id: string;
  kind: string;
  name: string;
  scope: string;
  built_in: boolean;
  paused: boolean;
  next_run_at: string | null;
  parameters: Record<string, unknown>;
  current_run: RunBody | null;
  last_run: RunBody | null;
  error: string;
}
interface RunBody {
  id: string;
  trigger: string;
  outcome: string;
  duration_ms: number | null;
  counts: Record<string, number>;
  error: string;
}
interface ListBody<Item> {
  data: Item[];
  pagination: { total: number; has_more: boolean; next_cursor?: string };
}

let server: TestServer;
let superAdmin: ReturnType<typeof caller>;
let mine: OtherTenant;
let ofMine: ReturnType<typeof caller>;
let administratorId: string;

beforeAll(async () => {
  server = await startTestServer();
  superAdmin = caller(server.url, await administratorsToken(server));
  mine = await createOtherTenant(server, "mine");
  const { person, token } = await newAdministrator(server, mine);
  administratorId = person.id;
  ofMine = caller(mine.base, token);
});
afterAll(() => server.stop());

const newTask = { kind: "dormant_accounts", name: "Monthly", cron: "0 4 1 * *", time_zone: "Europe/Berlin" };
const make = async (call: ReturnType<typeof caller>, changes: object = {}) =>
  (await call<TaskBody>("POST", "/tasks", { ...newTask, ...changes })).body;
const listed = async (call: ReturnType<typeof caller>) =>
  (await call<{ data: TaskBody[] }>("GET", "/tasks")).body.data;

async function builtIn(call: ReturnType<typeof caller>, kind: string): Promise<TaskBody> {
  const task = (await listed(call)).find((one) => one.kind === kind && one.built_in);
  if (!task) throw new Error(`no built-in ${kind}`);
  return task;
}

/** What a worker does with a run that waits. */
async function work(runId: string): Promise<void> {
  const [run] = isId("taskRun", runId)
    ? await server.deps.db.select().from(taskRuns).where(eq(taskRuns.id, runId))
    : [];
  const claimed = run && (await claimRun(server.deps, run));
  if (!claimed) throw new Error("the run was not to be had");
  await performRun(server.deps, claimed);
}

describe("the list", () => {
  it("holds a tenant's own tasks for its administrators, and also the installation's for a super_admin", async () => {
    const own = await make(ofMine);
    const theirs = await listed(ofMine);
    expect(theirs.map(({ kind, scope }) => `${scope} ${kind}`)).toEqual([
      "tenant dormant_accounts",
      "tenant dormant_accounts",
    ]);
    expect(theirs.map(({ id }) => id)).toContain(own.id);

    const all = await listed(superAdmin);
    const kinds = all.filter(({ scope }) => scope === "installation").map(({ kind }) => kind);
    for (const kind of [
      "token_clean_up",
      "challenge_clean_up",
      "session_clean_up",
      "proof_clean_up",
      "idempotency_clean_up",
      "replay_clean_up",
      "session_expiry",
      "key_rotation",
      "audit_sealing",
      "audit_retention",
      "report_expiry",
    ])
      expect(kinds).toContain(kind);
    expect(all.map(({ id }) => id)).not.toContain(own.id);
  });

  it("tells when a task runs next, and how it went", async () => {
    const task = await builtIn(superAdmin, "challenge_clean_up");
    expect(Date.parse(task.next_run_at ?? "")).toBeGreaterThan(server.clock.now().getTime());
    expect(task).toMatchObject({ current_run: null, last_run: null, paused: false });
    const { body: run } = await superAdmin<RunBody>("POST", `/tasks/${task.id}/run`);
    expect(await builtIn(superAdmin, task.kind)).toMatchObject({
      current_run: { id: run.id, outcome: "queued", trigger: "manual", duration_ms: null },
    });
    await work(run.id);
    expect(await builtIn(superAdmin, task.kind)).toMatchObject({
      current_run: null,
      last_run: { id: run.id, outcome: "succeeded", duration_ms: 0, counts: { challenges: 0 } },
    });
  });

  it("of kinds holds what the caller may add, with what can be chosen", async () => {
    const kindsFor = async (call: ReturnType<typeof caller>) =>
      (await call<{ data: { kind: string; parameters: object }[] }>("GET", "/task-kinds")).body.data;
    const own = await kindsFor(ofMine);
    expect(own).toMatchObject([
      { kind: "dormant_accounts", parameters: { properties: { inactive_days: { default: 90 } } } },
    ]);
    expect((await kindsFor(superAdmin)).length).toBeGreaterThan(10);
  });
});

describe("a task of one's own", () => {
  it("goes by its zone's clock and has its kind's defaults", async () => {
    const task = await make(ofMine, { parameters: { inactive_days: 30 } });
    expect(task).toMatchObject({
      built_in: false,
      time_zone: "Europe/Berlin",
      parameters: { inactive_days: 30, notify: true },
    });
    const next = new Date(task.next_run_at ?? "");
    const clock = new Intl.DateTimeFormat("en-GB", {
      timeZone: "Europe/Berlin",
      day: "numeric",
      hour: "2-digit",
      minute: "2-digit",
    });
    expect(clock.format(next)).toBe("1, 04:00");
  });

  it("is changed, and keeps what was not mentioned", async () => {
    const task = await make(ofMine, { parameters: { inactive_days: 30 } });
    const { body } = await ofMine<TaskBody>("PATCH", `/tasks/${task.id}`, { cron: "*/5 * * * *" });
    expect(body).toMatchObject({
      name: "Monthly",
      cron: "*/5 * * * *",
      parameters: { inactive_days: 30, notify: true },
    });
    expect(body.next_run_at).not.toBe(task.next_run_at);
  });

  it("is removed with its history", async () => {
    const task = await make(ofMine);
    const { body: run } = await ofMine<RunBody>("POST", `/tasks/${task.id}/run`);
    expect((await ofMine("DELETE", `/tasks/${task.id}`)).status).toBe(204);
    expect((await ofMine("GET", `/tasks/${task.id}`)).status).toBe(404);
    if (!isId("taskRun", run.id)) throw new Error("not a run's id");
    expect(await server.deps.db.$count(taskRuns, eq(taskRuns.id, run.id))).toBe(0);
  });

  it("is one of a hundred at most", async () => {
    const { tenant, base } = await createOtherTenant(server, "busy");
    const call = caller(base, (await newAdministrator(server, { tenant, base })).token);
    const first = await make(call);
    if (!isId("task", first.id)) throw new Error("not a task's id");
    const [row] = await server.deps.db.select().from(scheduledTasks).where(eq(scheduledTasks.id, first.id));
    if (!row) throw new Error("no row");
    await server.deps.db
      .insert(scheduledTasks)
      .values(Array.from({ length: 98 }, () => ({ ...row, id: newId("task") })));
    const answers = await Promise.all(
      Array.from({ length: 3 }, () => call<TaskBody>("POST", "/tasks", newTask)),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409]);
    expect(answers.find(({ status }) => status === 409)?.body.error).toBe("too_many_tasks");
  });

  it("of the whole installation can be added by a super_admin, every minute if need be", async () => {
    const changes = { kind: "webhook_retries", cron: "* * * * *", name: "More often" };
    const task = await make(superAdmin, changes);
    expect(task).toMatchObject({ scope: "installation", built_in: false });
    expect((await superAdmin("DELETE", `/tasks/${task.id}`)).status).toBe(204);
  });
});

describe("a built-in task", () => {
  it("stays as it is, and can be paused, resumed and run by who sees it", async () => {
    const task = await builtIn(ofMine, "dormant_accounts");
    for (const [method, body] of [
      ["PATCH", { cron: "0 0 * * *" }],
      ["DELETE", undefined],
    ] as const) {
      const answer = await ofMine<TaskBody>(method, `/tasks/${task.id}`, body);
      expect([answer.status, answer.body.error]).toEqual([403, "built_in_task"]);
    }
    const { body: paused } = await ofMine<TaskBody>("POST", `/tasks/${task.id}/pause`);
    expect(paused).toMatchObject({ paused: true, next_run_at: null });
    const { body: resumed } = await ofMine<TaskBody>("POST", `/tasks/${task.id}/resume`);
    expect(resumed).toMatchObject({ paused: false, next_run_at: expect.any(String) });
    expect((await ofMine("POST", `/tasks/${task.id}/run`)).status).toBe(202);
  });
});

describe("running a task now", () => {
  it("is done once, however many ask for it at the same time", async () => {
    const task = await make(ofMine);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => ofMine<RunBody>("POST", `/tasks/${task.id}/run`)),
    );
    const refused = answers.filter(({ status }) => status === 409);
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(refused).toHaveLength(7);
    for (const { body } of refused) expect(body.error).toBe("task_running");
  });

  it("is possible again when the run has ended, and is told among the runs", async () => {
    const task = await make(ofMine);
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) {
      const { body, status } = await ofMine<RunBody>("POST", `/tasks/${task.id}/run`);
      expect(status).toBe(202);
      await work(body.id);
      ids.push(body.id);
      server.clock.advance(1);
    }
    const first = await ofMine<ListBody<RunBody>>("GET", `/tasks/${task.id}/runs?limit=2`);
    expect(first.body.pagination).toMatchObject({ total: 3, has_more: true });
    const cursor = encodeURIComponent(first.body.pagination.next_cursor ?? "");
    const rest = await ofMine<ListBody<RunBody>>("GET", `/tasks/${task.id}/runs?limit=2&cursor=${cursor}`);
    expect(rest.body.pagination).toMatchObject({ total: 3, has_more: false });
    expect([...first.body.data, ...rest.body.data].map(({ id }) => id)).toEqual(ids.toReversed());
    const one = await ofMine<RunBody>("GET", `/tasks/${task.id}/runs/${ids[0]}`);
    expect(one.body).toMatchObject({ trigger: "manual", outcome: "succeeded", counts: { dormant: 0 } });
  });
});

describe("the audit trail", () => {
  it("tells who added, changed, paused, resumed, ran and removed a task, and nothing of what changed nothing", async () => {
    const task = await make(ofMine);
    await ofMine("PATCH", `/tasks/${task.id}`, { name: "Weekly" });
    for (const action of ["pause", "pause", "resume", "resume", "run"])
      await ofMine("POST", `/tasks/${task.id}/${action}`);
    await ofMine("DELETE", `/tasks/${task.id}`);
    const events = await auditOf(server, task.id);
    expect(events.map(({ type }) => type)).toEqual([
      "task.created",
      "task.updated",
      "task.paused",
      "task.resumed",
      "task.run_requested",
      "task.deleted",
    ]);
    expect(new Set(events.map(({ actor }) => actor))).toEqual(new Set([administratorId]));
    expect(events[1]?.details).toMatchObject({ before: { name: "Monthly" }, after: { name: "Weekly" } });
  });
});
