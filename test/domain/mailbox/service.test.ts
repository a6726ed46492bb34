import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { closeDatabase, connectDatabase, type Database } from "../../../src/db/client.ts";
import { mailboxMessages } from "../../../src/db/schema/index.ts";
import { findMessage, keepMessage, listMessages, trimMailbox } from "../../../src/domain/mailbox/service.ts";
import { addSeconds } from "../../../src/lib/clock.ts";
import { newId } from "../../../src/lib/ids.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
let db: Database;
const tenantId = newId("tenant");
const now = new Date("2026-01-02T03:04:05Z");

beforeAll(async () => {
  database = await createTestDatabase();
  db = connectDatabase(database.url, { max: 2, applicationName: "test" });
});
afterAll(async () => {
  await closeDatabase(db);
  await database.drop();
});

const keep = (jobId: string, at: Date) =>
  keepMessage(db, { tenantId, jobId, to: "ada@example.com", subject: jobId, text: "t", html: "h", now: at });

describe("the development mailbox", () => {
  it("keeps one message a job", async () => {
    await keep("outbox-1", now);
    await keep("outbox-1", addSeconds(now, 5));
    const messages = await listMessages(db, 10);
    expect(messages.map(({ subject, createdAt }) => [subject, createdAt])).toEqual([["outbox-1", now]]);
  });

  it("lists the newest first, as many as are asked for", async () => {
    await keep("outbox-3", addSeconds(now, 3));
    await keep("outbox-2", addSeconds(now, 2));
    expect((await listMessages(db, 2)).map(({ subject }) => subject)).toEqual(["outbox-3", "outbox-2"]);
  });

  it("finds one by its id", async () => {
    const [newest] = await listMessages(db, 1);
    expect(newest && (await findMessage(db, newest.id))).toEqual(newest);
    expect(await findMessage(db, newId("message"))).toBeUndefined();
  });

  it("lets go of all but the newest 1000", async () => {
    await db.insert(mailboxMessages).values(
      Array.from({ length: 1000 }, (_, index) => ({
        tenantId,
        id: newId("message"),
        jobId: `outbox-later-${index}`,
        to: "ada@example.com",
        subject: "later",
        text: "t",
        html: "h",
        createdAt: addSeconds(now, 100),
      })),
    );
    expect(await trimMailbox(db)).toBe(3);
    expect(await db.$count(mailboxMessages)).toBe(1000);
    expect((await listMessages(db, 1000)).every(({ subject }) => subject === "later")).toBe(true);
  });
});
