import { afterAll, afterEach, beforeAll, describe, expect, it } from "bun:test";
import { Redis } from "ioredis";
import { SMTPServer } from "smtp-server";
import type { Config } from "../../src/config.ts";
import { closeDatabase, connectDatabase, type Database } from "../../src/db/client.ts";
import { jobLedger, outbox } from "../../src/db/schema/index.ts";
import type { Id } from "../../src/lib/ids.ts";
import { createLogger } from "../../src/lib/log.ts";
import { createQueueBackend } from "../../src/queue/backend.ts";
import { contracts } from "../../src/queue/contracts.ts";
import { enqueue } from "../../src/queue/outbox.ts";
import { startWorker } from "../../workers/main.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  eventually,
  insertTestTenant,
  insertTestUsers,
  queueBackends,
  startTestRedis,
  testConfig,
  type TestRedis,
} from "../support/queue.ts";

describe.each(queueBackends)("the worker, queue on %s", (kind) => {
  let database: TestDatabase;
  let db: Database;
  let redis: TestRedis | undefined;
  let tenantId: Id<"tenant">;
  let worker: { stop(): Promise<void> } | undefined;
  let smtp: SMTPServer;
  let config: Config;
  /** What the mail server does with a message, after it has it; the answer code, or 250. */
  let onMessage: () => Promise<number>;
  let accepted: string[];

  beforeAll(async () => {
    database = await createTestDatabase();
    db = connectDatabase(database.url, { max: 4, applicationName: "test" });
    redis = kind === "Redis" ? await startTestRedis() : undefined;
    tenantId = await insertTestTenant(db, { isDefault: true });
    const port = await listen();
    config = testConfig({
      DATABASE_URL: database.url,
      REDIS_URL: redis?.url,
      MAIL_DRIVER: "smtp",
      SMTP_URL: `smtp://127.0.0.1:${port}`,
    });
  });
  // Closing pools whose connections were cut can take their whole 5 s.
  afterEach(async () => {
    await worker?.stop();
    worker = undefined;
  }, 20_000);
  afterAll(async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    smtp.close(resolve);
    await promise;
    await redis?.stop();
    await closeDatabase(db);
    await database.drop();
  }, 20_000);

  async function listen(): Promise<number> {
    smtp = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS"],
      onData(stream, _session, done) {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", async () => {
          const responseCode = await onMessage();
          if (responseCode !== 250) return done(Object.assign(new Error("refused"), { responseCode }));
          accepted.push(/^Message-ID: <([^@]+)@/m.exec(Buffer.concat(chunks).toString())?.[1] ?? "");
          done();
        });
      },
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    const server = smtp.listen(0, "127.0.0.1", resolve);
    await promise;
    const address = server.address();
    return typeof address === "object" && address ? address.port : 0;
  }

  /** Registers somebody. @returns the id of the job that mails them. */
  async function register(): Promise<string> {
    const [user] = await insertTestUsers(db, tenantId, 1);
    if (!user) throw new Error("no user was made");
    const payload = { user_id: user.userId, email_id: user.emailId };
    return `outbox-${await enqueue(db, { tenantId, queue: "email", name: "verify_email", payload, now: new Date() })}`;
  }

  const start = async (answer: () => Promise<number>) => {
    accepted = [];
    onMessage = answer;
    worker = await startWorker(config, { stopDeadlineMs: 5000 });
    return worker;
  };

  it("mails what was registered before it started and after", async () => {
    const before = await register();
    await start(async () => 250);
    const after = await register();
    await eventually("both mails", () => accepted.length === 2);
    expect(accepted.toSorted()).toEqual([before, after].toSorted());
    // A scheduled task may be on its way just now.
    await eventually("an empty outbox", async () => (await db.$count(outbox)) === 0);
  });

  it("tries again when the mail server answers 451, and then mails once", async () => {
    let answers = 0;
    await start(async () => (++answers === 1 ? 451 : 250));
    const id = await register();
    await eventually("the mail", () => accepted.length === 1);
    expect(accepted).toEqual([id]);
    expect(answers).toBe(2);
    const [row] = (await db.select().from(jobLedger)).filter(({ jobId }) => jobId === id);
    expect(row?.attempts).toBe(2);
  }, 20_000);

  it("finishes the mail it is sending before it stops", async () => {
    const entered = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const running = await start(async () => {
      entered.resolve();
      await release.promise;
      return 250;
    });
    const id = await register();
    await entered.promise;
    const stopping = running.stop();
    release.resolve();
    await stopping;
    worker = undefined;
    expect(accepted).toEqual([id]);
    await eventually("the ledger", async () =>
      (await db.select().from(jobLedger)).some(
        ({ jobId, completedAt }) => jobId === id && completedAt !== null,
      ),
    );
  });

  it("goes on after every connection to the queue and the database was cut", async () => {
    await start(async () => 250);
    const first = await register();
    await eventually("the first mail", () => accepted.length === 1);
    await cutConnections();
    const second = await eventually("the database", () => register().catch(() => undefined));
    await eventually("the second mail", () => accepted.length === 2);
    expect(accepted).toEqual([first, second]);
  }, 25_000);

  async function cutConnections(): Promise<void> {
    const other = connectDatabase(database.url, { max: 1, applicationName: "test" });
    await other.execute(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    );
    await closeDatabase(other);
    if (!redis) return;
    const connection = new Redis(redis.url);
    await connection.call("CLIENT", "KILL", "TYPE", "normal");
    connection.disconnect();
  }

  it("schedules each task of maintenance once", async () => {
    await start(async () => 250);
    const backend = createQueueBackend(config, createLogger({ level: "silent", name: "test" }));
    const maintenance = await backend.openQueue("maintenance");
    // One that is due is on its way to a worker, and its successor is there already.
    const scheduled = await eventually("one of each", async () => {
      const jobs = await maintenance.list("delayed", 10);
      const names = jobs.map(({ name }) => name).toSorted();
      return Bun.deepEquals(names, Object.keys(contracts.maintenance).toSorted()) && jobs;
    });
    expect(scheduled.map(({ tenantId }) => tenantId)).toEqual(scheduled.map(() => null));
    await backend.close();
  });
});
