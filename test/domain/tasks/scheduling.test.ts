import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { outbox, scheduledTasks, taskRuns, tenants } from "../../../src/db/schema/index.ts";
import { taskKinds } from "../../../src/domain/tasks/catalogue.ts";
import { claimRun, performRun } from "../../../src/domain/tasks/running.ts";
import { scheduleDueTasks } from "../../../src/domain/tasks/scheduling.ts";
import {
  createTask,
  listTasks,
  pauseTask,
  resumeTask,
  runTask,
  updateTask,
} from "../../../src/domain/tasks/service.ts";
import type { Id } from "../../../src/lib/ids.ts";
import { insertTestTenant } from "../../support/queue.ts";
import { by, createTasksWorld, type TasksWorld } from "./support.ts";

const at = (time: string) => new Date(`2031-05-20T${time}Z`);
let world: TasksWorld;

beforeAll(async () => {
  world = await createTasksWorld();
});
afterAll(() => world.stop());
beforeEach(async () => {
  await world.deps.db.delete(scheduledTasks);
  await world.deps.db.delete(outbox);
});

/** A look at what is due, at that moment. */
async function look(now: Date) {
  world.setTime(now);
  return scheduleDueTasks(world.deps, now);
}

/** Does what waits, as a worker would. */
async function work(): Promise<void> {
  for (const run of await world.deps.db.select().from(taskRuns).where(eq(taskRuns.outcome, "queued"))) {
    const claimed = await claimRun(world.deps, run);
    if (claimed) await performRun(world.deps, claimed);
  }
}

/** A task of one's own that is due every hour, and nothing else. */
async function hourly() {
  const schedule = { cron: "0 * * * *", timeZone: "UTC" };
  const input = { kind: "dormant_accounts", name: "Mine", ...schedule, parameters: { notify: false } };
  return createTask(world.deps, world.tenantId, input, by);
}

const outcomesOf = async (taskId: Id<"task">): Promise<Record<string, unknown>[]> =>
  (await world.runsOf(taskId)).map(({ trigger, outcome, dueAt, counts }) => ({
    outcome,
    trigger,
    due: dueAt.toISOString().slice(11, 16),
    ...(outcome === "missed" || outcome === "skipped" ? counts : {}),
  }));

describe("built-in tasks", () => {
  it("are there after the first look: the installation's once, the tenants' for each of them", async () => {
    const other = await insertTestTenant(world.deps.db);
    await look(at("12:00:30"));
    await look(at("12:00:40"));
    const rows = await world.deps.db.select().from(scheduledTasks);
    const names = (tenantId: string) =>
      rows.filter((row) => row.tenantId === tenantId).map(({ kind }) => kind);
    expect(names(world.tenantId).toSorted()).toEqual(taskKinds.map(({ kind }) => kind).toSorted());
    expect(names(other)).toEqual(["dormant_accounts"]);
    for (const { nextRunAt } of rows) expect(nextRunAt?.getTime()).toBeGreaterThan(at("12:00:40").getTime());
    await world.deps.db.delete(tenants).where(eq(tenants.id, other));
  });

  it("are shown of a tenant that no worker has looked at yet", async () => {
    expect((await listTasks(world.deps, world.tenantId, by)).length).toBe(taskKinds.length);
  });
});

describe("a moment that has come", () => {
  it("begins one run, however many workers look at once and however often", async () => {
    world.setTime(at("12:30:00"));
    const task = await hourly();
    const looks = await Promise.all(
      Array.from({ length: 12 }, () => scheduleDueTasks(world.deps, at("13:00:05"))),
    );
    await look(at("13:00:50"));
    expect(looks.reduce((sum, { started }) => sum + started, 0)).toBe(1);
    const [run] = await world.runsOf(task.id);
    expect(await outcomesOf(task.id)).toEqual([{ outcome: "queued", trigger: "schedule", due: "13:00" }]);
    expect((await world.queuedRuns()).filter((id) => id === run?.id)).toHaveLength(1);
  });

  it("is passed over while another worker begins it", async () => {
    world.setTime(at("12:30:00"));
    const task = await hourly();
    await world.deps.db.transaction(async (tx) => {
      await tx.select().from(scheduledTasks).where(eq(scheduledTasks.id, task.id)).for("update");
      expect(await look(at("13:00:05"))).toMatchObject({ started: 0 });
    });
    expect(await world.runsOf(task.id)).toEqual([]);
    expect(await look(at("13:00:06"))).toMatchObject({ started: 1 });
  });

  it("is done by one worker of several that are told to", async () => {
    world.setTime(at("12:30:00"));
    const task = await hourly();
    await look(at("13:00:05"));
    const [run] = await world.runsOf(task.id);
    if (!run) throw new Error("no run");
    const claims = await Promise.all(Array.from({ length: 8 }, () => claimRun(world.deps, run)));
    const [claimed] = claims.filter((claim) => claim !== undefined);
    expect(claims.filter(Boolean)).toHaveLength(1);
    if (claimed) await performRun(world.deps, claimed);
    expect(await claimRun(world.deps, run)).toBeUndefined();
    expect(await world.runsOf(task.id)).toMatchObject([
      { outcome: "succeeded", startedAt: at("13:00:05"), finishedAt: at("13:00:05"), counts: { dormant: 0 } },
    ]);
  });

  it("does not begin a second run while one waits or goes on: what is missed meanwhile is told", async () => {
    world.setTime(at("12:30:00"));
    const task = await hourly();
    await look(at("13:00:05"));
    await look(at("14:00:05"));
    await look(at("15:00:05"));
    expect(await outcomesOf(task.id)).toEqual([{ outcome: "queued", trigger: "schedule", due: "13:00" }]);
    await work();
    await look(at("15:01:05"));
    expect(await outcomesOf(task.id)).toEqual([
      { outcome: "succeeded", trigger: "schedule", due: "13:00" },
      { outcome: "queued", trigger: "schedule", due: "15:00" },
      { outcome: "missed", trigger: "schedule", due: "14:00", moments: 1 },
    ]);
  });
});

