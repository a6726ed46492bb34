/** Headers that a stranger makes up: addresses, request ids, tenants, origins (CWE-290, CWE-348, CWE-942). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { desc, eq } from "drizzle-orm";
import { auditEvents, tenantDomains } from "../../src/db/schema/index.ts";
import { clientIpReader } from "../../src/http/client-ip.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { stylesheet } from "../../src/web/assets.ts";
import { createOtherTenant, errorOf, login, type OtherTenant, register } from "./support.ts";

const ALLOWED = "https://app.example";
let server: TestServer;
let other: OtherTenant;

beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_ALLOWED_ORIGINS: `${ALLOWED},https://two.example` } });
  other = await createOtherTenant(server, "acme");
  await server.deps.db
    .insert(tenantDomains)
    .values({ tenantId: other.tenant.id, domain: "login.acme.example", createdAt: server.clock.now() });
  server.deps.caches.clear();
});
afterAll(() => server.stop());

describe("X-Forwarded-For", () => {
  /** CWE-348. Guard: http/client-ip.ts. */
  it("is not believed from a stranger: the audit trail holds the real address", async () => {
    const headers = {
      "x-forwarded-for": "203.0.113.7",
      "x-real-ip": "203.0.113.7",
      "x-client-ip": "203.0.113.7",
    };
    await postJson(`${server.url}/login`, { identifier: "nobody", password: "x" }, headers);
    const [event] = await server.deps.db
      .select()
      .from(auditEvents)
      .where(eq(auditEvents.type, "user.login_failed"))
      .orderBy(desc(auditEvents.createdAt))
      .limit(1);
    expect(["127.0.0.1", "::1"]).toContain(event?.ip ?? "none");
  });

  const reader = clientIpReader(["10.0.0.0/8", "192.0.2.1", "2001:db8:1::/48"]);
  it.each([
    ["a stranger's own", "198.51.100.1", "203.0.113.7", "198.51.100.1"],
    ["a proxy's", "10.0.0.1", "203.0.113.7", "203.0.113.7"],
    ["what a client wrote before a proxy", "10.0.0.1", "1.1.1.1, 203.0.113.7", "203.0.113.7"],
    ["a chain of proxies", "10.0.0.1", "1.1.1.1, 203.0.113.7, 192.0.2.1, 10.9.9.9", "203.0.113.7"],
    ["a client that says it is a proxy", "10.0.0.1", "10.1.1.1, 203.0.113.7", "203.0.113.7"],
    ["nothing but proxies", "10.0.0.1", "10.1.1.1, 10.1.1.2", "10.1.1.1"],
    ["no address at all", "10.0.0.1", "unknown", "10.0.0.1"],
    ["junk behind an address", "10.0.0.1", "203.0.113.7, <script>", "10.0.0.1"],
    ["an empty header", "10.0.0.1", "", "10.0.0.1"],
    ["commas", "10.0.0.1", ",,,", "10.0.0.1"],
    ["an address with a port", "10.0.0.1", "203.0.113.7:4711", "10.0.0.1"],
    ["a mapped proxy", "::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"],
    ["a mapped client", "10.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"],
    ["an IPv6 proxy", "2001:db8:1::1", "2001:db8:2::1", "2001:db8:2::1"],
    ["an IPv6 address with a zone", "10.0.0.1", "fe80::1%eth0", "fe80::1%eth0"],
  ])("is read from the right: %s", (_, peer, forwarded, client) => {
    expect(reader(peer, forwarded)).toBe(client);
  });

  it("is read from no peer at all as from nobody", () => {
    expect(reader(undefined, "203.0.113.7")).toBeUndefined();
    expect(clientIpReader([])("127.0.0.1", "203.0.113.7")).toBe("127.0.0.1");
  });
});

describe("X-Request-Id", () => {
  /** CWE-117 (log forging). Guard: http/gateway.ts, REQUEST_ID. */
  it("is taken only when it is a plain word", async () => {
    const idFor = async (offered: string) => {
      const response = await fetch(`${server.url}/healthz`, { headers: { "x-request-id": offered } });
      return response.headers.get("x-request-id");
    };
    expect(await idFor("trace-1.2:3_4")).toBe("trace-1.2:3_4");
    for (const forged of [
      "a b",
      'a","level":60,"x":"',
      "<script>",
      "x".repeat(129),
      "é",
      "%0d%0a",
      "../..",
    ]) {
      expect(await idFor(forged)).toMatch(/^req_[0-9A-HJKMNP-TV-Z]{26}$/);
    }
  });
});

