/** What a process does about a database that goes away and comes back. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import type { Socket } from "node:net";
import { createCaches } from "../../src/db/caches.ts";
import { closeDatabase, connectDatabase, isDatabaseUnavailable } from "../../src/db/client.ts";
import { newId } from "../../src/lib/ids.ts";
import { createLogger } from "../../src/lib/log.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { openGate } from "../support/gate.ts";
import { until } from "../support/scratch.ts";

const POOL = 8;
const tenant = newId("tenant");
const log = createLogger({ level: "silent", name: "test" });

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** What PostgreSQL says while it recovers. */
function sayStarting(socket: Socket): void {
  const fields = Buffer.from("SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0");
  const head = Buffer.from("E\0\0\0\0");
  head.writeInt32BE(fields.length + 4, 1);
  socket.once("data", () => socket.end(Buffer.concat([head, fields])));
}

describe.each([
  ["of which only a proxy answers", (socket: Socket) => void socket.end()],
  ["that is starting", sayStarting],
])("a database %s", (_, how) => {
  it("fails requests at once, as one that is away", async () => {
    await using gate = await openGate(database.url);
    gate.close(how);
    const db = connectDatabase(gate.url, { max: 2, applicationName: "test" });
    const asked = await Promise.allSettled([
      db.$client`select 1`,
      db.transaction(async (tx) => tx.execute("select 1")),
    ]);
    expect(asked.map((one) => one.status === "rejected" && isDatabaseUnavailable(one.reason))).toEqual([
      true,
      true,
    ]);
    await closeDatabase(db);
  });

  it("is not tried without a pause by what listens to it", async () => {
    await using gate = await openGate(database.url);
    const db = connectDatabase(gate.url, { max: 1, applicationName: "test" });
    const stop = await createCaches().listen(db, log);
    gate.close(how);
    await until("it was tried in vain", () => gate.refused() >= 2, 20_000);
    const begun = performance.now();
    await until("it was tried again and again", () => gate.refused() >= 9, 20_000);
    expect(performance.now() - begun).toBeGreaterThan(500);
    gate.open();
    await stop();
    await closeDatabase(db);
  }, 60_000);
});

describe("a database that is back", () => {
  it("is asked again within moments, and listened to, however often it was tried in vain", async () => {
    await using gate = await openGate(database.url);
    const db = connectDatabase(gate.url, { max: POOL, applicationName: "test" });
    const caches = createCaches();
    const things = caches.named<{ n: number }>("things", ["things"]);
    const stop = await caches.listen(db, log);
    await db.$client`select 1`;
    await things.get(tenant, "a", async () => ({ n: 1 }));
    gate.close((socket) => socket.resetAndDestroy());
    // Each connection of the pool and the one that listens fails several times; the driver by itself would rest 10 s and more.
    let over = false;
    const asking = Array.from({ length: POOL }, async () => {
      while (!over) await db.$client`select 1`.then(() => (over = true)).catch(() => Bun.sleep(1));
    });
    await until("it was tried in vain", () => gate.refused() >= 4 * (POOL + 1), 25_000);
    gate.open();
    await Promise.all(asking);
    await until("the process has forgotten what it knew", () => !things.peek(tenant, "a"), 20_000);
    await stop();
    await closeDatabase(db);
  }, 60_000);
});
