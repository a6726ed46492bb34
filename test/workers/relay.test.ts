import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { closeDatabase, connectDatabase, type Database } from "../../src/db/client.ts";
import { outbox } from "../../src/db/schema/index.ts";
import type { Id } from "../../src/lib/ids.ts";
import { createLogger } from "../../src/lib/log.ts";
import { enqueue } from "../../src/queue/outbox.ts";
import { type AddJobs, relayBatch, startRelay } from "../../workers/relay.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { eventually, insertTestTenant } from "../support/queue.ts";

const log = createLogger({ level: "silent", name: "test" });
let database: TestDatabase;
let db: Database;
let tenantId: Id<"tenant">;

beforeAll(async () => {
  database = await createTestDatabase();
  db = connectDatabase(database.url, { max: 6, applicationName: "test" });
  tenantId = await insertTestTenant(db);
});
// Closing a pool whose connections were cut can take its whole 5 s.
afterAll(async () => {
  await closeDatabase(db);
  await database.drop();
}, 20_000);
beforeEach(async () => {
  await db.delete(outbox);
});

const payload = { user_id: "u", email_id: "e" };
const write = () =>
  enqueue(db, { tenantId, queue: "email", name: "welcome", payload, now: new Date("2026-01-02T03:04:05Z") });

/** A queue that remembers what it was given. */
function recordingQueue() {
  const ids: string[] = [];
  const add: AddJobs = async (_queue, jobs) => void ids.push(...jobs.map(({ id }) => id));
  return { ids, add };
}

describe("relayBatch", () => {
  it("puts rows on the queue under ids made of theirs, and removes them", async () => {
    const id = await write();
    const given: unknown[] = [];
    const moved = await relayBatch(db, async (queue, jobs) => void given.push({ queue, jobs }));
    expect(moved).toBe(1);
    expect(given).toEqual([
      { queue: "email", jobs: [{ id: `outbox-${id}`, name: "welcome", data: { tenantId, payload } }] },
    ]);
    expect(await db.$count(outbox)).toBe(0);
  });

  it("keeps the rows when the queue refuses them", async () => {
    await write();
    const failing = relayBatch(db, async () => {
      throw new Error("the queue is away");
    });
    await expect(failing).rejects.toThrow("the queue is away");
    expect(await db.$count(outbox)).toBe(1);
  });

  it("adds the same ids again when it died between adding and deleting", async () => {
    const id = await write();
    const queue = recordingQueue();
    const dying = relayBatch(db, async (name, jobs) => {
      await queue.add(name, jobs);
      throw new Error("killed");
    });
    await expect(dying).rejects.toThrow("killed");
    await relayBatch(db, queue.add);
    expect(queue.ids).toEqual([`outbox-${id}`, `outbox-${id}`]);
    expect(await db.$count(outbox)).toBe(0);
  });
});

describe("the relay", () => {
  it("is woken by a row that is written", async () => {
    const queue = recordingQueue();
    const relay = await startRelay(db, queue.add, log);
    // It is idle once it has found the outbox empty; polling alone would take 2 s from then.
    await eventually("the first row", async () => {
      if (queue.ids.length === 0 && (await db.$count(outbox)) === 0) await write();
      return queue.ids.length > 0;
    });
    // On a busy machine one may take as long as polling does, but not each of several.
    const delaysMs: number[] = [];
    for (let rows = 1; rows <= 5; rows++) {
      const begun = performance.now();
      await write();
      await eventually("the row", () => queue.ids.length > rows);
      delaysMs.push(performance.now() - begun);
    }
    expect(Math.min(...delaysMs)).toBeLessThan(1500);
    await relay.stop();
  });

  it("shares the work with another relay without doing any of it twice", async () => {
    const ids = await Promise.all(Array.from({ length: 500 }, write));
    const queue = recordingQueue();
    const relays = await Promise.all([startRelay(db, queue.add, log), startRelay(db, queue.add, log)]);
    await eventually("an empty outbox", async () => (await db.$count(outbox)) === 0);
    await Promise.all(relays.map((relay) => relay.stop()));
    expect(queue.ids.toSorted()).toEqual(ids.map((id) => `outbox-${id}`).toSorted());
  });

  it("goes on after the queue was away", async () => {
    const queue = recordingQueue();
    let failures = 2;
    const relay = await startRelay(
      db,
      async (name, jobs) => {
        if (failures-- > 0) throw new Error("the queue is away");
        await queue.add(name, jobs);
      },
      log,
    );
    const id = await write();
    await eventually("the row", () => queue.ids.length > 0);
    expect(queue.ids).toEqual([`outbox-${id}`]);
    await relay.stop();
  });

  it("goes on, and still listens, after the database closed its connections", async () => {
    const queue = recordingQueue();
    const relay = await startRelay(db, queue.add, log);
    const other = connectDatabase(database.url, { max: 1, applicationName: "test" });
    await other.execute(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    );
    await closeDatabase(other);
    const id = await eventually("the database", () => write().catch(() => undefined));
    await eventually("the row", () => queue.ids.length > 0);
    expect(queue.ids).toEqual([`outbox-${id}`]);
    await relay.stop();
  });
});
