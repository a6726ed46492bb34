/** Rate limits as their callers see them: the documented numbers, headers and answers. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { createApp } from "../../src/app.ts";
import { createMetrics } from "../../src/http/metrics.ts";
import { ruleOf } from "../../src/http/rate-limit/limits.ts";
import { defaultRateLimits, type RateLimits } from "../../src/lib/rate-limits.ts";
import { createQueueHealth } from "../../src/queue/health.ts";
import { postForm, postJson, startTestServer, type TestServer } from "../support/server.ts";

const ORIGIN = "https://app.example";
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ env: { RATE_LIMITING: "on", GATEWRIGHT_ALLOWED_ORIGINS: ORIGIN } });
});
afterAll(() => server.stop());
// Each test in a window of its own.
beforeEach(() => server.clock.advance(60));

const standing = ({ headers }: Response) => ({
  limit: headers.get("x-ratelimit-limit"),
  remaining: headers.get("x-ratelimit-remaining"),
  reset: headers.get("x-ratelimit-reset"),
  retryAfter: headers.get("retry-after"),
});

/** Seconds since the epoch at which the minute of the test's clock ends. */
const windowEnd = () => (Math.floor(server.clock.now().getTime() / 60_000) + 1) * 60;

async function exhaust(path: string, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    expect((await postJson(server.url + path, {})).status).not.toBe(429);
  }
}

describe("a limited response", () => {
  it("says how many requests there are, how many are left, and until when", async () => {
    const first = await postJson(`${server.url}/login`, {});
    expect(first.status).toBe(422);
    const reset = String(windowEnd());
    expect(standing(first)).toEqual({ limit: "20", remaining: "19", reset, retryAfter: null });
    const second = await postJson(`${server.url}/login`, {});
    expect(standing(second)).toEqual({ limit: "20", remaining: "18", reset, retryAfter: null });
  });

  it("lets pages of other origins read all that", async () => {
    const response = await postJson(`${server.url}/login`, {}, { origin: ORIGIN });
    const exposed = response.headers.get("access-control-expose-headers")?.split(", ");
    for (const name of ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After"]) {
      expect(exposed).toContain(name);
    }
  });

  it("is one that succeeds, redirects or is not found, too", async () => {
    for (const path of ["/signin", "/account", "/nothing"]) {
      const response = await fetch(server.url + path, { redirect: "manual" });
      expect(standing(response)).toMatchObject({ limit: "3000", reset: String(windowEnd()) });
    }
  });
});

describe("a request too many", () => {
  it("is answered 429 with the documented body, and Retry-After", async () => {
    await exhaust("/login", 20);
    const response = await postJson(`${server.url}/login`, {});
    expect(response.status).toBe(429);
    const seconds = windowEnd() - Math.floor(server.clock.now().getTime() / 1000);
    const { retryAfter, ...rest } = standing(response);
    expect(rest).toEqual({ limit: "20", remaining: "0", reset: String(windowEnd()) });
    expect(Math.abs(Number(retryAfter) - seconds)).toBeLessThanOrEqual(1);
    expect(await response.json()).toEqual({
      error: "rate_limited",
      error_description: `Too many requests. Please retry after ${retryAfter} seconds.`,
      request_id: response.headers.get("x-request-id"),
    });
  });

  it("is let through again when the window is over", async () => {
    await exhaust("/login", 20);
    expect((await postJson(`${server.url}/login`, {})).status).toBe(429);
    server.clock.advance(60);
    const response = await postJson(`${server.url}/login`, {});
    expect([response.status, standing(response).remaining]).toEqual([422, "19"]);
  });

  it("has a page for people, in their language", async () => {
    await exhaust("/login", 20);
    const headers = { accept: "text/html", "accept-language": "de" };
    const response = await postForm(`${server.url}/signin`, {}, headers);
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(response.headers.get("content-security-policy")).toContain("default-src");
    expect(await response.text()).toContain('lang="de"');
  });

  it("is an OAuth error at the token endpoint", async () => {
    for (let time = 0; time < 20; time++) await postForm(`${server.url}/oauth/token`, {});
    const response = await postForm(`${server.url}/oauth/token`, {});
    expect(response.status).toBe(429);
    expect(response.headers.get("cache-control")).toContain("no-store");
    expect(await response.json()).toMatchObject({ error: "rate_limited" });
  });
});