describe("two tenants in one request", () => {
  const me = (base: string, headers: Record<string, string>, token: string) =>
    fetch(`${base}/me`, { headers: { ...headers, authorization: `Bearer ${token}` } });

  /** CWE-639, DESIGN: two that disagree are an error. Guard: http/tenant.ts, resolveTenant. */
  it("that disagree are refused, however they are named", async () => {
    const person = await register(other.base);
    const { access_token } = await login(other.base, person.username);
    const agree: Record<string, string>[] = [
      { "x-ovlt-tenant-slug": "acme" },
      { "x-ovlt-tenant-id": other.tenant.id },
      { host: "LOGIN.acme.example.:443" },
    ];
    for (const headers of agree) expect((await me(other.base, headers, access_token)).status).toBe(200);
    const disagree: Record<string, string>[] = [
      { "x-ovlt-tenant-slug": "default" },
      { "x-ovlt-tenant-id": server.tenant.id },
      { "x-ovlt-tenant-slug": "acme", "x-ovlt-tenant-id": server.tenant.id },
      { host: "login.acme.example", "x-ovlt-tenant-slug": "default" },
    ];
    for (const headers of disagree) {
      expect(await errorOf(me(other.base, headers, access_token))).toEqual([400, "bad_request"]);
    }
    const byHost = await errorOf(me(`${server.url}/t/default`, { host: "login.acme.example" }, access_token));
    expect(byHost).toEqual([400, "bad_request"]);
  });

  /** Guard: resolveTenant (requireTenant). */
  it("that do not exist are told as such, and never become the default one", async () => {
    const named: [base: string, headers: Record<string, string>][] = [
      [`${server.url}/t/nobody`, {}],
      [`${server.url}/t/ACME`, {}],
      [`${server.url}/t/acme%00`, {}],
      [`${server.url}/t/..%2facme`, {}],
      [server.url, { "x-ovlt-tenant-slug": "nobody" }],
      [server.url, { "x-ovlt-tenant-slug": "" }],
      [server.url, { "x-ovlt-tenant-id": "tenant_00000000000000000000000001" }],
      [server.url, { "x-ovlt-tenant-id": "x" }],
    ];
    for (const [base, headers] of named) {
      const paths = ["/me", "/.well-known/jwks.json", "/oauth/userinfo"];
      for (const path of paths) {
        const response = await fetch(base + path, { headers });
        expect([base, headers, response.status]).toEqual([base, headers, 404]);
      }
      expect((await postJson(`${base}/login`, { identifier: "admin", password: "x" }, headers)).status).toBe(
        404,
      );
    }
  });

  /** Guard: the tenant's path is taken off once: a tenant in a tenant is a path like any other. */
  it("one inside the other are no tenant", async () => {
    expect((await fetch(`${server.url}/t/acme/t/default/healthz`)).status).toBe(404);
  });
});

describe("CORS", () => {
  const ask = (origin: string, path = "/me", method = "GET") => {
    const preflight = {
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization",
    };
    return fetch(server.url + path, {
      method,
      headers: { origin, ...(method === "OPTIONS" ? preflight : {}) },
    });
  };

  /** CWE-942, Fetch Standard §3.2. Guard: http/gateway.ts, corsHeaders. */
  it.each([
    "https://evil.example",
    "null",
    "https://app.example.evil.example",
    "https://evil.example#https://app.example",
    "http://app.example",
    "https://app.example:444",
    "https://sub.app.example",
    "https://app.exampl",
    "https://app.example, https://evil.example",
  ])("answers a stranger nothing: %s", async (origin) => {
    for (const method of ["GET", "OPTIONS"]) {
      for (const path of ["/me", "/login", "/oauth/token", "/signin", "/nothing"]) {
        const { headers } = await ask(origin, path, method);
        expect([...headers.keys()].filter((name) => name.startsWith("access-control-"))).toEqual([]);
        expect(headers.get("vary")).toContain("Origin");
      }
    }
  });

  /** Guard: the same: an application gets its own origin, and never cookies. */
  it("answers a known application, without credentials", async () => {
    for (const method of ["GET", "OPTIONS"]) {
      const { headers } = await ask(ALLOWED, "/me", method);
      expect(headers.get("access-control-allow-origin")).toBe(ALLOWED);
      expect(headers.get("access-control-allow-credentials")).toBeNull();
    }
  });

  /** CWE-524: a cache must not give a compressed file to who did not ask. Guard: Vary is added to, not replaced. */
  it("keeps what else an answer varies by", async () => {
    const response = await fetch(`${server.url}${stylesheet.path}`, { headers: { origin: ALLOWED } });
    const vary = response.headers.get("vary")?.toLowerCase() ?? "";
    expect([vary.includes("origin"), vary.includes("accept-encoding")]).toEqual([true, true]);
  });
});