describe("moments at which no worker was there", () => {
  it("of which there was one, is caught up", async () => {
    world.setTime(at("12:30:00"));
    const task = await hourly();
    await look(at("13:40:00"));
    expect(await outcomesOf(task.id)).toEqual([{ outcome: "queued", trigger: "catch_up", due: "13:00" }]);
  });

  it("of which there were several, are caught up once, and the others counted", async () => {
    world.setTime(at("12:30:00"));
    const task = await hourly();
    await look(at("17:30:00"));
    await look(at("17:31:00"));
    expect(await outcomesOf(task.id)).toEqual([
      { outcome: "queued", trigger: "catch_up", due: "17:00" },
      { outcome: "missed", trigger: "schedule", due: "13:00", moments: 4 },
    ]);
    const [row] = await world.deps.db.select().from(scheduledTasks).where(eq(scheduledTasks.id, task.id));
    expect(row?.nextRunAt).toEqual(at("18:00:00"));
  });

  it("are caught up by the zone's clock", async () => {
    // In Berlin the clocks are put back in this night: 02:30 comes twice, and is one moment.
    world.setTime(new Date("2026-10-24T12:00:00Z"));
    const input = { kind: "dormant_accounts", name: "Mine", parameters: {} };
    const schedule = { cron: "30 2 * * *", timeZone: "Europe/Berlin" };
    const { id } = await createTask(world.deps, world.tenantId, { ...input, ...schedule }, by);
    await look(new Date("2026-10-25T12:00:00Z"));
    expect(await outcomesOf(id)).toEqual([{ outcome: "queued", trigger: "catch_up", due: "00:30" }]);
  });
});

describe("a task that is paused", () => {
  it("lets its moments pass, and says how many when it is resumed", async () => {
    world.setTime(at("12:30:00"));
    const task = await hourly();
    await pauseTask(world.deps, world.tenantId, task.id, by);
    await look(at("15:10:00"));
    expect(await world.runsOf(task.id)).toEqual([]);
    const resumed = await resumeTask(world.deps, world.tenantId, task.id, by);
    expect(resumed).toMatchObject({ pausedAt: null, nextRunAt: at("16:00:00") });
    await look(at("15:11:00"));
    expect(await outcomesOf(task.id)).toEqual([
      { outcome: "skipped", trigger: "schedule", due: "13:00", moments: 3 },
    ]);
  });

  it("says nothing when none passed", async () => {
    world.setTime(at("12:30:00"));
    const task = await hourly();
    await pauseTask(world.deps, world.tenantId, task.id, by);
    await resumeTask(world.deps, world.tenantId, task.id, by);
    await look(at("12:59:00"));
    expect(await world.runsOf(task.id)).toEqual([]);
    await look(at("13:00:01"));
    expect(await outcomesOf(task.id)).toEqual([{ outcome: "queued", trigger: "schedule", due: "13:00" }]);
  });

  it("can be run by hand", async () => {
    world.setTime(at("12:30:00"));
    const task = await hourly();
    await pauseTask(world.deps, world.tenantId, task.id, by);
    await runTask(world.deps, world.tenantId, task.id, by);
    await work();
    expect(await outcomesOf(task.id)).toEqual([{ outcome: "succeeded", trigger: "manual", due: "12:30" }]);
  });
});

describe("a task that is given other times", () => {
  it("keeps what it missed of the former ones, and goes by the new ones", async () => {
    world.setTime(at("12:30:00"));
    const task = await hourly();
    world.setTime(at("14:30:00"));
    const changed = await updateTask(world.deps, world.tenantId, task.id, { cron: "15 * * * *" }, by);
    expect(changed.nextRunAt).toEqual(at("15:15:00"));
    await look(at("14:31:00"));
    expect(await outcomesOf(task.id)).toEqual([
      { outcome: "missed", trigger: "schedule", due: "13:00", moments: 2 },
    ]);
  });
});

describe("a schedule that cannot be read", () => {
  it("is told once, and holds no other task up", async () => {
    world.setTime(at("12:30:00"));
    const [broken, sound] = [await hourly(), await hourly()];
    await world.deps.db
      .update(scheduledTasks)
      .set({ timeZone: "Atlantis/Capital" })
      .where(eq(scheduledTasks.id, broken.id));
    await look(at("13:00:05"));
    await look(at("13:01:05"));
    expect(await world.runsOf(broken.id)).toMatchObject([
      { outcome: "failed", error: "the schedule cannot be read" },
    ]);
    expect(await outcomesOf(sound.id)).toEqual([{ outcome: "queued", trigger: "schedule", due: "13:00" }]);
  });
});
