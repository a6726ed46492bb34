/** Scheduled tasks by worker processes: two that look at the same moment, and one that is killed in the middle. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "bun:test";
import { and, eq, inArray, sql } from "drizzle-orm";
import { challenges, outbox, scheduledTasks, taskRuns } from "../../src/db/schema/index.ts";
import { createDeps, type Deps } from "../../src/deps.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { addBuiltInTasks, scheduleDueTasks } from "../../src/domain/tasks/scheduling.ts";
import { listTasks, runTask } from "../../src/domain/tasks/service.ts";
import { addSeconds } from "../../src/lib/clock.ts";
import type { Id } from "../../src/lib/ids.ts";
import { createLogger } from "../../src/lib/log.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  eventually,
  insertTestTenant,
  queueBackends,
  startTestRedis,
  testConfig,
  type TestRedis,
} from "../support/queue.ts";
import { type WorkerProcesses, workerProcesses } from "../support/worker-process.ts";

/** Far beyond what a loaded machine takes to start two processes. */
const PATIENCE_MS = 90_000;
const by = { actor: { type: "system" }, context: systemContext, superAdmin: true } as const;

describe.each(queueBackends)("scheduled tasks, queue on %s", (backend) => {
  let database: TestDatabase;
  let redis: TestRedis | undefined;
  let deps: Deps & { close(): Promise<void> };
  let tenantId: Id<"tenant">;
  let workers: WorkerProcesses;

  beforeAll(async () => {
    database = await createTestDatabase();
    redis = backend === "Redis" ? await startTestRedis() : undefined;
    const env = { DATABASE_URL: database.url, REDIS_URL: redis?.url };
    const log = createLogger({ level: "silent", name: "test" });
    deps = await createDeps(testConfig(env), { process: "worker", log });
    tenantId = await insertTestTenant(deps.db, { isDefault: true });
    workers = workerProcesses(env);
  });
  afterEach(async () => {
    await workers.killAll();
    await deps.db.delete(scheduledTasks);
  });
  afterAll(async () => {
    await redis?.stop();
    await deps.close();
    await database.drop();
  });

  const taskOf = async (kind: string) => {
    const task = (await listTasks(deps, tenantId, by)).find((one) => one.kind === kind);
    if (!task) throw new Error(`no task ${kind}`);
    return task;
  };
  const runsOf = (taskId: Id<"task">) =>
    deps.db.select().from(taskRuns).where(eq(taskRuns.taskId, taskId)).orderBy(taskRuns.id);

  it(
    "are caught up once by two workers that start at the same time, after none was there for hours",
    async () => {
      await addBuiltInTasks(deps, addSeconds(deps.clock.now(), -3 * 3600));
      const hourly = await deps.db
        .select()
        .from(scheduledTasks)
        .where(sql`cron ~ '^[0-9]+ [*] [*] [*] [*]$'`);
      expect(hourly.length).toBeGreaterThan(8);
      const ids = hourly.map(({ id }) => id);
      workers.start();
      workers.start();
      const ofHourly = inArray(taskRuns.taskId, ids);
      await eventually(
        "a run of each",
        async () =>
          (await deps.db.$count(taskRuns, and(ofHourly, eq(taskRuns.outcome, "succeeded")))) >= ids.length,
        PATIENCE_MS,
      );
      const runs = await deps.db.select().from(taskRuns).where(ofHourly);
      for (const { id } of hourly) {
        const told = runs.filter(({ taskId }) => taskId === id);
        const done = told.filter(({ outcome }) => outcome !== "missed");
        const moments = done.map(({ dueAt }) => dueAt.getTime());
        expect(new Set(moments).size).toBe(moments.length);
        // Three hours have three such moments, and a fourth one when it comes while the test runs.
        const missed = told.flatMap(({ outcome, counts }) => (outcome === "missed" ? counts["moments"] : []));
        expect(missed).toHaveLength(1);
        expect([3, 4]).toContain((missed[0] ?? 0) + done.length);
      }
      await eventually("an empty outbox", async () => (await deps.db.$count(outbox)) === 0);
    },
    2 * PATIENCE_MS,
  );

  it(
    "are lost with a worker that is killed in the middle, and begun again by another one",
    async () => {
      await scheduleDueTasks(deps);
      const task = await taskOf("challenge_clean_up");
      const release = Promise.withResolvers<void>();
      const held = Promise.withResolvers<void>();
      // The clean-up waits for this lock: so it is killed while it works.
      const holding = deps.db.transaction(async (tx) => {
        await tx.execute(sql`set local idle_in_transaction_session_timeout = 0`);
        await tx.execute(sql`lock table ${challenges} in access exclusive mode`);
        held.resolve();
        await release.promise;
      });
      await held.promise;
      const asked = await runTask(deps, tenantId, task.id, by);
      const first = workers.start();
      const stateOf = async () => (await runsOf(task.id)).map(({ outcome }) => outcome);
      await eventually("a run that goes on", async () => (await stateOf()).includes("running"), PATIENCE_MS);
      await workers.kill(first);
      release.resolve();
      await holding;

      const setLease = (seconds: number) =>
        deps.db
          .update(taskRuns)
          .set({ leaseUntil: sql`now() + ${seconds} * interval '1 second'` })
          .where(eq(taskRuns.id, asked.id));
      // Another worker leaves it alone for as long as the first one might live.
      await setLease(3600);
      await scheduleDueTasks(deps);
      expect(await stateOf()).toEqual(["running"]);
      await setLease(-1);
      workers.start();
      await eventually(
        "the second attempt",
        async () => (await stateOf()).includes("succeeded"),
        PATIENCE_MS,
      );
      // Its own moment may come while the test runs, too.
      const ofTask = and(eq(taskRuns.taskId, task.id), inArray(taskRuns.trigger, ["manual", "retry"]));
      const runs = await deps.db.select().from(taskRuns).where(ofTask).orderBy(taskRuns.id);
      expect(runs).toMatchObject([
        { id: asked.id, outcome: "lost", trigger: "manual", attempt: 1 },
        { outcome: "succeeded", trigger: "retry", attempt: 2, counts: { challenges: 0 } },
      ]);
    },
    3 * PATIENCE_MS,
  );
});
