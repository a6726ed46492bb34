import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { closeDatabase, connectDatabase, type Database } from "../../src/db/client.ts";
import { createLogger } from "../../src/lib/log.ts";
import { createQueueBackend } from "../../src/queue/backend.ts";
import { createQueueHealth, type QueueHealth } from "../../src/queue/health.ts";
import { PermanentJobError } from "../../src/queue/job-error.ts";
import { enqueue } from "../../src/queue/outbox.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  eventually,
  insertTestTenant,
  queueBackends,
  startTestRedis,
  type TestRedis,
} from "../support/queue.ts";

const log = createLogger({ level: "silent", name: "test" });

const failing = async () => {
  throw new PermanentJobError("no");
};

describe.each(queueBackends)("the queue's health on %s", (kind) => {
  let database: TestDatabase;
  let db: Database;
  let redis: TestRedis | undefined;
  let health: QueueHealth;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = connectDatabase(database.url, { max: 4, applicationName: "test" });
    redis = kind === "Redis" ? await startTestRedis() : undefined;
    health = createQueueHealth({ redisUrl: redis?.url }, db, log);
  });
  afterAll(async () => {
    await health.close();
    await redis?.stop();
    await closeDatabase(db);
    await database.drop();
  });

  it("counts the outbox's backlog and the failed jobs", async () => {
    expect(await health.counts()).toEqual({
      outbox: 0,
      outboxOldest: undefined,
      failed: failedJobs(0),
    });
    const now = new Date("2026-01-02T03:04:05Z");
    const payload = { user_id: "u", email_id: "e" };
    await enqueue(db, {
      tenantId: await insertTestTenant(db),
      queue: "email",
      name: "welcome",
      payload,
      now,
    });

    const backend = createQueueBackend({ databaseUrl: database.url, redisUrl: redis?.url }, log);
    const queue = await backend.openQueue("email");
    const worker = backend.openWorker("email", failing, { concurrency: 1 });
    await queue.add([{ id: "outbox-1a", name: "welcome", data: { tenantId: null, payload: {} } }]);
    await eventually("the failed job", async () => (await queue.count("failed")) === 1);
    await worker.stop(1000);
    await backend.close();

    expect(await health.counts()).toEqual({
      outbox: 1,
      outboxOldest: now,
      failed: failedJobs(1),
    });
  });

  it("is ready while jobs can be queued, and not after", async () => {
    await health.check();
    if (redis) await redis.stop();
    else await db.execute("drop schema bullmq cascade");
    await expect(health.check()).rejects.toThrow();
  });
});

/** How many failed in each queue: none but these of mail. */
const failedJobs = (email: number) => ({
  email,
  sms: 0,
  accounts: 0,
  scim: 0,
  webhooks: 0,
  logout: 0,
  users: 0,
  reports: 0,
  maintenance: 0,
  tasks: 0,
});

describe("the API process", () => {
  it("does not load the queue's library", async () => {
    const script = `
      await import("${import.meta.dir}/../../src/queue/outbox.ts");
      await import("${import.meta.dir}/../../src/queue/contracts.ts");
      await import("${import.meta.dir}/../../src/queue/health.ts");
      const loaded = Object.keys(require.cache).filter((path) => path.includes("/bullmq/"));
      process.exit(loaded.length === 0 ? 0 : 1);`;
    const { exitCode } = Bun.spawnSync([process.execPath, "-e", script], { stderr: "inherit" });
    expect(exitCode).toBe(0);
  });
});
