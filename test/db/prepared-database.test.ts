/** Whether a start finds everything made, and so may leave out what makes it. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import postgres from "postgres";
import { bootstrap } from "../../src/bootstrap.ts";
import { loadConfig } from "../../src/config.ts";
import { isPrepared } from "../../src/db/prepared-database.ts";
import { QUEUE_MADE_BY } from "../../src/db/schema-version.ts";
import { QUEUE_SCHEMA } from "../../src/queue/queue-schema.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { freePort } from "../support/free-port.ts";

let database: TestDatabase;
let sql: postgres.Sql;
const config = () =>
  loadConfig({
    NODE_ENV: "test",
    DATABASE_URL: database.url,
    GATEWRIGHT_MASTER_KEY: `1:${Buffer.alloc(32, 7).toString("base64")}`,
  });
beforeAll(async () => {
  database = await createTestDatabase();
  sql = postgres(database.url, { max: 1, onnotice: () => {} });
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

describe("A database is prepared", () => {
  it("when it is migrated and has its default tenant", async () => {
    expect(await isPrepared(config())).toBe(false);
    await bootstrap(config());
    expect(await isPrepared(config())).toBe(true);
  });

  it("not with an older build's schema, nor with a newer one's", async () => {
    const [newest] = await sql`select max(created_at) as at from drizzle.__drizzle_migrations`;
    const set = (to: string) =>
      sql`update drizzle.__drizzle_migrations set created_at = ${to}
          where created_at = (select max(created_at) from drizzle.__drizzle_migrations)`;
    const at = String(newest?.["at"]);
    for (const other of ["1795320280408", "99999999999999"]) {
      await set(other);
      expect([other, await isPrepared(config())]).toEqual([other, false]);
    }
    await set(at);
    expect(await isPrepared(config())).toBe(true);
  });

  it("not when another build's library made the queue, unless that is kept in Redis", async () => {
    await sql.unsafe(`comment on schema "${QUEUE_SCHEMA}" is 'bullmq 0.0.1'`);
    expect(await isPrepared(config())).toBe(false);
    expect(await isPrepared({ ...config(), redisUrl: "redis://127.0.0.1" })).toBe(true);
    await sql.unsafe(`comment on schema "${QUEUE_SCHEMA}" is '${QUEUE_MADE_BY}'`);
    expect(await isPrepared(config())).toBe(true);
  });

  it("not when it cannot be asked", async () => {
    const url = `postgres://gatewright:wrong@127.0.0.1:${freePort()}/gatewright`;
    expect(await isPrepared({ ...config(), databaseUrl: url })).toBe(false);
  });
});
