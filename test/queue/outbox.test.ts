import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { closeDatabase, connectDatabase, type Database } from "../../src/db/client.ts";
import { outbox } from "../../src/db/schema/index.ts";
import type { Id } from "../../src/lib/ids.ts";
import { claimOutboxRows, enqueue, outboxBacklog } from "../../src/queue/outbox.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { insertTestTenant } from "../support/queue.ts";

let database: TestDatabase;
let db: Database;
let tenantId: Id<"tenant">;

beforeAll(async () => {
  database = await createTestDatabase();
  db = connectDatabase(database.url, { max: 4, applicationName: "test" });
  tenantId = await insertTestTenant(db);
});
afterAll(async () => {
  await closeDatabase(db);
  await database.drop();
});
beforeEach(async () => {
  await db.delete(outbox);
});

const now = new Date("2026-01-02T03:04:05Z");
const job = { queue: "email", name: "welcome", payload: { user_id: "u", email_id: "e" }, now } as const;
const write = (executor: Parameters<typeof enqueue>[0]) => enqueue(executor, { ...job, tenantId });

describe("the outbox", () => {
  it("forgets the jobs of a transaction that is rolled back", async () => {
    const failing = db.transaction(async (tx) => {
      await write(tx);
      throw new Error("rolled back");
    });
    await expect(failing).rejects.toThrow("rolled back");
    expect(await db.$count(outbox)).toBe(0);
  });

  it("hands out the oldest rows first, and each once", async () => {
    const ids = [await write(db), await write(db), await write(db)];
    const first = await claimOutboxRows(db, 2);
    const second = await claimOutboxRows(db, 2);
    expect(first.map((row) => row.id)).toEqual(ids.slice(0, 2));
    expect(second.map((row) => row.id)).toEqual(ids.slice(2));
    expect(first[0]).toMatchObject({ tenantId, queue: "email", name: "welcome", payload: job.payload });
  });

  it("passes over rows that another relay holds", async () => {
    await write(db);
    await db.transaction(async (tx) => {
      expect(await claimOutboxRows(tx, 10)).toHaveLength(1);
      expect(await claimOutboxRows(db, 10)).toHaveLength(0);
    });
  });

  it("leaves jobs of queues that this build does not know", async () => {
    await write(db);
    await db.update(outbox).set({ queue: "of_a_newer_build" });
    expect(await claimOutboxRows(db, 10)).toHaveLength(0);
    expect(await db.$count(outbox)).toBe(1);
  });

  it("counts what waits and says since when", async () => {
    expect(await outboxBacklog(db)).toEqual({ jobs: 0, oldest: undefined });
    await write(db);
    await enqueue(db, { ...job, tenantId, now: new Date("2026-02-02T00:00:00Z") });
    expect(await outboxBacklog(db)).toEqual({ jobs: 2, oldest: now });
  });
});
