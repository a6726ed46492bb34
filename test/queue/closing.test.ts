import { afterAll, beforeAll, describe, expect, it, spyOn } from "bun:test";
import pg from "pg";
import { createLogger } from "../../src/lib/log.ts";
import { createQueueBackend } from "../../src/queue/backend.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { eventually } from "../support/queue.ts";

const log = createLogger({ level: "silent", name: "test" });

/** Ends every connection to the database from a process of its own: this one hears of it when it next looks. */
const endConnections = `
  import postgres from "postgres";
  const sql = postgres(process.env.DATABASE_URL, { max: 1 });
  await sql\`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()\`;
  await sql.end();`;

/** An error event that nobody listens to would end a worker's process, and here the test. */
describe("the queue on PostgreSQL, closed while the server ends its connections", () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await database.drop();
  });

  it("takes the server's word that a connection is ended which it was ending itself", async () => {
    const backend = createQueueBackend({ databaseUrl: database.url, redisUrl: undefined }, log);
    const queue = await backend.openQueue("email");
    const worker = backend.openWorker("email", async () => {}, { concurrency: 1 });
    await queue.add([{ id: "outbox-1a", name: "welcome", data: { tenantId: null, payload: {} } }]);
    await eventually("the job", async () => (await queue.count("completed")) === 1);

    const goodbye = pg.Connection.prototype.end;
    let goodbyes = 0;
    using _ = spyOn(pg.Connection.prototype, "end").mockImplementation(function (this: pg.Connection) {
      if (goodbyes++ === 0) {
        const env = { ...process.env, DATABASE_URL: database.url };
        const { exitCode } = Bun.spawnSync([process.execPath, "-e", endConnections], {
          env,
          cwd: import.meta.dir,
        });
        expect(exitCode).toBe(0);
      }
      goodbye.call(this);
    });
    await worker.stop(5000);
    await backend.close();
    expect(goodbyes).toBeGreaterThan(0);
  }, 30_000);
});
