import { afterAll, afterEach, beforeAll, describe, expect, it, spyOn } from "bun:test";
import { inArray } from "drizzle-orm";
import { closeDatabase, connectDatabase, type Database } from "../../../src/db/client.ts";
import { auditEvents } from "../../../src/db/schema/index.ts";
import { createAuditBuffer } from "../../../src/domain/audit/buffer.ts";
import { toRow } from "../../../src/domain/audit/service.ts";
import { createLogger } from "../../../src/lib/log.ts";
import { newId } from "../../../src/lib/ids.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { until } from "../../support/scratch.ts";

let database: TestDatabase;
let db: Database;
/** Statements that wrote audit events: one a batch. */
let batches: number[] = [];
const log = createLogger({ level: "silent", name: "test" });
const tenantId = newId("tenant");

beforeAll(async () => {
  database = await createTestDatabase();
  db = connectDatabase(database.url, { max: 2, applicationName: "test" });
  await db.$client.unsafe(`
    create table batches (rows integer not null);
    create function count_batch() returns trigger language plpgsql as $$
      begin insert into batches select count(*) from added; return null; end $$;
    create trigger count_batch after insert on audit_events referencing new table as added
      for each statement execute function count_batch();`);
});
afterAll(async () => {
  await closeDatabase(db);
  await database.drop();
});
afterEach(async () => {
  await db.$client`truncate batches`;
});

const row = (number: number) =>
  toRow({
    tenantId,
    type: "token.issued",
    actor: { type: "system" },
    details: { number },
    context: { requestId: `r-${number}`, ip: undefined, userAgent: undefined },
    now: new Date("2026-01-02T03:04:05Z"),
  });
const written = () => db.$count(auditEvents);
async function readBatches(): Promise<number[]> {
  batches = (await db.$client`select rows from batches`).map(({ rows }) => Number(rows));
  return batches.toSorted((a, b) => b - a);
}

