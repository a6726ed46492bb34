import { afterAll, afterEach, beforeAll, describe, expect, it } from "bun:test";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { closeDatabase, connectDatabase, type Database } from "../../src/db/client.ts";
import { mailboxMessages, outbox } from "../../src/db/schema/index.ts";
import type { Id } from "../../src/lib/ids.ts";
import { enqueue } from "../../src/queue/outbox.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  eventually,
  insertTestTenant,
  insertTestUsers,
  queueBackends,
  startTestRedis,
  type TestRedis,
  testMasterKey,
} from "../support/queue.ts";

const REGISTRATIONS = 1000;
const cli = join(import.meta.dir, "../../src/cli.ts");

describe.each(queueBackends)("a worker killed with kill -9, queue on %s", (backend) => {
  let database: TestDatabase;
  let db: Database;
  let redis: TestRedis | undefined;
  const workers: Bun.Subprocess[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    db = connectDatabase(database.url, { max: 4, applicationName: "test" });
    redis = backend === "Redis" ? await startTestRedis() : undefined;
  });
  afterEach(async () => {
    for (const worker of workers.splice(0)) worker.kill("SIGKILL");
  });
  afterAll(async () => {
    await redis?.stop();
    await closeDatabase(db);
    await database.drop();
  });

  function startWorkerProcess(): Bun.Subprocess {
    const worker = Bun.spawn([process.execPath, cli, "worker"], {
      env: {
        PATH: process.env["PATH"],
        NODE_ENV: "test",
        DATABASE_URL: database.url,
        REDIS_URL: redis?.url,
        GATEWRIGHT_MASTER_KEY: testMasterKey,
        LOG_LEVEL: "silent",
      },
      stdout: "ignore",
      stderr: "inherit",
    });
    workers.push(worker);
    return worker;
  }

  async function register(tenantId: Id<"tenant">, count: number): Promise<string[]> {
    const users = await insertTestUsers(db, tenantId, count);
    await db.transaction(async (tx) => {
      for (const { userId, emailId } of users) {
        const payload = { user_id: userId, email_id: emailId };
        await enqueue(tx, { tenantId, queue: "email", name: "verify_email", payload, now: new Date() });
      }
    });
    return users.map(({ address }) => address);
  }

  const messageCount = () => db.$count(mailboxMessages);
  const killOnceBeyond = async (worker: Bun.Subprocess, messages: number) => {
    await eventually(`${messages} messages`, async () => (await messageCount()) > messages, 20_000);
    worker.kill("SIGKILL");
    await worker.exited;
  };

  it(`mails ${REGISTRATIONS} registrations exactly once each`, async () => {
    const tenantId = await insertTestTenant(db, { isDefault: true });
    const worker = startWorkerProcess();
    const addresses = await register(tenantId, 500);
    await killOnceBeyond(worker, 100);
    addresses.push(...(await register(tenantId, 300)));
    await killOnceBeyond(startWorkerProcess(), 400);
    expect(await messageCount()).toBeLessThan(addresses.length);
    startWorkerProcess();
    addresses.push(...(await register(tenantId, REGISTRATIONS - addresses.length)));

    await eventually("every message", async () => (await messageCount()) >= REGISTRATIONS, 40_000);
    await eventually("an empty outbox", async () => (await db.$count(outbox)) === 0);
    // Jobs that were done, but not yet marked so when their worker died, are delivered again: let that happen too.
    await eventually("a settled ledger", async () => {
      const [row] = await db.execute<{ open: string }>(
        sql`select count(*) as open from job_ledger where completed_at is null`,
      );
      return row?.open === "0";
    });
    const messages = await db.select({ to: mailboxMessages.to }).from(mailboxMessages);
    expect(messages.map(({ to }) => to).toSorted()).toEqual(addresses.toSorted());
  }, 90_000);
});
