/**
 * Server-side request forgery through what a connection, or its provider, names (CWE-918, RFC 9700 §4.12): discovery, keys,
 * tokens and userinfo are asked through the one outbound client, and nowhere else.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { eq, sql } from "drizzle-orm";
import { connections } from "../../../src/db/schema/index.ts";
import { createOutbound } from "../../../src/outbound/client.ts";
import { arriveIn, connectOauth2, connectOidc, isSignedIn, leave, visit } from "../../support/federation.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { startUpstream, type Upstream } from "../../support/upstream.ts";
import { Browser } from "../support.ts";

let server: TestServer;
/** What a stranger may be reached at: this name alone is let through. */
let outside: Upstream;
/** A service of our own machine, by its number. */
let inside: Upstream;
let honest: Upstream["behaviour"];

beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_OUTBOUND_ALLOW_PRIVATE: "localhost" } });
  outside = startUpstream(() => server.clock.now());
  inside = startUpstream(() => server.clock.now(), { name: "127.0.0.1", address: "127.0.0.1" });
  honest = { ...outside.behaviour };
});
afterAll(async () => {
  await outside.stop();
  await inside.stop();
  await server.stop();
});
beforeEach(() => {
  outside.person = { sub: crypto.randomUUID() };
  inside.requests.length = 0;
});
afterEach(() => {
  outside.behaviour = { ...honest };
  expect(inside.requests).toEqual([]);
});

/** Guard of all: `deps.outbound` in upstream/metadata.ts, upstream/oauth2.ts and, by outbound/fetch.ts, in openid-client. */
describe("an issuer inside", () => {
  it.each([
    ["by its number", (port: string) => `http://127.0.0.1:${port}`],
    ["mapped into IPv6", (port: string) => `https://[::ffff:127.0.0.1]:${port}`],
    ["in hexadecimal", (port: string) => `http://0x7f000001:${port}`],
    ["as one number", (port: string) => `http://2130706433:${port}`],
    ["over https", (port: string) => `https://127.0.0.1:${port}`],
  ])("%s is not asked for its metadata", async (_what, issuerAt) => {
    const issuer = issuerAt(new URL(inside.url).port);
    const connection = await connectOidc(server, { url: issuer });
    const response = await new Browser(server.url).get(`/oauth/social/${connection.key}`);
    expect(response.status).toBe(502);
    // Neither whether anything is there nor what it answered is told.
    expect(await response.text()).not.toContain("127.0.0.1");
  });
});

describe("metadata that names addresses inside", () => {
  it.each(["token_endpoint", "jwks_uri"])("are not asked: %s", async (member) => {
    outside.behaviour.metadata = (metadata) => ({ ...metadata, [member]: `${inside.url}/${member}` });
    const connection = await connectOidc(server, outside);
    const { browser, response } = await arriveIn(server.url, connection);
    expect([response.status, isSignedIn(browser)]).toEqual([502, false]);
  });

  it("are not asked: userinfo_endpoint", async () => {
    outside.behaviour.metadata = (metadata) => ({ ...metadata, userinfo_endpoint: `${inside.url}/userinfo` });
    const connection = await connectOidc(server, outside, { config: { fetch_userinfo: true } });
    expect((await arriveIn(server.url, connection)).response.status).toBe(502);
  });

  /** Guard: the protocols that withOverrides in upstream/metadata.ts lets through. */
  it("lead a browser to nothing but an address of the web", async () => {
    outside.behaviour.metadata = (metadata) => ({
      ...metadata,
      authorization_endpoint: "javascript:alert(1)",
    });
    const connection = await connectOidc(server, outside);
    expect((await new Browser(server.url).get(`/oauth/social/${connection.key}`)).status).toBe(502);
  });

  it("may name another issuer no more than another provider's: its metadata are not taken", async () => {
    outside.behaviour.metadata = (metadata) => ({ ...metadata, issuer: "https://accounts.example" });
    const connection = await connectOidc(server, outside);
    expect((await new Browser(server.url).get(`/oauth/social/${connection.key}`)).status).toBe(502);
  });
});

describe("endpoints of an OAuth server that are inside", () => {
  it.each(["token_endpoint", "userinfo_endpoint", "emails_endpoint"])("are not asked: %s", async (member) => {
    const connection = await connectOauth2(server, outside, {
      config: { [member]: `${inside.url}/${member}` },
    });
    outside.person = { id: crypto.randomUUID(), login: "ada" };
    const { browser, response } = await arriveIn(server.url, connection);
    expect([response.status, isSignedIn(browser)]).toEqual([502, false]);
  });
});

describe("a redirect", () => {
  /** Guard: redirects are not followed (outbound/client.ts, `redirects` is 0). */
  it("to an address inside is an answer like any other, and none that is taken", async () => {
    outside.behaviour.tokens = () => Response.redirect(`${inside.url}/token`, 307);
    const connection = await connectOidc(server, outside);
    const { browser, response } = await arriveIn(server.url, connection);
    expect([response.status, isSignedIn(browser)]).toEqual([502, false]);
  });
});

describe("a name that leads elsewhere at the next look (DNS rebinding)", () => {
  /** Guard: outbound/target.ts looks anew at every request, and connects to the address that it looked at. */
  it("is not followed there", async () => {
    const rebinding = startUpstream(() => server.clock.now(), {
      name: "rebind.example",
      address: "127.0.0.2",
    });
    let looks = 0;
    const outbound = createOutbound({
      allowPrivate: ["127.0.0.2"],
      allowPlain: true,
      resolve: async () => ((looks += 1) === 1 ? ["127.0.0.2"] : ["127.0.0.1"]),
    });
    const other = await startTestServer({ outbound });
    try {
      const connection = await connectOidc(other, { url: rebinding.url.replace("http:", "https:") });
      // Administrators are held to https; what is tested here is which address is asked.
      await other.deps.db
        .update(connections)
        .set({ config: sql`replace(${connections.config}::text, 'https:', 'http:')::jsonb` })
        .where(eq(connections.id, connection.id));
      other.deps.caches.clear();
      const browser = new Browser(other.url);
      const authorization = await leave(browser, connection);
      expect(looks).toBe(1);
      const direct = new URL(authorization);
      direct.hostname = "127.0.0.2";
      const callback = await visit(direct);
      expect((await browser.get(callback.href)).status).toBe(502);
      expect(looks).toBeGreaterThan(1);
      expect(rebinding.requestsTo("/token")).toEqual([]);
    } finally {
      await other.stop();
      await rebinding.stop();
    }
  });
});
