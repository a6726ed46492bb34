import { afterAll, beforeAll, describe, expect, it, spyOn } from "bun:test";
import { eq } from "drizzle-orm";
import { createCaches } from "../../src/db/caches.ts";
import { clients, tenantDomains, tenants } from "../../src/db/schema/index.ts";
import { createDeps, type Deps } from "../../src/deps.ts";
import { findClient } from "../../src/domain/clients/service.ts";
import { keyRingOf } from "../../src/domain/keys/service.ts";
import {
  createTenant,
  findDefaultTenant,
  findTenantByHost,
  findTenantBySlug,
  updateTenantSettings,
} from "../../src/domain/tenants/service.ts";
import { until } from "../support/scratch.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const TENANT = "tenant_00000000000000000000000001";
interface Thing {
  version: number;
}

describe("a cache of one tenant's records", () => {
  const things = () => createCaches().named<Thing>("things", ["things"]);

  it("loads once for all who ask at the same time, and once for those who ask later", async () => {
    const cache = things();
    let loads = 0;
    const load = async () => ({ version: ++loads });
    const answers = await Promise.all([1, 2, 3].map(() => cache.get(TENANT, "a", load)));
    expect([...answers, await cache.get(TENANT, "a", load)].map((thing) => thing?.version)).toEqual([
      1, 1, 1, 1,
    ]);
    expect(cache.peek(TENANT, "a")).toEqual({ version: 1 });
  });

  it("does not keep what was begun to be loaded before it was told to forget", async () => {
    const cache = things();
    for (const forget of [() => cache.forget(TENANT), () => cache.clear()]) {
      const slow = Promise.withResolvers<Thing>();
      const begun = cache.get(TENANT, "a", () => slow.promise);
      forget();
      const after = cache.get(TENANT, "a", async () => ({ version: 2 }));
      slow.resolve({ version: 1 });
      expect([await begun, await after]).toEqual([{ version: 1 }, { version: 2 }]);
      expect(cache.peek(TENANT, "a")).toEqual({ version: 2 });
      expect(await cache.get(TENANT, "a", async () => ({ version: 3 }))).toEqual({ version: 2 });
      cache.clear();
    }
  });

  it("does not keep that there was none, nor an error", async () => {
    const cache = things();
    expect(await cache.get(TENANT, "a", async () => undefined)).toBeUndefined();
    await expect(cache.get(TENANT, "a", () => Promise.reject(new Error("away")))).rejects.toThrow("away");
    expect(await cache.get(TENANT, "a", async () => ({ version: 1 }))).toEqual({ version: 1 });
  });

  it("forgets one tenant and keeps the others, whose names begin alike", async () => {
    const cache = things();
    for (const tenant of [TENANT, `${TENANT}2`]) await cache.get(tenant, "a", async () => ({ version: 1 }));
    cache.forget(TENANT);
    expect([cache.peek(TENANT, "a"), cache.peek(`${TENANT}2`, "a")]).toEqual([undefined, { version: 1 }]);
  });

  it("holds no more than it may", async () => {
    const cache = createCaches().named<Thing>("few", ["things"], 2);
    for (const key of ["a", "b", "c"]) await cache.get(TENANT, key, async () => ({ version: 1 }));
    expect(["a", "b", "c"].filter((key) => cache.peek(TENANT, key))).toEqual(["b", "c"]);
  });
});

describe("a shared cache", () => {
  it("keeps what there is until it is emptied, and never that there is none", async () => {
    const cache = createCaches().shared<Thing>("names", ["things"]);
    expect(await cache.get("a", async () => undefined)).toBeUndefined();
    expect(await cache.get("a", async () => ({ version: 1 }))).toEqual({ version: 1 });
    expect(await cache.get("a", async () => ({ version: 2 }))).toEqual({ version: 1 });
    cache.clear();
    expect(await cache.get("a", async () => ({ version: 2 }))).toEqual({ version: 2 });
  });
});

