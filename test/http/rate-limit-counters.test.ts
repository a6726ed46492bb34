/** Where requests are counted, and how often that is asked. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import postgres from "postgres";
import { connectDatabase, closeDatabase, type Database } from "../../src/db/client.ts";
import { createLimiter, type Limiter } from "../../src/http/rate-limit/limiter.ts";
import { type CounterStore, createCounterStore, withInsurance } from "../../src/http/rate-limit/store.ts";
import { createLogger } from "../../src/lib/log.ts";
import { createTestClock } from "../support/clock.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { testRedisUrl } from "../support/environment.ts";
import { testConfig } from "../support/queue.ts";

/** A store in memory that says how often it was asked. */
function countingStore(): CounterStore & { asked: number; sums: Map<string, number> } {
  const sums = new Map<string, number>();
  return {
    asked: 0,
    sums,
    async add(key, count) {
      this.asked++;
      sums.set(key, (sums.get(key) ?? 0) + count);
      await Promise.resolve();
      return sums.get(key) ?? 0;
    },
    close: async () => {},
  };
}

async function takeMany(limiters: readonly Limiter[], times: number, limit: number): Promise<number> {
  let allowed = 0;
  for (let time = 0; time < times; time++) {
    const decision = await limiters[time % limiters.length]?.take("key", limit);
    if (decision?.allowed) allowed++;
  }
  return allowed;
}

describe("one process", () => {
  it.each([1, 5, 20, 99, 100, 101, 250, 333, 1999, 60_000])(
    "lets exactly %p requests through",
    async (limit) => {
      const limiter = createLimiter(countingStore(), createTestClock());
      expect(await takeMany([limiter], limit + 10, limit)).toBe(limit);
    },
  );

  it("counts each request of a small limit in the store, and of a large one few", async () => {
    const small = countingStore();
    await takeMany([createLimiter(small, createTestClock())], 20, 20);
    expect(small.asked).toBe(20);
    const large = countingStore();
    await takeMany([createLimiter(large, createTestClock())], 6000, 60_000);
    expect(large.asked).toBe(10);
  });

  it("asks nothing more when there is nothing left, until the window ends", async () => {
    const store = countingStore();
    const clock = createTestClock();
    const limiter = createLimiter(store, clock);
    await takeMany([limiter], 500, 20);
    expect(store.asked).toBeLessThanOrEqual(21);
    clock.advance(60);
    expect(await takeMany([limiter], 30, 20)).toBe(20);
  });

  it("fetches one lot for requests that come at once", async () => {
    const store = countingStore();
    const limiter = createLimiter(store, createTestClock());
    const decisions = await Promise.all(Array.from({ length: 50 }, () => limiter.take("key", 10_000)));
    expect(decisions.every(({ allowed }) => allowed)).toBe(true);
    expect(store.asked).toBe(1);
    const remaining = decisions.map((decision) => decision.remaining);
    expect(Math.min(...remaining)).toBe(10_000 - 50);
  });

  it("counts down by one, whatever the lot", async () => {
    const limiter = createLimiter(countingStore(), createTestClock());
    const remaining: number[] = [];
    for (let time = 0; time < 5; time++) remaining.push((await limiter.take("key", 300)).remaining);
    expect(remaining).toEqual([299, 298, 297, 296, 295]);
  });

  it("keeps windows by the minutes of the clock", async () => {
    const clock = createTestClock(new Date("2030-01-01T00:00:48.500Z"));
    const limiter = createLimiter(countingStore(), clock);
    const decision = await limiter.take("key", 1);
    expect(decision).toEqual({
      allowed: true,
      limit: 1,
      remaining: 0,
      resetsAt: Date.parse("2030-01-01T00:01:00Z") / 1000,
      retryAfterSeconds: 12,
    });
  });
});

describe("several processes", () => {
  it.each([20, 100, 300, 6000])("never let more than %p through together, and hardly less", async (limit) => {
    const store = countingStore();
    const clock = createTestClock();
    const limiters = [1, 2, 3].map(() => createLimiter(store, clock));
    const allowed = await takeMany(limiters, limit * 2, limit);
    expect(allowed).toBeLessThanOrEqual(limit);
    expect(allowed).toBeGreaterThanOrEqual(limit - 2 * Math.floor(limit / 100));
  });
});

describe("a store that fails", () => {
  it("is replaced by this process's memory, which limits too, and is reported once", async () => {
    const warnings: unknown[] = [];
    let asked = 0;
    const failing = {
      consume: () => {
        asked++;
        return Promise.reject(new Error("connection refused"));
      },
    };
    const store = withInsurance(
      failing,
      async () => {},
      (error) => warnings.push(error),
    );
    const limiter = createLimiter(store, createTestClock());
    expect(await takeMany([limiter], 40, 20)).toBe(20);
    expect([asked, warnings.length]).toEqual([1, 1]);
  });

  it("that never answers holds requests up for half a second at most, and only the first", async () => {
    const silent = { consume: () => Promise.withResolvers<never>().promise };
    const store = withInsurance(
      silent,
      async () => {},
      () => {},
    );
    const started = performance.now();
    expect([await store.add("key", 1), await store.add("key", 1)]).toEqual([1, 2]);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe("PostgreSQL", () => {
  let database: TestDatabase;
  let db: Database;
  let store: CounterStore;
  const log = createLogger({ level: "silent", name: "test" });
  beforeAll(async () => {
    database = await createTestDatabase();
    db = connectDatabase(database.url, { max: 4, applicationName: "test" });
    store = createCounterStore({ config: testConfig({ DATABASE_URL: database.url }), db, log });
  });
  afterAll(async () => {
    await store.close();
    await closeDatabase(db);
    await database.drop();
  });

  it("adds up what races", async () => {
    const sums = await Promise.all(Array.from({ length: 50 }, () => store.add("racing", 2)));
    expect(sums.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, at) => (at + 1) * 2));
  });

  it("counts there, in an unlogged table of ours", async () => {
    await store.add("somewhere", 3);
    const sql = postgres(database.url, { max: 1 });
    const rows =
      await sql`select points, expire::float8 as expire from rate_limits where key = 'rl:somewhere'`;
    const [table] = await sql`select relpersistence from pg_class where relname = 'rate_limits'`;
    await sql.end();
    expect(rows[0]?.["points"]).toBe(3);
    expect(rows[0]?.["expire"]).toBeGreaterThan(Date.now() + 60_000);
    expect(table?.["relpersistence"]).toBe("u");
  });
});

describe.skipIf(!testRedisUrl)("Redis", () => {
  it("adds up what several processes count, and forgets it by itself", async () => {
    const log = createLogger({ level: "silent", name: "test" });
    const config = testConfig({
      DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
      REDIS_URL: testRedisUrl,
    });
    const db = connectDatabase(config.databaseUrl, { max: 1, applicationName: "test" });
    const stores = [1, 2].map(() => createCounterStore({ config, db, log }));
    const key = `test-${process.pid}-${Date.now()}`;
    const sums = await Promise.all(Array.from({ length: 40 }, (_, at) => stores[at % 2]?.add(key, 1)));
    expect(Math.max(...sums.map(Number))).toBe(40);
    for (const store of stores) await store.close();
    await closeDatabase(db);
  });
});