describe("the defaults", () => {
  it.each([
    ["POST", "/login", 20],
    ["POST", "/register", 20],
    ["POST", "/forgot-password", 10],
    ["POST", "/token/refresh", 20],
    ["POST", "/mfa/totp/verify", 20],
    ["POST", "/oauth/token", 20],
    ["GET", "/api/v1/admin/users", 300],
    ["POST", "/api/v1/admin/users", 60],
    ["PUT", "/api/v1/admin/users/1", 60],
    ["DELETE", "/api/v1/admin/users/1", 60],
    ["POST", "/login/email-code", 10],
    ["POST", "/login/email-code/verify", 20],
    ["POST", "/scim/v2/Users", 6000],
  ])("of %s %s are %p a minute", (method, path, limit) => {
    const rule = ruleOf(method, path);
    const defaults: RateLimits = defaultRateLimits;
    expect(rule && defaults[rule.group]).toBe(limit);
    expect(rule?.by).toBe(path.startsWith("/api/") ? "token" : "ip");
  });

  it.each([
    ["POST /signin", "POST /login"],
    ["POST /signup", "POST /register"],
    ["POST /recover", "POST /forgot-password"],
    ["POST /recover/reset", "POST /reset-password"],
    ["POST /verify-email/confirm", "GET /verify-email"],
    ["HEAD /verify-email", "GET /verify-email"],
    ["POST /mfa/totp/disable", "POST /mfa/totp/verify"],
    ["DELETE /me/phones/1", "POST /me/phones/1/verify"],
    ["POST /account/password", "PUT /me"],
  ])("count %s together with %s", (one, other) => {
    const groupOf = (route: string) => {
      const [method = "", path = ""] = route.split(" ");
      return ruleOf(method, path)?.group;
    };
    expect(groupOf(one)).toBe(groupOf(other) ?? "default");
    expect(groupOf(one)).toBeDefined();
  });

  it("leave alone what is answered from memory", async () => {
    for (const path of ["/healthz", "/.well-known/openid-configuration", "/.well-known/jwks.json"]) {
      expect(standing(await fetch(server.url + path)).limit).toBeNull();
    }
  });

  it("leave alone what a browser asks before it asks", async () => {
    const headers = { origin: ORIGIN, "access-control-request-method": "POST" };
    for (let time = 0; time < 30; time++) {
      const response = await fetch(`${server.url}/login`, { method: "OPTIONS", headers });
      expect([response.status, standing(response).limit]).toEqual([204, null]);
    }
    expect(standing(await postJson(`${server.url}/login`, {})).remaining).toBe("19");
  });
});

describe("the admin API", () => {
  const get = (token: string) =>
    fetch(`${server.url}/api/v1/admin/nothing`, { headers: { authorization: `Bearer ${token}` } });

  it("is limited for each token by itself, whatever the address", async () => {
    expect(standing(await get("one"))).toMatchObject({ limit: "300", remaining: "299" });
    expect(standing(await get("one"))).toMatchObject({ limit: "300", remaining: "298" });
    expect(standing(await get("other"))).toMatchObject({ limit: "300", remaining: "299" });
  });

  it("is limited by address without a token", async () => {
    const response = await fetch(`${server.url}/api/v1/admin/nothing`);
    expect(standing(response).limit).toBe("3000");
  });
});

describe("a tenant", () => {
  it("sets limits of its own, seen at once", async () => {
    await server.configure({ rate_limits: { login: 3 } });
    await exhaust("/login", 3);
    const refused = await postJson(`${server.url}/login`, {});
    expect([refused.status, standing(refused).limit]).toEqual([429, "3"]);
    await server.configure({ rate_limits: { login: 5 } });
    expect((await postJson(`${server.url}/login`, {})).status).toBe(422);
    await server.configure({ rate_limits: {} });
    expect(standing(await postJson(`${server.url}/register`, {})).limit).toBe("20");
  });

  it("that set something else than numbers has the installation's", async () => {
    for (const wrong of [{ login: 0 }, { login: -1 }, { login: 1.5 }, { nothing: 3 }]) {
      await server.configure({ rate_limits: wrong });
      expect(standing(await postJson(`${server.url}/login`, {})).limit).toBe("20");
    }
    await server.configure({ rate_limits: {} });
  });
});

/** Routes that change something and share the general limit: why no credential can be guessed there. */
const generallyLimited = new Map([
  ["POST /logout", "ends what a refresh token began, and does not tell whether there was anything"],
  ["POST /signout", "of the browser's own session"],
  ["POST /oauth/authorize", "as GET: reads a request and the browser's session"],
  ["POST /oauth/consent", "of the browser's own session"],
  ["POST /oauth/select-account", "of the browser's own session"],
  ["POST /oauth/logout", "as GET: reads a request and the browser's session"],
  ["POST /oauth/logout/confirm", "of the browser's own session"],
]);

describe("every route that changes something or tests a credential", () => {
  it("is in a group of its own kind, or is known to need none", async () => {
    const queue = createQueueHealth(server.config, server.deps.db, server.deps.log);
    const { routes } = createApp(server.deps, { metrics: createMetrics(), queue });
    await queue.close();
    const changing = routes.filter(({ method }) => !["GET", "HEAD", "OPTIONS"].includes(method));
    expect(changing.length).toBeGreaterThan(10);
    const loose = changing
      .filter(({ method, path }) => ["default", undefined].includes(ruleOf(method, path)?.group))
      .map(({ method, path }) => `${method} ${path}`);
    expect(loose.filter((route) => !generallyLimited.has(route))).toEqual([]);
  });
});