describe("a change made by another process", () => {
  let server: TestServer;
  let elsewhere: Deps & { close(): Promise<void> };
  beforeAll(async () => {
    server = await startTestServer();
    elsewhere = await createDeps(server.config, {
      process: "api",
      clock: server.clock,
      log: server.deps.log,
    });
  });
  afterAll(async () => {
    await elsewhere.close();
    await server.stop();
  });

  /** DESIGN §5. Within a second, by LISTEN/NOTIFY. */
  const seen = (what: string, look: () => Promise<boolean>) => until(what, look, 1000);

  it("of a tenant's settings is seen within a second, by whichever name it is found", async () => {
    const length = async () => (await findDefaultTenant(elsewhere))?.settings.password_min_length;
    expect(await length()).toBe(8);
    await updateTenantSettings(server.deps, server.tenant, { password_min_length: 14 });
    await seen("the new setting", async () => (await length()) === 14);
    expect((await findTenantBySlug(elsewhere, "default"))?.settings.password_min_length).toBe(14);
  });

  it("of a new tenant or domain is seen, though there was none before", async () => {
    expect(await findTenantBySlug(elsewhere, "newcomer")).toBeUndefined();
    expect(await findTenantByHost(elsewhere, "new.example")).toBeUndefined();
    const { id } = await createTenant(server.deps, { slug: "newcomer", name: "Newcomer" });
    await seen("the tenant", async () => (await findTenantBySlug(elsewhere, "newcomer"))?.id === id);
    await server.deps.db
      .insert(tenantDomains)
      .values({ domain: "new.example", tenantId: id, createdAt: server.clock.now() });
    await seen("its domain", async () => (await findTenantByHost(elsewhere, "new.example"))?.id === id);
    await server.deps.db.delete(tenants).where(eq(tenants.id, id));
    await seen("its end", async () => (await findTenantBySlug(elsewhere, "newcomer")) === undefined);
  });

  it("of a client is seen: a disabled one is none", async () => {
    const { client } = await server.createClient({ redirectUris: ["https://app.example/cb"] });
    expect((await findClient(elsewhere, server.tenant.id, client.clientId))?.name).toBe("Test");
    await server.deps.db.update(clients).set({ enabled: false }).where(eq(clients.id, client.id));
    await seen(
      "that it is disabled",
      async () => !(await findClient(elsewhere, server.tenant.id, client.clientId)),
    );
  });

  it("of the signing keys is seen", async () => {
    const before = await keyRingOf(elsewhere, server.tenant.id);
    await server.deps.db.$client`update signing_keys set active_from = active_from - interval '1 second'`;
    await seen("another ring", async () => (await keyRingOf(elsewhere, server.tenant.id)) !== before);
  });
});

describe("what is made of a tenant", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());

  it("is made of the tenant as it is, though a request read it before it changed", async () => {
    const { caches } = server.deps;
    const { shared } = caches;
    let changes = 0;
    const between = spyOn(caches, "shared").mockImplementation(
      <Value extends object>(name: string, tables: readonly string[], max?: number) => {
        const cache = shared<Value>(name, tables, max);
        if (name !== "metadata" || changes++ > 0) return cache;
        const get: typeof cache.get = async (key, load) => {
          await server.deps.db.$client`
            update tenants set settings = settings || '{"dynamic_registration":"open"}'::jsonb`;
          await until("the change was heard of", async () => {
            const tenant = await findDefaultTenant(server.deps);
            return tenant?.settings.dynamic_registration === "open";
          });
          return cache.get(key, load);
        };
        return { ...cache, get };
      },
    );
    const endpoint = async () => {
      const answer = await fetch(`${server.url}/.well-known/openid-configuration`);
      return (await answer.json()).registration_endpoint;
    };
    await endpoint();
    between.mockRestore();
    expect(changes).toBe(1);
    expect(await endpoint()).toBe(`${server.url}/oauth/register`);
  });
});
