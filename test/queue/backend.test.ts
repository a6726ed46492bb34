import { afterEach, beforeEach, describe, expect, it } from "bun:test";
import postgres from "postgres";
import { createLogger } from "../../src/lib/log.ts";
import { createQueueBackend, type QueueBackend } from "../../src/queue/backend.ts";
import { PermanentJobError } from "../../src/queue/job-error.ts";
import type { QueueHandle } from "../../src/queue/queue-handle.ts";
import type { DeliveredJob, JobProcessor, WorkerHandle } from "../../src/queue/worker-handle.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { eventually, queueBackends, startTestRedis, type TestRedis } from "../support/queue.ts";

const log = createLogger({ level: "silent", name: "test" });

const newJob = (id: string) => ({ id, name: "welcome", data: { tenantId: "tenant_1", payload: { n: 1 } } });

describe.each(queueBackends)("the queue on %s", (kind) => {
  let database: TestDatabase;
  let redis: TestRedis | undefined;
  let backend: QueueBackend;
  let queue: QueueHandle;
  const workers: WorkerHandle[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
    redis = kind === "Redis" ? await startTestRedis() : undefined;
    backend = createQueueBackend({ databaseUrl: database.url, redisUrl: redis?.url }, log);
    queue = await backend.openQueue("email");
  });
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.stop(0);
    await backend.close();
    await redis?.stop();
    await database.drop();
  });

  const work = (process: JobProcessor, concurrency = 1) => {
    const worker = backend.openWorker("email", process, { concurrency });
    workers.push(worker);
    return worker;
  };

  it("delivers a job with its id, name, data and attempt", async () => {
    const delivered: DeliveredJob[] = [];
    work(async (job) => void delivered.push(job));
    await queue.add([newJob("outbox-1a")]);
    await eventually("the job", () => delivered.length > 0);
    expect(delivered).toEqual([{ ...newJob("outbox-1a"), attempt: 1 }]);
  });

  it("does not add a job again whose id it knows", async () => {
    await queue.add([newJob("outbox-1a")]);
    await queue.add([newJob("outbox-1a"), newJob("outbox-2b")]);
    expect(await queue.count("waiting")).toBe(2);
    const delivered: string[] = [];
    work(async ({ id }) => void delivered.push(id));
    await eventually("both jobs", async () => (await queue.count("completed")) === 2);
    await queue.add([newJob("outbox-1a")]);
    expect(await queue.count("waiting")).toBe(0);
    expect(delivered.toSorted()).toEqual(["outbox-1a", "outbox-2b"]);
  });

  it("tries a failed job again after a pause, until it succeeds", async () => {
    const attempts: { attempt: number; at: number }[] = [];
    work(async ({ attempt }) => {
      attempts.push({ attempt, at: performance.now() });
      if (attempt === 1) throw new Error("not yet");
    });
    await queue.add([newJob("outbox-1a")]);
    await eventually("the second attempt", async () => (await queue.count("completed")) === 1);
    expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2]);
    // 3 s, less up to half of it at random.
    expect((attempts[1]?.at ?? 0) - (attempts[0]?.at ?? 0)).toBeGreaterThan(1400);
  }, 15_000);

  it("gives up at once on a failure that is permanent", async () => {
    let attempts = 0;
    work(async () => {
      attempts++;
      throw new PermanentJobError("never: ask ada@example.com");
    });
    await queue.add([newJob("outbox-1a")]);
    await eventually("the failed job", async () => (await queue.count("failed")) === 1);
    expect(attempts).toBe(1);
    expect(await queue.list("failed", 10)).toMatchObject([
      {
        id: "outbox-1a",
        queue: "email",
        name: "welcome",
        tenantId: "tenant_1",
        attemptsMade: 1,
        failedReason: "never: ask [address]",
      },
    ]);
  });

  it("lists failed jobs, and lets one or all of them begin again", async () => {
    let broken = true;
    const done: string[] = [];
    work(async ({ id }) => {
      if (broken) throw new PermanentJobError("broken");
      done.push(id);
    });
    await queue.add(["outbox-1a", "outbox-2b", "outbox-3c"].map(newJob));
    await eventually("three failures", async () => (await queue.count("failed")) === 3);
    expect(await queue.list("failed", 2)).toHaveLength(2);
    broken = false;
    expect(await queue.retry("outbox-2b")).toBe("retried");
    await eventually("the one", () => done.length === 1);
    expect(await queue.retryFailed()).toBe(2);
    await eventually("the others", () => done.length === 3);
    expect(done[0]).toBe("outbox-2b");
    await eventually("them to be completed", async () => (await queue.count("completed")) === 3);
    expect(await queue.retry("outbox-2b")).toBe("not_failed");
    expect(await queue.retry("outbox-9z")).toBe("unknown");
  });

  it("waits for a running job when it stops, and takes no other", async () => {
    const entered = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const events: string[] = [];
    const worker = work(async ({ id }) => {
      entered.resolve();
      await release.promise;
      events.push(id);
    });
    await queue.add([newJob("outbox-1a"), newJob("outbox-2b")]);
    await entered.promise;
    const stopping = worker.stop(10_000).finally(() => events.push("stopped"));
    // More round trips than stopping needs when it waits for nothing.
    for (let trips = 0; trips < 50; trips++) expect(await queue.count("active")).toBe(1);
    release.resolve();
    await stopping;
    expect(events).toEqual(["outbox-1a", "stopped"]);
    expect(await queue.count("completed")).toBe(1);
    expect(await queue.count("waiting")).toBe(1);
  });

  it("leaves a job that does not end in time to another worker", async () => {
    const entered = Promise.withResolvers<void>();
    const never = Promise.withResolvers<void>();
    const worker = work(async () => {
      entered.resolve();
      await never.promise;
    });
    await queue.add([newJob("outbox-1a")]);
    await entered.promise;
    const begun = performance.now();
    await worker.stop(50);
    expect(performance.now() - begun).toBeLessThan(10_000);
    // Still marked as taken: once its lock has run out, somebody else does it.
    expect(await queue.count("active")).toBe(1);
  });

  it("keeps one schedule however many processes ask for it", async () => {
    const job = { name: "welcome", data: { tenantId: null, payload: {} } };
    await queue.schedule("email.test", "17 * * * *", job);
    await queue.schedule("email.test", "17 * * * *", job);
    expect(await queue.count("delayed")).toBe(1);
    const [scheduled] = await queue.list("delayed", 10);
    expect(scheduled).toMatchObject({ name: "welcome", tenantId: null });
  });

  it("forgets the schedules of former versions, with what each has waiting", async () => {
    const job = (name: string) => ({ name, data: { tenantId: null, payload: {} } });
    await queue.schedule("email.former", "17 * * * *", job("former"));
    await queue.schedule("email.kept", "18 * * * *", job("kept"));
    await queue.removeSchedulesExcept(["email.kept"]);
    expect((await queue.list("delayed", 10)).map(({ name }) => name)).toEqual(["kept"]);
    await queue.removeSchedulesExcept(["email.kept"]);
    expect(await queue.count("delayed")).toBe(1);
  });
});

describe("the queue on a database that has no tables for it", () => {
  it("says how to make them", async () => {
    const database = await createTestDatabase();
    const sql = postgres(database.url, { max: 1, onnotice: () => {} });
    await sql`drop schema bullmq cascade`;
    await sql.end();
    const backend = createQueueBackend({ databaseUrl: database.url, redisUrl: undefined }, log);
    await expect(backend.openQueue("email")).rejects.toThrow("gatewright migrate");
    await backend.close();
    await database.drop();
  });
});

describe("the queue, when its server is away", () => {
  it.each([
    ["DATABASE_URL", undefined],
    ["REDIS_URL", "redis://127.0.0.1:1"],
  ])(
    "says that %s is to be looked at",
    async (variable, redisUrl) => {
      const backend = createQueueBackend({ databaseUrl: "postgres://127.0.0.1:1/x", redisUrl }, log);
      await expect(backend.openQueue("email")).rejects.toThrow(variable);
      await backend.close();
    },
    15_000,
  );
});