describe("the audit buffer", () => {
  it("writes what came within moments in one batch, by itself", async () => {
    const before = await written();
    const buffer = createAuditBuffer(db, log);
    for (let number = 0; number < 20; number++) buffer.add(row(number));
    expect(await written()).toBe(before);
    await until("the rows were written", async () => (await written()) === before + 20, 2000);
    expect(await readBatches()).toEqual([20]);
    await buffer.close();
  });

  it("writes each field as it is, whatever it holds", async () => {
    const awkward = `a "quoted", {braced} \\ NULL é 🙂\n`;
    const full = toRow({
      tenantId,
      type: "token.issued",
      actor: { type: "client", id: newId("client") },
      target: { type: "user", id: newId("user") },
      details: { awkward, nested: { list: [1, null, awkward] } },
      context: { requestId: "r-full", ip: "2001:db8::1", userAgent: awkward },
      now: new Date("2026-01-02T03:04:05.678Z"),
    });
    const buffer = createAuditBuffer(db, log);
    buffer.add(full);
    buffer.add(row(7));
    await buffer.close();
    const stored = await db
      .select()
      .from(auditEvents)
      .where(inArray(auditEvents.requestId, ["r-full", "r-7"]));
    const { seq: _, ...first } = stored.find(({ id }) => id === full.id) ?? {};
    expect(first).toEqual(full);
    expect(stored.find(({ requestId }) => requestId === "r-7")).toMatchObject({
      userAgent: null,
      targetId: null,
    });
  });

  it("writes at most 500 rows at once, and all of them by the time it is closed", async () => {
    const before = await written();
    const buffer = createAuditBuffer(db, log);
    for (let number = 0; number < 1201; number++) buffer.add(row(number));
    await buffer.close();
    expect(await written()).toBe(before + 1201);
    expect(Math.max(...(await readBatches()))).toBe(500);
  });

  it("keeps its rows while the database refuses them, each written once afterwards", async () => {
    const before = await written();
    const buffer = createAuditBuffer(db, log);
    await db.$client`alter table audit_events rename to audit_events_away`;
    buffer.add(row(1));
    buffer.add(row(2));
    await buffer.flush();
    buffer.add(row(3));
    await buffer.flush();
    await db.$client`alter table audit_events_away rename to audit_events`;
    await buffer.flush();
    const rows = await db.select().from(auditEvents).orderBy(auditEvents.id);
    expect(rows.length).toBe(before + 3);
    expect(rows.slice(-3).map(({ requestId }) => requestId)).toEqual(["r-1", "r-2", "r-3"]);
    // And goes on as before, by itself.
    buffer.add(row(4));
    await until("the next row was written", async () => (await written()) === before + 4, 10_000);
    await buffer.close();
  });

  it("writes what a statement had written whose answer was lost once, and goes on", async () => {
    const before = await written();
    const [first, second] = [row(1), row(2)];
    const fatal = spyOn(log, "fatal");
    const buffer = createAuditBuffer(db, log);
    await db.$client`alter table audit_events rename to audit_events_away`;
    buffer.add(first);
    await buffer.flush();
    await db.$client`alter table audit_events_away rename to audit_events`;
    // It was committed all the same.
    const unheard = createAuditBuffer(db, log);
    unheard.add(first);
    await unheard.close();
    buffer.add(second);
    await buffer.flush();
    expect(await written()).toBe(before + 2);
    expect(fatal).not.toHaveBeenCalled();
    fatal.mockRestore();
    await buffer.close();
  });

  it("keeps nothing waiting for a row that can never be written, and logs that one", async () => {
    const before = await written();
    const fatal = spyOn(log, "fatal");
    const buffer = createAuditBuffer(db, log);
    const hopeless = { ...row(300), details: { scope: "no\0text" } };
    for (let number = 0; number < 700; number++) buffer.add(number === 300 ? hopeless : row(number));
    await buffer.close();
    expect(await written()).toBe(before + 699);
    expect(fatal.mock.calls).toEqual([
      [{ err: expect.any(Error), dropped: [hopeless] }, "audit event refused"],
    ]);
    fatal.mockRestore();
  });

  it("tries no more often for what comes while the database refuses, and writes it with the rest", async () => {
    const before = await written();
    const failed = spyOn(log, "error");
    const buffer = createAuditBuffer(db, log);
    await db.$client`alter table audit_events rename to audit_events_away`;
    buffer.add(row(0));
    await buffer.flush();
    for (let number = 1; number < 1500; number++) buffer.add(row(number));
    await buffer.flush();
    expect(failed).toHaveBeenCalledTimes(2);
    await db.$client`alter table audit_events_away rename to audit_events`;
    await buffer.flush();
    expect(await written()).toBe(before + 1500);
    failed.mockRestore();
    await buffer.close();
  });

  it("logs what it could not write by the time it is closed, and of too many the oldest", async () => {
    const before = await written();
    const fatal = spyOn(log, "fatal");
    const buffer = createAuditBuffer(db, log);
    await db.$client`alter table audit_events rename to audit_events_away`;
    const rows = Array.from({ length: 50_501 }, (_, number) => row(number));
    for (const one of rows) buffer.add(one);
    await buffer.close();
    await db.$client`alter table audit_events_away rename to audit_events`;
    expect(await written()).toBe(before);
    const dropped = fatal.mock.calls.flatMap(([entry]) => ("dropped" in Object(entry) ? [entry] : []));
    expect(dropped.map((entry) => Object(entry).dropped.length)).toEqual([500, 50_001]);
    expect(dropped.flatMap((entry) => Object(entry).dropped)).toEqual(rows);
    fatal.mockRestore();
  });

  it("flushes nothing without an error, however often", async () => {
    const buffer = createAuditBuffer(db, log);
    await Promise.all([buffer.flush(), buffer.flush(), buffer.close()]);
    expect(await readBatches()).toEqual([]);
  });
});
