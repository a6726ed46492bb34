/** Reaching for more than was given: an application for a profile, a tenant for its host's name, a stranger for memory. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { createTenant } from "../../src/domain/tenants/service.ts";
import { AppError } from "../../src/lib/errors.ts";
import { decodeJwt } from "jose";
import { startTestServer, type TestServer } from "../support/server.ts";
import { bearer, createApp, exchangeCode, obtainCode, signedIn, tokensOf } from "./support.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

async function tokenOf(scope: string): Promise<string> {
  const app = await createApp(server);
  const { browser } = await signedIn(server.url);
  const obtained = await obtainCode(browser, app, { scope });
  return (await tokensOf(exchangeCode(app, obtained))).access_token;
}

describe("an application that was let see nothing but who it is", () => {
  /** Confused deputy. Guard: http/scope.ts, requireWholeProfile. */
  it("reads no profile at /me", async () => {
    const answer = await fetch(`${server.url}/me`, { headers: bearer(await tokenOf("openid")) });
    expect([answer.status, (await answer.json()).error]).toEqual([403, "insufficient_scope"]);
    expect(answer.headers.get("www-authenticate")).toContain('scope="profile email"');
    for (const scope of ["openid profile", "openid email"]) {
      const half = await fetch(`${server.url}/me`, { headers: bearer(await tokenOf(scope)) });
      expect(half.status).toBe(403);
    }
    const whole = await fetch(`${server.url}/me`, { headers: bearer(await tokenOf("openid profile email")) });
    expect(whole.status).toBe(200);
  });

  /** Guard: domain/access-tokens/mint.ts, accessTokenUser. */
  it("reads none in its access token", async () => {
    const claims = decodeJwt(await tokenOf("openid"));
    for (const name of ["preferred_username", "email", "email_verified", "given_name", "family_name"]) {
      expect(claims).not.toHaveProperty(name);
    }
  });
});

describe("a tenant that takes the installation's own host for its domain", () => {
  /** Guard: domain/tenants/service.ts, tenantProblems. */
  it.each(["localhost", "LOCALHOST", "localhost.", "localhost:3000"])("is refused: %s", async (domain) => {
    const attempt = createTenant(server.deps, { slug: "usurper", name: "Usurper", domains: [domain] });
    const error = await attempt.catch((thrown: unknown) => thrown);
    expect(error instanceof AppError && error.details).toEqual([
      { field: "domain", message: "Is this installation's own host (PUBLIC_URL)." },
    ]);
    const metadata = await (await fetch(`${server.url}/.well-known/openid-configuration`)).json();
    expect(metadata.issuer).toBe(server.url);
  });
});

describe("Host headers that a stranger makes up", () => {
  /** Guard: domain/tenants/service.ts, findTenantByHost: one list of domains, and nothing kept for others. */
  it("cost no query and no memory each", async () => {
    await fetch(`${server.url}/healthz`);
    const before = await queries();
    for (let number = 0; number < 50; number++) {
      const host = `h${number}.${"x".repeat(60)}.example`;
      await fetch(`${server.url}/.well-known/jwks.json`, { headers: { host } });
    }
    // The statistics themselves are read by one.
    expect((await queries()) - before).toBeLessThan(20);
  });

  /** Guard: db/caches.ts: a miss is not kept, so that made-up names cannot push out those that exist. */
  it("push out no tenant that exists, nor do made-up slugs", async () => {
    const cache = server.deps.caches.shared<object>("tenants", ["tenants", "tenant_domains"]);
    for (const slug of ["nobody-1", "nobody-2"]) {
      expect((await fetch(`${server.url}/t/${slug}/healthz`)).status).toBe(200);
      expect((await fetch(`${server.url}/t/${slug}/.well-known/jwks.json`)).status).toBe(404);
      let loaded = 0;
      await cache.get(`slug:${slug}`, async () => {
        loaded++;
        return undefined;
      });
      expect(loaded).toBe(1);
    }
  });

  async function queries(): Promise<number> {
    await server.deps.db.$client`select pg_stat_force_next_flush()`;
    const [row] = await server.deps.db.$client`
      select coalesce(sum(seq_scan + idx_scan), 0)::int as scans from pg_stat_user_tables
      where relname in ('tenants', 'tenant_domains')`;
    return Number(row?.["scans"]);
  }
});
