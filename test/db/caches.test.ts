import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { createCaches } from "../../src/db/caches.ts";
import { closeDatabase, connectDatabase, type Database } from "../../src/db/client.ts";
import { newId, uuidFromId } from "../../src/lib/ids.ts";
import { createLogger } from "../../src/lib/log.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { until } from "../support/scratch.ts";

const tenant = newId("tenant");
const other = newId("tenant");

/** A loader that counts how often it is asked. */
function counting<Value extends object>(value: Value | undefined) {
  const loader = { calls: 0, load: () => (loader.calls++, Promise.resolve(value)) };
  return loader;
}

describe("a tenant's cache", () => {
  it("loads once, and once for requests that come together", async () => {
    const cache = createCaches().named<{ n: number }>("things", ["things"]);
    const counted = counting({ n: 1 });
    const together = await Promise.all([
      cache.get(tenant, "a", counted.load),
      cache.get(tenant, "a", counted.load),
    ]);
    await cache.get(tenant, "a", counted.load);
    expect(together).toEqual([{ n: 1 }, { n: 1 }]);
    expect(counted.calls).toBe(1);
    expect(cache.peek(tenant, "a")).toEqual({ n: 1 });
  });

  it("keeps tenants apart", async () => {
    const cache = createCaches().named<{ n: number }>("things", ["things"]);
    await cache.get(tenant, "a", counting({ n: 1 }).load);
    expect(cache.peek(other, "a")).toBeUndefined();
    expect(await cache.get(other, "a", counting({ n: 2 }).load)).toEqual({ n: 2 });
    cache.forget(tenant);
    expect(cache.peek(tenant, "a")).toBeUndefined();
    expect(cache.peek(other, "a")).toEqual({ n: 2 });
  });

  it("does not keep that there is nothing, so that what is made next is found", async () => {
    const cache = createCaches().named<{ n: number }>("things", ["things"]);
    const missing = counting<{ n: number }>(undefined);
    expect(await cache.get(tenant, "a", missing.load)).toBeUndefined();
    expect(await cache.get(tenant, "a", missing.load)).toBeUndefined();
    expect(missing.calls).toBe(2);
  });

  it("does not keep what was loaded while it changed", async () => {
    const cache = createCaches().named<{ n: number }>("things", ["things"]);
    const slow = Promise.withResolvers<{ n: number }>();
    const first = cache.get(tenant, "a", () => slow.promise);
    cache.forget(tenant);
    slow.resolve({ n: 1 });
    expect(await first).toEqual({ n: 1 });
    expect(cache.peek(tenant, "a")).toBeUndefined();
    expect(await cache.get(tenant, "a", counting({ n: 2 }).load)).toEqual({ n: 2 });
  });

  it("is not spoilt by a load that fails", async () => {
    const cache = createCaches().named<{ n: number }>("things", ["things"]);
    await expect(cache.get(tenant, "a", () => Promise.reject(new Error("away")))).rejects.toThrow("away");
    expect(await cache.get(tenant, "a", counting({ n: 1 }).load)).toEqual({ n: 1 });
  });

  it("is bounded", async () => {
    const cache = createCaches().named<{ n: number }>("things", ["things"], 2);
    for (const key of ["a", "b", "c"]) await cache.get(tenant, key, counting({ n: 1 }).load);
    expect([cache.peek(tenant, "a"), cache.peek(tenant, "c")]).toEqual([undefined, { n: 1 }]);
  });
});

describe("a change in the database", () => {
  let database: TestDatabase;
  let db: Database;
  beforeAll(async () => {
    database = await createTestDatabase();
    db = connectDatabase(database.url, { max: 3, applicationName: "test" });
  });
  afterAll(async () => {
    await closeDatabase(db);
    await database.drop();
  });

  it("empties the caches of its table, for its tenant alone, in every process", async () => {
    const log = createLogger({ level: "silent", name: "test" });
    const processes = [createCaches(), createCaches()];
    const stops = await Promise.all(processes.map((caches) => caches.listen(db, log)));
    const clients = processes.map((caches) => caches.named<{ n: number }>("clients", ["clients"]));
    const keys = processes.map((caches) => caches.named<{ n: number }>("keys", ["signing_keys"]));
    const tenants = processes.map((caches) => caches.shared<{ n: number }>("tenants", ["tenants"]));
    for (const cache of [...clients, ...keys]) {
      for (const id of [tenant, other]) await cache.get(id, "a", counting({ n: 1 }).load);
    }
    const stale = counting({ n: 1 });
    for (const cache of tenants) await cache.get("default", stale.load);

    await db.$client`select pg_notify('gatewright_cache', ${`clients:${uuidFromId("tenant", tenant)}`})`;
    await until("both processes forget the tenant's clients", () =>
      clients.every((cache) => cache.peek(tenant, "a") === undefined),
    );
    expect(clients.map((cache) => cache.peek(other, "a"))).toEqual([{ n: 1 }, { n: 1 }]);
    expect(keys.map((cache) => cache.peek(tenant, "a"))).toEqual([{ n: 1 }, { n: 1 }]);
    for (const cache of tenants) await cache.get("default", stale.load);
    expect(stale.calls).toBe(2);
    for (const stop of stops) await stop();
  });

  it("that was missed while the connection was gone counts for everything", async () => {
    const caches = createCaches();
    const clients = caches.named<{ n: number }>("clients", ["clients"]);
    const stop = await caches.listen(db, createLogger({ level: "silent", name: "test" }));
    await clients.get(tenant, "a", counting({ n: 1 }).load);
    await db.$client`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query like 'listen %' and pid <> pg_backend_pid()`;
    await until("the process listens again and has forgotten", () => clients.peek(tenant, "a") === undefined);
    await stop();
  });
});
