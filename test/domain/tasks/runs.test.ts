import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { Type } from "@sinclair/typebox";
import { eq } from "drizzle-orm";
import { outbox, scheduledTasks, taskRuns, userRoles, roles, users } from "../../../src/db/schema/index.ts";
import { kindOf } from "../../../src/domain/tasks/catalogue.ts";
import { kindWith, readParameters, simpleKind, type TaskKind } from "../../../src/domain/tasks/kind.ts";
import { claimRun } from "../../../src/domain/tasks/running.ts";
import { deleteOldRuns } from "../../../src/domain/tasks/runs/history.ts";
import { performRun } from "../../../src/domain/tasks/runs/service.ts";
import { scheduleDueTasks } from "../../../src/domain/tasks/scheduling.ts";
import { createTask, pauseTask, runTask } from "../../../src/domain/tasks/service.ts";
import { addSeconds } from "../../../src/lib/clock.ts";
import { newId } from "../../../src/lib/ids.ts";
import { enqueue } from "../../../src/queue/outbox.ts";
import { insertTestUsers } from "../../support/queue.ts";
import { by, createTasksWorld, type Run, type TasksWorld } from "./support.ts";

const start = new Date("2031-05-20T12:30:00Z");
const later = (seconds: number) => addSeconds(start, seconds);
let world: TasksWorld;

beforeAll(async () => {
  world = await createTasksWorld();
});
afterAll(() => world.stop());
beforeEach(async () => {
  await world.deps.db.delete(scheduledTasks);
  await world.deps.db.delete(outbox);
  world.setTime(start);
});

const description = {
  kind: "test",
  name: "Test",
  description: "",
  scope: "tenant",
  cron: "0 0 1 1 *",
  builtIn: false,
} as const;
const failing = simpleKind(description, async () => {
  throw new Error("ada@example.com has no mailbox");
});

/** A task that is due once a year, and a run of it that somebody asked for. */
async function asked() {
  const schedule = { cron: "0 0 1 1 *", timeZone: "UTC" };
  const input = { kind: "dormant_accounts", name: "Mine", ...schedule, parameters: {} };
  const task = await createTask(world.deps, world.tenantId, input, by);
  return { task, run: await runTask(world.deps, world.tenantId, task.id, by) };
}

async function claimed(run: Run): Promise<Run> {
  const claim = await claimRun(world.deps, run);
  if (!claim) throw new Error("the run was not to be had");
  return claim.run;
}

/** Another worker's look at what is due. */
async function look(now: Date) {
  world.setTime(now);
  return scheduleDueTasks(world.deps, now);
}

const told = async (run: Run) =>
  (await world.runsOf(run.taskId)).map(({ outcome, trigger, attempt }) => `${attempt} ${trigger} ${outcome}`);

describe("a run whose worker dies", () => {
  it("goes on while its lease does", async () => {
    const { run } = await asked();
    await claimed(run);
    expect(await look(later(30))).toMatchObject({ lost: 0, retried: 0 });
    expect(await told(run)).toEqual(["1 manual running"]);
  });

  it("is lost when the lease is over, and begun again, once, whoever looks", async () => {
    const { run } = await asked();
    await claimed(run);
    await world.loseLease(run);
    world.setTime(later(90));
    await Promise.all(Array.from({ length: 6 }, () => scheduleDueTasks(world.deps, later(90))));
    expect(await told(run)).toEqual(["1 manual lost", "2 retry queued"]);
    const [lost, again] = await world.runsOf(run.taskId);
    expect(lost).toMatchObject({ finishedAt: later(90), leaseUntil: null });
    expect(again?.dueAt).toEqual(run.dueAt);
    expect(await world.queuedRuns()).toContain(again?.id ?? "");
  });

  it("is not begun a fourth time: what kills every worker waits for its next moment", async () => {
    const { run } = await asked();
    for (let attempt = 1; attempt <= 3; attempt++) {
      const [last] = (await world.runsOf(run.taskId)).slice(-1);
      await claimed(last ?? run);
      await world.loseLease(last ?? run);
      await look(later(attempt * 90));
    }
    expect(await told(run)).toEqual(["1 manual lost", "2 retry lost", "3 retry lost"]);
    expect(await look(later(3600))).toMatchObject({ lost: 0, retried: 0 });
  });

  it("is not begun again by a task that was paused meanwhile", async () => {
    const { task, run } = await asked();
    await claimed(run);
    await pauseTask(world.deps, world.tenantId, task.id, by);
    await world.loseLease(run);
    await look(later(90));
    expect(await told(run)).toEqual(["1 manual lost"]);
  });

  it("leaves nothing when the worker only seemed to be dead, and comes to its end after all", async () => {
    const { run } = await asked();
    const own = await claimed(run);
    await world.loseLease(run);
    await look(later(90));
    const telling: TaskKind = kindWith(description, Type.Object({}), async () => ({
      counts: { done: 1 },
      async finish(tx) {
        const payload = { user_id: "user_1", email_id: "email_1" };
        await enqueue(tx, { tenantId: run.tenantId, queue: "email", name: "welcome", payload, now: start });
      },
    }));
    await performRun(world.deps, own, telling, {});
    expect(await told(run)).toEqual(["1 manual lost", "2 retry queued"]);
    expect(await world.deps.db.$count(outbox, eq(outbox.queue, "email"))).toBe(0);
  });
});

