/**
 * Counts requests in windows of one minute, for all processes together.
 *
 * A round trip to the store for each request (PostgreSQL: 0.13 ms alone, 13,000 a second at most, measured on 2 cores)
 * would make the busiest endpoints wait for it, and cost the database more than they do themselves. So a process takes requests
 * out of the store in lots, before it spends them, and spends a lot without asking again. A lot is a hundredth of the
 * limit: up to 100 a minute, each request is counted in the store by itself; of a limit of 60,000, one in 600 is. All
 * processes together never let more through than the limit. They may let through a little less, by what they took and
 * did not spend: at most one lot each. Once a counter is used up, a process knows so until the window ends, and
 * refusing costs nothing.
 */
import { LRUCache } from "lru-cache";
import type { Clock } from "../../lib/clock.ts";
import type { CounterStore } from "./store.ts";

const WINDOW_SECONDS = 60;
const LOTS = 100;
/** Counters that a process remembers. One that is forgotten costs a round trip more, and allows nothing more. */
const REMEMBERED = 50_000;

export interface Decision {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** When the window ends, in seconds since the epoch. */
  readonly resetsAt: number;
  /** Until then, from now; at least 1. */
  readonly retryAfterSeconds: number;
}

export interface Limiter {
  /** Counts one request. @param key what is counted, the group and the tenant included */
  take(key: string, limit: number): Promise<Decision>;
}

interface Counter {
  /** Taken out of the store and not spent yet. */
  left: number;
  /** What is still in the store, as far as this process knows. */
  stored: number;
  fetching: Promise<void> | undefined;
}

export function createLimiter(store: CounterStore, clock: Clock): Limiter {
  const counters = new LRUCache<string, Counter>({ max: REMEMBERED });

  return {
    async take(key, limit) {
      const seconds = clock.now().getTime() / 1000;
      const window = Math.floor(seconds / WINDOW_SECONDS);
      const resetsAt = (window + 1) * WINDOW_SECONDS;
      // The limit too: a tenant that raises it does not wait for the window's end.
      const slot = `${key}:${limit}:${window}`;
      const counter = counters.get(slot) ?? { left: 0, stored: limit, fetching: undefined };
      counters.set(slot, counter);

      // Requests that come while a lot is fetched wait for it, and fetch none of their own.
      while (counter.left === 0 && counter.stored > 0) {
        counter.fetching ??= fetchLot(store, counter, `${key}:${window}`, limit).finally(() => {
          counter.fetching = undefined;
        });
        await counter.fetching;
      }
      const allowed = counter.left > 0;
      if (allowed) counter.left--;
      return {
        allowed,
        limit,
        remaining: counter.stored + counter.left,
        resetsAt,
        retryAfterSeconds: Math.max(1, Math.ceil(resetsAt - seconds)),
      };
    },
  };
}

/** Leaves the counter with something to spend, or with nothing in the store. */
async function fetchLot(store: CounterStore, counter: Counter, key: string, limit: number): Promise<void> {
  const lot = Math.max(1, Math.floor(limit / LOTS));
  const taken = await store.add(key, lot);
  counter.left += Math.max(0, Math.min(lot, limit - (taken - lot)));
  counter.stored = Math.max(0, limit - taken);
}
