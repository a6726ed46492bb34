/** Where requests are counted for all processes together: Redis where there is one, else PostgreSQL. */
import { RateLimiterMemory, RateLimiterPostgres, RateLimiterRedis } from "rate-limiter-flexible";
import type { Database } from "../../db/client.ts";
import { libraryClient } from "../../db/library-client.ts";
import type { Deps } from "../../deps.ts";

export interface CounterStore {
  /**
   * Adds to a counter, which is forgotten some time after its window.
   * @returns the sum
   */
  add(key: string, count: number): Promise<number>;
  close(): Promise<void>;
}

/**
 * The library judges no limit here, it only counts: limits differ by tenant. A counter's key holds its window, so how long
 * the counter is kept is a matter of cleaning up, and only has to be longer than a window.
 */
const counters = { points: Number.MAX_SAFE_INTEGER, duration: 120, keyPrefix: "rl" };

/** A store that takes longer than this is as good as none. */
const DEADLINE_MS = 500;
/** How long a store that failed is left alone. */
const PAUSE_MS = 5000;

type Counter = Pick<RateLimiterMemory, "consume">;

/**
 * While the store is down each process counts for itself. That lets through as many times more as there are processes,
 * and is still a limit; turning everybody away would make every failure of the store a failure of every sign-in, and
 * letting everybody through would make it an attacker's first step.
 */
export function createCounterStore({ config, db, log }: Pick<Deps, "config" | "db" | "log">): CounterStore {
  const { counter, close } = config.redisUrl ? onRedis(config.redisUrl) : onPostgres(db);
  return withInsurance(counter, close, (err) => {
    log.warn({ err }, "rate limits are counted by each process alone: their store does not answer");
  });
}

/** Exported for tests, which bring a store that fails. */
export function withInsurance(
  counter: Counter,
  close: () => Promise<void>,
  warn: (error: unknown) => void,
): CounterStore {
  const insurance = new RateLimiterMemory(counters);
  let pausedUntil = 0;
  return {
    async add(key, count) {
      if (performance.now() >= pausedUntil) {
        try {
          return (await withinDeadline(counter.consume(key, count))).consumedPoints;
        } catch (error) {
          pausedUntil = performance.now() + PAUSE_MS;
          warn(error);
        }
      }
      return (await insurance.consume(key, count)).consumedPoints;
    },
    close,
  };
}

async function withinDeadline<Result>(answer: Promise<Result>): Promise<Result> {
  const deadline = Promise.withResolvers<never>();
  const timer = setTimeout(() => deadline.reject(new Error("no answer in time")), DEADLINE_MS);
  try {
    return await Promise.race([answer, deadline.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The table comes from our migrations, and is cleaned up by the worker. */
function onPostgres(db: Database): { counter: Counter; close: () => Promise<void> } {
  const counter = new RateLimiterPostgres({
    ...counters,
    storeClient: libraryClient(db),
    storeType: "client",
    tableName: "rate_limits",
    tableCreated: true,
    clearExpiredByTimeout: false,
  });
  return { counter, close: async () => {} };
}

/** The client is loaded where there is a Redis. */
function onRedis(url: string): { counter: Counter; close: () => Promise<void> } {
  const connected = connectRedis(url);
  const counter = connected.then(
    (storeClient) => new RateLimiterRedis({ ...counters, keyPrefix: "gatewright:rl", storeClient }),
  );
  return {
    counter: { consume: async (key, points) => (await counter).consume(key, points) },
    close: async () => (await connected).disconnect(),
  };
}

async function connectRedis(url: string) {
  const { Redis } = await import("ioredis");
  const client = new Redis(url, {
    connectTimeout: 5000,
    // Requests do not wait until it is back: they are counted elsewhere meanwhile.
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, 3000),
  });
  // Each failing request says so; without a handler, each reconnection would be printed too.
  client.on("error", () => {});
  return client;
}