describe("a run that nobody begins", () => {
  it("is put on the queue once more after a while", async () => {
    const { run } = await asked();
    await world.deps.db.delete(outbox);
    expect(await look(later(60))).toMatchObject({ waiting: 0 });
    await world.loseLease(run);
    expect(await look(later(120))).toMatchObject({ waiting: 1 });
    expect(await look(later(180))).toMatchObject({ waiting: 0 });
    expect((await world.queuedRuns()).filter((id) => id === run.id)).toHaveLength(1);
    expect(await told(run)).toEqual(["1 manual queued"]);
  });
});

describe("a run that fails", () => {
  it("says why, without what is nobody's business, and is begun again after a pause, twice", async () => {
    const { run } = await asked();
    await performRun(world.deps, await claimed(run), failing, {});
    const [first] = await world.runsOf(run.taskId);
    expect(first).toMatchObject({ outcome: "failed", error: "[address] has no mailbox", retryAt: later(60) });
    expect(await look(later(59))).toMatchObject({ retried: 0 });
    expect(await look(later(60))).toMatchObject({ retried: 1 });
    expect(await look(later(61))).toMatchObject({ retried: 0 });

    const second = (await world.runsOf(run.taskId)).at(-1);
    await performRun(world.deps, await claimed(second ?? run), failing, {});
    expect(await look(later(300))).toMatchObject({ retried: 0 });
    expect(await look(later(400))).toMatchObject({ retried: 1 });
    const third = (await world.runsOf(run.taskId)).at(-1);
    await performRun(world.deps, await claimed(third ?? run), failing, {});
    expect(await look(later(4000))).toMatchObject({ retried: 0 });
    expect(await told(run)).toEqual(["1 manual failed", "2 retry failed", "3 retry failed"]);
  });

  it("is not begun again beside one that began meanwhile", async () => {
    const { task, run } = await asked();
    await performRun(world.deps, await claimed(run), failing, {});
    await runTask(world.deps, world.tenantId, task.id, by);
    await look(later(120));
    await look(later(180));
    expect(await told(run)).toEqual(["1 manual failed", "1 manual queued"]);
  });
});

describe("what a run says to others", () => {
  it("is said in the transaction that ends it", async () => {
    const { run } = await asked();
    const own = await claimed(run);
    const unheard = kindWith(description, Type.Object({}), async () => ({
      counts: {},
      async finish() {
        throw new Error("no");
      },
    }));
    await performRun(world.deps, own, unheard, {});
    expect(await told(run)).toEqual(["1 manual failed"]);
  });
});

