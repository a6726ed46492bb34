/**
 * Getting around the limits. Every attack begins with a used-up bucket, or ends with a count of what got through. A body that
 * fails validation is enough: it is counted, and answered 422 where it gets through.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { lockouts, rateLimits } from "../../src/db/schema/index.ts";
import { createDeps } from "../../src/deps.ts";
import { createTenant } from "../../src/domain/tenants/service.ts";
import { type RunningServer, serve } from "../../src/server.ts";
import { freePort } from "../support/free-port.ts";
import { postForm, postJson, startTestServer, type TestServer } from "../support/server.ts";
import { bearer, Browser, rawRequest } from "./support.ts";

let server: TestServer;
const others: (() => Promise<void>)[] = [];

beforeAll(async () => {
  server = await startTestServer({
    env: {
      RATE_LIMITING: "on",
      RATE_LIMITS: "admin_read=5,default=30",
      GATEWRIGHT_TRUSTED_PROXIES: "127.0.0.1,::1",
    },
  });
});
afterAll(() => server.stop());
// Each test in a window of its own.
beforeEach(() => server.clock.advance(60));
afterEach(async () => {
  for (const stop of others.splice(0)) await stop();
});

/** Another API process on the same database; trusting no proxy, unless told. */
async function anotherProcess(trustedProxies: string[] = []): Promise<RunningServer> {
  const config = { ...server.config, port: freePort(), trustedProxies };
  const deps = await createDeps(config, { process: "api", clock: server.clock, log: server.deps.log });
  const running = await serve(deps);
  others.push(async () => {
    await running.stop();
    await deps.close();
  });
  return { ...running, url: `http://localhost:${config.port}` };
}

const tryLogin = async (url = server.url, headers: Record<string, string> = {}) =>
  (await postJson(`${url}/login`, {}, headers)).status;
const from = (address: string) => ({ "x-forwarded-for": address });

async function useUp(url = server.url, headers: Record<string, string> = {}): Promise<void> {
  for (let time = 0; time < 20; time++) expect(await tryLogin(url, headers)).toBe(422);
  expect(await tryLogin(url, headers)).toBe(429);
}

const through = (statuses: readonly number[]) => statuses.filter((status) => status !== 429).length;

describe("the address", () => {
  it("is not what a client writes into X-Forwarded-For (guard: clientIpReader believes trusted proxies alone)", async () => {
    const { url } = await anotherProcess();
    await useUp(url);
    for (const forged of ["203.0.113.1", "127.0.0.1", "203.0.113.2, 203.0.113.3", "::1", "unknown"]) {
      expect(await tryLogin(url, from(forged))).toBe(429);
    }
    expect(await tryLogin(url, { "x-real-ip": "203.0.113.9", forwarded: "for=203.0.113.9" })).toBe(429);
  });

  it("is not what stands left of the proxy's own entry (guard: the header is read from the right)", async () => {
    await useUp(server.url, from("203.0.113.10"));
    expect(await tryLogin(server.url, from("198.51.100.1, 203.0.113.10"))).toBe(429);
    expect(await tryLogin(server.url, from("203.0.113.10, 198.51.100.1"))).toBe(422);
  });

  it("is a /64 of IPv6, of which one customer has 2^64 (guard: networkOf)", async () => {
    for (let host = 0; host < 20; host++) {
      expect(await tryLogin(server.url, from(`2001:db8:a:b:${host.toString(16)}::1`))).toBe(422);
    }
    expect(await tryLogin(server.url, from("2001:db8:a:b:ffff:ffff:ffff:ffff"))).toBe(429);
    expect(await tryLogin(server.url, from("2001:0DB8:000a:000b::1"))).toBe(429);
    expect(await tryLogin(server.url, from("2001:db8:a:c::1"))).toBe(422);
  });

  it("is the same in IPv6's notation for IPv4 (guard: networkOf)", async () => {
    await useUp(server.url, from("203.0.113.20"));
    for (const mapped of ["::ffff:203.0.113.20", "::FFFF:cb00:7114", "0:0:0:0:0:ffff:cb00:7114"]) {
      expect(await tryLogin(server.url, from(mapped))).toBe(429);
    }
    expect(await tryLogin(server.url, from("::ffff:203.0.113.21"))).toBe(422);
  });
});

