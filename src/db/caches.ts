/**
 * What every request needs and almost nothing changes: tenants, clients and signing keys, kept in this process.
 * Triggers in the database tell every process what to forget (channel `gatewright_cache`), so a change made
 * anywhere, by hand in psql included, is seen within moments.
 */
import { LRUCache } from "lru-cache";
import type { Logger } from "../lib/log.ts";
import { idFromUuid, type Id, isUuid } from "../lib/ids.ts";
import type { Database } from "./client.ts";

type Loader<Value> = () => Promise<Value | undefined>;

/** A bounded cache of records of one tenant. Concurrent misses of one key load once; misses are not kept. */
export interface TenantCache<Value extends object> {
  get(tenantId: string, key: string, load: Loader<Value>): Promise<Value | undefined>;
  /** What is there now, without loading. */
  peek(tenantId: string, key: string): Value | undefined;
  forget(tenantId: string): void;
  clear(): void;
}

/** A bounded cache of records that are looked up before their tenant is known. Misses are not kept: strangers make them. */
export interface SharedCache<Value extends object> {
  get(key: string, load: () => Promise<Value | undefined>): Promise<Value | undefined>;
  clear(): void;
}

export interface Caches {
  /** A cache by name, made on first use; a change of any row of `tables` empties it. */
  shared<Value extends object>(name: string, tables: readonly string[], max?: number): SharedCache<Value>;
  /** A cache by name, made on first use; `tables` are those whose changes empty it for the tenant. */
  named<Value extends object>(name: string, tables: readonly string[], max?: number): TenantCache<Value>;
  /** Does here and now what the notice of a change will do everywhere: who made it sees it with their next request. */
  changed(table: string, tenantId: Id<"tenant">): void;
  listen(db: Database, log: Logger): Promise<() => Promise<void>>;
  clear(): void;
}

export function createCaches(): Caches {
  const caches = new Map<
    string,
    { cache: TenantCache<object>; tables: readonly string[]; shared: boolean }
  >();

  const forget = (table: string, tenantId: Id<"tenant">) => {
    for (const { cache, tables, shared } of caches.values()) {
      if (!tables.includes(table)) continue;
      if (shared) cache.clear();
      else cache.forget(tenantId);
    }
  };
  const clear = () => {
    for (const { cache } of caches.values()) cache.clear();
  };

  function open<Value extends object>(
    name: string,
    tables: readonly string[],
    shared: boolean,
    max = 10_000,
  ): TenantCache<Value> {
    const existing = caches.get(name);
    if (existing) return existing.cache as TenantCache<Value>;
    const cache = createTenantCache<Value>(max);
    caches.set(name, { cache: cache as TenantCache<object>, tables, shared });
    return cache;
  }

  return {
    named: (name, tables, max) => open(name, tables, false, max),
    shared<Value extends object>(name: string, tables: readonly string[], max?: number): SharedCache<Value> {
      const cache = open<Value>(name, tables, true, max);
      return { get: (key, load) => cache.get("", key, load), clear: () => cache.clear() };
    },
    clear,
    changed: forget,
    async listen(db, log) {
      const subscription = await db.$client.listen(
        "gatewright_cache",
        (payload) => {
          const [table = "", uuid = ""] = payload.split(":");
          if (isUuid(uuid)) forget(table, idFromUuid("tenant", uuid));
        },
        // Called on every (re)connection: what was said while nobody listened is unknown.
        () => {
          clear();
          log.debug("listening for cache invalidation");
        },
      );
      return () => subscription.unlisten();
    },
  };
}

function createTenantCache<Value extends object>(max: number): TenantCache<Value> {
  const values = new LRUCache<string, Value>({ max });
  const loading = new Map<string, Promise<Value | undefined>>();
  // A load that began before an invalidation may carry what was just changed: it answers, but is not kept.
  let generation = 0;

  return {
    async get(tenantId, key, load) {
      const slot = `${tenantId}/${key}`;
      const cached = values.get(slot);
      if (cached) return cached;
      const pending = loading.get(slot);
      if (pending) return pending;
      const begun = generation;
      const promise = load()
        .then((value) => {
          if (value && begun === generation) values.set(slot, value);
          return value;
        })
        .finally(() => {
          if (loading.get(slot) === promise) loading.delete(slot);
        });
      loading.set(slot, promise);
      return promise;
    },
    peek: (tenantId, key) => values.get(`${tenantId}/${key}`),
    forget(tenantId) {
      generation++;
      loading.clear();
      for (const slot of values.keys()) if (slot.startsWith(`${tenantId}/`)) values.delete(slot);
    },
    clear() {
      generation++;
      loading.clear();
      values.clear();
    },
  };
}
