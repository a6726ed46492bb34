/** What one tenant gave out, presented to another at every endpoint: a tenant is a server of its own (RFC 9700 §4.4). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { configureClient } from "../support/client-row.ts";
import { postForm, startTestServer, type TestServer } from "../support/server.ts";
import { dpopProof, newTestKey } from "../support/signed.ts";
import {
  type App,
  basicAuthorization,
  bearer,
  createApp,
  createOtherTenant,
  errorOf,
  exchangeCode,
  login,
  obtainCode,
  type OtherTenant,
  refresh,
  signedIn,
  type Tokens,
  tokensOf,
  whereItWorks,
} from "./support.ts";

let server: TestServer;
let other: OtherTenant;
/** One client in each tenant, of the same client_id: the worst case. */
let here: App;
let there: App;
let tokens: Tokens;
let mine: Awaited<ReturnType<typeof signedIn>>;

beforeAll(async () => {
  server = await startTestServer();
  other = await createOtherTenant(server, "acme");
  here = await createApp(server);
  const twin = await createApp(server, {}, other);
  await configureClient(server, twin, { clientId: here.client.clientId });
  there = { ...twin, client: { ...twin.client, clientId: here.client.clientId } };
  mine = await signedIn(server.url);
  tokens = await tokensOf(exchangeCode(here, await obtainCode(mine.browser, here)));
});
afterAll(() => server.stop());

describe("a client of another tenant", () => {
  /** Guard: findClient (by tenant). */
  it.each([
    "/oauth/token",
    "/oauth/introspect",
    "/oauth/token_info",
    "/oauth/revoke",
    "/oauth/device_authorization",
    "/oauth/par",
  ])("is unknown at %s, with its right secret", async (path) => {
    const fields = { grant_type: "client_credentials", token: "x" };
    const abroad = postForm(other.base + path, fields, basicAuthorization(here));
    expect(await errorOf(abroad)).toEqual([401, "invalid_client"]);
  });
});

describe("a code of another tenant", () => {
  /** Guard: authorization/repo.ts, findCode (by tenant). */
  it("is worth nothing, and not used up by the try", async () => {
    const code = await obtainCode(mine.browser, here);
    expect(await errorOf(exchangeCode(there, code))).toEqual([400, "invalid_grant"]);
    expect((await exchangeCode(here, code)).status).toBe(200);
  });
});

describe("tokens of another tenant", () => {
  it("work where they belong, or nothing below would prove anything", async () => {
    expect(await whereItWorks(server.url, tokens.access_token)).toEqual({ me: 200, userinfo: 200 });
  });

  /** Guard: keyRingOf and issuerOf of the tenant in findLiveAccessToken. */
  it("open nothing, and nor do those of the native sign-in", async () => {
    const native = await login(server.url, mine.person.username);
    for (const { access_token } of [tokens, native])
      expect(await whereItWorks(other.base, access_token)).toEqual({ me: 401, userinfo: 401 });
  });

  /** Guard: access-tokens/repo.ts, opaque (by tenant). */
  it("open nothing when they are opaque", async () => {
    const opaque = await createApp(server);
    await configureClient(server, opaque, { accessTokenFormat: "opaque" });
    const { access_token } = await tokensOf(exchangeCode(opaque, await obtainCode(mine.browser, opaque)));
    expect(await whereItWorks(server.url, access_token)).toEqual({ me: 200, userinfo: 200 });
    expect(await whereItWorks(other.base, access_token)).toEqual({ me: 401, userinfo: 401 });
  });

  /** Guard: tokens/repo.ts, findRefreshToken (by tenant). */
  it("refresh nothing, and are not ended by the try", async () => {
    expect(await errorOf(refresh(there, tokens.refresh_token))).toEqual([400, "invalid_grant"]);
    const next = await tokensOf(refresh(here, tokens.refresh_token));
    expect(next.access_token).toBeString();
  });

  /** Guard: findLiveAccessToken, findRefreshToken. */
  it("are not active for, and not ended by, the client of the same name", async () => {
    for (const token of [tokens.access_token, tokens.refresh_token]) {
      const asked = await postForm(`${other.base}/oauth/introspect`, { token }, basicAuthorization(there));
      expect(await asked.json()).toEqual({ active: false });
      const ended = await postForm(`${other.base}/oauth/revoke`, { token }, basicAuthorization(there));
      expect(ended.status).toBe(200);
    }
    expect(await whereItWorks(server.url, tokens.access_token)).toEqual({ me: 200, userinfo: 200 });
  });
});

describe("two names of tenants in one request", () => {
  /** Guard: http/tenant.ts: a header does not move a request from the tenant of its path. */
  it("are refused, so that a token is never read by another tenant's rules", async () => {
    const headers = { ...bearer(tokens.access_token), "x-ovlt-tenant-slug": "acme" };
    const answer = await fetch(`${server.url}/oauth/userinfo`, { headers });
    expect(answer.status).toBe(401);
    const both = await fetch(`${other.base}/oauth/userinfo`, {
      headers: { ...headers, "x-ovlt-tenant-slug": "default" },
    });
    expect([400, 404]).toContain(both.status);
  });
});

describe("a DPoP proof for another tenant", () => {
  /** Guard: http/dpop.ts, dpopRequest: the URL is that of the tenant's issuer. */
  it("is refused, though host and path look alike", async () => {
    const key = await newTestKey();
    const proof = await dpopProof(server, key, { url: `${server.url}/oauth/token` });
    const answer = postForm(`${other.base}/oauth/token`, {}, { dpop: proof });
    expect(await errorOf(answer)).toEqual([400, "invalid_dpop_proof"]);
  });
});