describe("the endpoint", () => {
  it("is the same however its path is written (guard: what is matched is what is routed)", async () => {
    await useUp();
    const { host } = new URL(server.url);
    const body = JSON.stringify({ identifier: "x", password: "y" });
    for (const target of [
      "/login?x=1",
      "/login#",
      "/login/",
      "//login",
      "/LOGIN",
      "/%6cogin",
      "/login%2f",
      "/login%00",
      "/./login",
      "/x/../login",
      "/login;a=b",
      "\\login",
      `http://${host}/login`,
      `/t/${server.tenant.slug}/login`,
      `/t/${server.tenant.slug}//login`,
    ]) {
      const answer = await rawRequest(
        server,
        [
          `POST ${target} HTTP/1.1`,
          `Host: ${host}`,
          "Content-Type: application/json",
          `Content-Length: ${body.length}`,
          "Connection: close",
          "",
          body,
        ].join("\r\n"),
      );
      // Not 401: that would be a password looked at.
      expect([target, /^HTTP\/1\.1 (30[18]|400|404|429) /.test(answer)]).toEqual([target, true]);
    }
  });

  it("shares its bucket with the page that does the same (guard: one group for both)", async () => {
    await useUp();
    const browser = new Browser(server.url);
    const page = await browser.submit("/signin", { identifier: "x", password: "y" });
    expect(page.status).toBe(429);
    expect(await page.text()).toContain("Too many requests");
  });

  it("is limited on pages before the form's own token is looked at", async () => {
    const statuses: number[] = [];
    for (let time = 0; time < 12; time++) {
      statuses.push((await postForm(`${server.url}/recover`, { email: "x@example.com" })).status);
    }
    expect(through(statuses)).toBe(10);
    const twin = await postJson(`${server.url}/forgot-password`, { email: "x@example.com" });
    expect(twin.status).toBe(429);
  });

  it("keeps its count whatever header names its tenant (guard: the tenant's id is counted, not its name)", async () => {
    await useUp();
    expect(await tryLogin(server.url, { "x-ovlt-tenant-slug": server.tenant.slug })).toBe(429);
    expect(await tryLogin(server.url, { "x-ovlt-tenant-id": server.tenant.id })).toBe(429);
  });

  it("shares one count among all tenants that do not exist (guard: no tenant, no name in the key)", async () => {
    const statuses: number[] = [];
    for (let time = 0; time < 25; time++) {
      statuses.push(await tryLogin(`${server.url}/t/nobody${time}`));
    }
    expect(through(statuses)).toBe(20);
  });

  it("of another tenant is not used up by it", async () => {
    await createTenant(server.deps, { slug: "neighbour", name: "Neighbour" });
    await useUp();
    expect(await tryLogin(`${server.url}/t/neighbour`)).toBe(422);
  });
});

describe("the token", () => {
  const admin = async (token: string) =>
    (await fetch(`${server.url}/api/v1/admin/nothing`, { headers: { authorization: token } })).status;

  it("is the same in another spelling (guard: the scheme and its spaces are not counted)", async () => {
    for (let time = 0; time < 5; time++) expect(await admin("Bearer one-token")).not.toBe(429);
    for (const same of ["Bearer one-token", "bearer one-token", "BEARER   one-token", "Bearer\tone-token"]) {
      expect(await admin(same)).toBe(429);
    }
    expect(await admin("Bearer another-token")).not.toBe(429);
  });

  it("made up anew for each request is limited by its address (guard: both are counted)", async () => {
    const statuses: number[] = [];
    for (let time = 0; time < 40; time++) {
      const response = await fetch(`${server.url}/api/v1/admin/nothing`, {
        headers: bearer(`made-up-${time}`),
      });
      statuses.push(response.status);
    }
    expect(through(statuses)).toBe(30);
  });
});

describe("the count", () => {
  it("holds for requests that race (guard: the store adds atomically)", async () => {
    const racing = await Promise.all(Array.from({ length: 100 }, () => tryLogin()));
    expect(through(racing)).toBe(20);
  });

  it("is one for all processes (guard: the store is shared)", async () => {
    const urls = [server.url, (await anotherProcess()).url, (await anotherProcess()).url];
    const racing = await Promise.all(
      Array.from({ length: 90 }, (_, at) => tryLogin(urls[at % urls.length] ?? server.url)),
    );
    expect(through(racing)).toBe(20);
  });

  it("survives a restart (guard: the store is not this process's memory)", async () => {
    await useUp();
    expect(await tryLogin((await anotherProcess()).url)).toBe(429);
  });

  it("is not undone by a sign-in that succeeds in between", async () => {
    await server.deps.db.delete(lockouts);
    const statuses: number[] = [];
    for (let time = 0; time < 24; time++) {
      const credentials = { identifier: "admin@example.com", password: "Adm1n-P@ssw0rd!" };
      statuses.push((await postJson(`${server.url}/login`, time % 4 === 0 ? credentials : {})).status);
    }
    expect(through(statuses)).toBe(20);
  });

  it("leaves no tokens in the store", async () => {
    await fetch(`${server.url}/api/v1/admin/nothing`, { headers: bearer("a-token-to-look-for") });
    const stored = JSON.stringify(await server.deps.db.select().from(rateLimits));
    expect(stored).toContain("admin_read");
    expect(stored).not.toContain("a-token-to-look-for");
  });
});