describe("parameters", () => {
  const kind = kindOf("dormant_accounts");
  if (!kind) throw new Error("no such kind");

  it("have their defaults", () => {
    expect(readParameters(kind, {})).toEqual({ parameters: { inactive_days: 90, notify: true } });
    expect(readParameters(kind, { inactive_days: 7 })).toEqual({
      parameters: { inactive_days: 7, notify: true },
    });
  });

  it.each([
    [{ inactive_days: 0 }, "parameters.inactive_days"],
    [{ inactive_days: "7" }, "parameters.inactive_days"],
    [{ notify: "yes" }, "parameters.notify"],
    [{ everything: true }, "parameters"],
  ])("such as %p are refused", (given, field) => {
    const read = readParameters(kind, given);
    expect("errors" in read && read.errors.map((error) => error.field)).toEqual([field]);
  });
});

describe("the report of dormant accounts", () => {
  it("counts who could sign in and did not, and tells the administrators once", async () => {
    const { db } = world.deps;
    const made = await insertTestUsers(db, world.tenantId, 7);
    const daysAgo = (days: number) => addSeconds(start, -days * 86_400);
    const states = [
      { lastLoginAt: daysAgo(1) },
      { lastLoginAt: daysAgo(29) },
      { lastLoginAt: daysAgo(31) },
      { lastLoginAt: daysAgo(400) },
      { lastLoginAt: null },
      { lastLoginAt: daysAgo(400), enabled: false },
      // Made too lately to have been away for long.
      { lastLoginAt: null, createdAt: daysAgo(2) },
    ];
    for (const [index, state] of states.entries()) {
      const id = made[index]?.userId ?? newId("user");
      await db
        .update(users)
        .set({ createdAt: daysAgo(500), ...state })
        .where(eq(users.id, id));
    }
    const roleId = newId("role");
    await db.insert(roles).values({ tenantId: world.tenantId, id: roleId, name: "admin", createdAt: start });
    for (const { userId } of made.slice(0, 3))
      await db.insert(userRoles).values({ tenantId: world.tenantId, userId, roleId, createdAt: start });

    const schedule = { cron: "0 0 1 1 *", timeZone: "UTC" };
    const input = { kind: "dormant_accounts", name: "Mine", ...schedule, parameters: { inactive_days: 30 } };
    const { id } = await createTask(world.deps, world.tenantId, input, by);
    const claim = await claimRun(world.deps, await runTask(world.deps, world.tenantId, id, by));
    if (!claim) throw new Error("no claim");
    await performRun(world.deps, claim.run, claim.kind, claim.parameters);

    expect(await world.runsOf(id)).toMatchObject([
      { outcome: "succeeded", counts: { dormant: 2, never_signed_in: 1, administrators: 1 } },
    ]);
    const mails = await db.select().from(outbox).where(eq(outbox.queue, "email"));
    expect(mails.map(({ payload }) => payload["user_id"]).toSorted()).toEqual(
      made
        .slice(0, 3)
        .map(({ userId }): unknown => userId)
        .toSorted(),
    );
    expect(mails[0]?.payload).toMatchObject({
      inactive_days: 30,
      dormant: 2,
      never_signed_in: 1,
      administrators: 1,
    });
    await db.delete(users).where(eq(users.tenantId, world.tenantId));
  });
});

describe("the history", () => {
  it("keeps the last 200 runs for 90 days, the last ten for ever, and what goes on", async () => {
    const { task, run } = await asked();
    const endedAt = (at: Date) => ({
      tenantId: world.tenantId,
      id: newId("taskRun"),
      taskId: task.id,
      trigger: "schedule" as const,
      outcome: "succeeded" as const,
      dueAt: at,
      createdAt: at,
    });
    const days = (count: number) => addSeconds(start, -count * 86_400);
    await world.deps.db
      .insert(taskRuns)
      .values([...Array.from({ length: 20 }, (_, index) => endedAt(days(100 + index)))]);
    expect(await deleteOldRuns(world.deps, new AbortController().signal)).toBe(10);
    await world.deps.db
      .insert(taskRuns)
      .values([...Array.from({ length: 1500 }, (_, index) => endedAt(addSeconds(start, -index)))]);
    expect(await deleteOldRuns(world.deps, new AbortController().signal)).toBe(1310);
    const left = await world.runsOf(task.id);
    expect(left).toHaveLength(201);
    expect(left.some(({ id }) => id === run.id)).toBe(true);
    expect(Math.min(...left.map(({ createdAt }) => createdAt.getTime()))).toBe(
      addSeconds(start, -199).getTime(),
    );
  });
});
