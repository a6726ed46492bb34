/**
 * The state of a trip to a connection and back: what an attacker can do who knows it, replays it, or brings it to another
 * provider, tenant or browser (RFC 6749 §10.12, RFC 9700 §2.1 and §4.4).
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { updateConnection } from "../../../src/domain/connections/administration.ts";
import type { Connection } from "../../../src/domain/connections/model.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import {
  connectOidc,
  isSignedIn,
  leave,
  linkedTo,
  refusalOf,
  upstreamsAllowed,
  visit,
} from "../../support/federation.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { startUpstream, type Upstream } from "../../support/upstream.ts";
import { Browser, createOtherTenant, type OtherTenant } from "../support.ts";

let server: TestServer;
let upstream: Upstream;
let other: Upstream;
let connection: Connection;
let elsewhere: OtherTenant;
let browser: Browser;

beforeAll(async () => {
  server = await startTestServer({ env: upstreamsAllowed });
  upstream = startUpstream(() => server.clock.now());
  other = startUpstream(() => server.clock.now());
  connection = await connectOidc(server, upstream);
  elsewhere = await createOtherTenant(server, "elsewhere");
});
afterAll(async () => {
  await upstream.stop();
  await other.stop();
  await server.stop();
});
beforeEach(() => {
  browser = new Browser(server.url);
  upstream.requests.length = 0;
  upstream.person = { ...upstream.person, sub: crypto.randomUUID(), email: undefined };
});

const LOST = "took too long, was used already, or began in another browser";

async function expectLost(response: Response, by: Browser): Promise<void> {
  expect(response.status).toBe(400);
  expect(await refusalOf(response)).toContain(LOST);
  expect(isSignedIn(by)).toBe(false);
  // The code is not spent: whoever it belongs to may still come.
  expect(upstream.requestsTo("/token")).toHaveLength(0);
}

describe("an answer in another browser than the one that left (login CSRF)", () => {
  /** Guard: domain/federation/round-trip.ts, consumeRoundTrip (isBrowsers). */
  it("is refused in a browser with a cookie of its own", async () => {
    const callback = await visit(await leave(browser, connection));
    const victim = new Browser(server.url);
    await leave(victim, connection);
    await expectLost(await victim.get(callback.href), victim);
  });

  /** Guard: the same. */
  it("is refused in a browser without any cookie", async () => {
    const callback = await visit(await leave(browser, connection));
    const victim = new Browser(server.url);
    await expectLost(await victim.get(callback.href), victim);
  });

  /** Guard: consumeRoundTrip looks at the browser before it ends the trip. */
  it("does not end the trip of the browser that left", async () => {
    const callback = await visit(await leave(browser, connection));
    const attacker = new Browser(server.url);
    await leave(attacker, connection);
    await attacker.get(callback.href);
    expect((await browser.get(callback.href)).headers.get("location")).toEndWith("/account");
  });
});

describe("a state", () => {
  it("is needed, and has to be one of ours", async () => {
    await leave(browser, connection);
    for (const query of ["code=c", "code=c&state=", "code=c&state=chal_00000000000000000000000000_x"]) {
      const response = await browser.get(`/oauth/social/${connection.key}/callback?${query}`);
      await expectLost(response, browser);
    }
  });

  /** Guard: consumeRoundTrip, one atomic statement (challenges/repo.ts, consumeOne). */
  it("is good for one answer: of twenty that race, one wins", async () => {
    const callback = await visit(await leave(browser, connection));
    const cookie = browser.cookieHeader;
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        fetch(callback, { redirect: "manual", headers: { accept: "text/html", cookie } }),
      ),
    );
    expect(answers.filter(({ status }) => status === 302)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(19);
    expect(upstream.requestsTo("/token")).toHaveLength(1);
  });

  /** Guard: web/federation/social.routes.ts, the callback's HEAD. */
  it("is not used up by a look at the address alone (HEAD)", async () => {
    const callback = await visit(await leave(browser, connection));
    await fetch(callback, { method: "HEAD", redirect: "manual", headers: { cookie: browser.cookieHeader } });
    expect((await browser.get(callback.href)).headers.get("location")).toEndWith("/account");
  });

  it("cannot be used again after it led to a session", async () => {
    const callback = await visit(await leave(browser, connection));
    await browser.get(callback.href);
    const again = await browser.get(callback.href);
    expect(again.status).toBe(400);
    expect(upstream.requestsTo("/token")).toHaveLength(1);
  });

  /** Guard: the lifetime of challenges of kind federation (challenges/repo.ts, isOpen). */
  it("is too old after a quarter of an hour", async () => {
    const callback = await visit(await leave(browser, connection));
    server.clock.advance(15 * 60 + 1);
    await expectLost(await browser.get(callback.href), browser);
  });

  /** Guard: endTrip, repeated parameters (RFC 6749 §3.1). */
  it("is refused when any parameter comes twice", async () => {
    const callback = await visit(await leave(browser, connection));
    await expectLost(await browser.get(`${callback.href}&code=another`), browser);
  });
});

describe("mix-up (RFC 9700 §4.4)", () => {
  /** Guard: consumeRoundTrip compares the trip's connection with the one whose redirect URI was called. */
  it("is no use: an answer at another connection's redirect URI ends nothing", async () => {
    const attackers = await connectOidc(server, other);
    const authorization = await leave(browser, attackers);
    // The attacker's provider sends the browser on to the honest one, with the attacker's state.
    const forwarded = await leave(new Browser(server.url), connection);
    forwarded.searchParams.set("state", authorization.searchParams.get("state") ?? "");
    const callback = await visit(forwarded);
    expect(callback.pathname).toBe(`/oauth/social/${connection.key}/callback`);
    await expectLost(await browser.get(callback.href), browser);
    expect(other.requestsTo("/token")).toHaveLength(0);
  });

  /** Guard: openid-client's check of `iss` (RFC 9207 §2.4) against the metadata of the connection. */
  it("is no use: an answer that says it is another provider's is refused before its code is sent anywhere", async () => {
    upstream.behaviour.answer = (answer) => ({ ...answer, iss: other.url });
    const callback = await visit(await leave(browser, connection));
    upstream.behaviour.answer = (answer) => answer;
    const response = await browser.get(callback.href);
    expect(response.status).toBe(502);
    expect(isSignedIn(browser)).toBe(false);
    expect(upstream.requestsTo("/token")).toHaveLength(0);
  });

  /** Guard: the same, where the provider says that it always names itself. */
  it("is no use: an answer that says nothing is refused of a provider that always does", async () => {
    upstream.behaviour.answer = ({ iss: _iss, ...answer }) => answer;
    const callback = await visit(await leave(browser, connection));
    upstream.behaviour.answer = (answer) => answer;
    expect((await browser.get(callback.href)).status).toBe(502);
    expect(upstream.requestsTo("/token")).toHaveLength(0);
  });
});

describe("another tenant", () => {
  /** Guard: challenges are found by tenant (challenges/repo.ts, isOpen), and connections too. */
  it("takes no answer of a trip that began here, not even at a connection of the same key and provider", async () => {
    const theirs = await connectOidc(server, upstream, { key: connection.key }, elsewhere.tenant);
    const callback = await visit(await leave(browser, connection));
    const there = await browser.get(
      `${elsewhere.base}/oauth/social/${theirs.key}/callback${callback.search}`,
    );
    await expectLost(there, browser);
  });

  it("has no connection of ours: by key or by id the same as for one that does not exist", async () => {
    for (const name of [connection.id, "no-such-connection", "conn_00000000000000000000000000"]) {
      const response = await browser.get(`${elsewhere.base}/oauth/social/${name}`);
      expect([name, response.status]).toEqual([name, 404]);
      expect(await refusalOf(response)).toBe("There is no such way to sign in, or it was switched off.");
    }
  });
});

describe("a connection that is switched off while somebody is there", () => {
  /** Guard: web/federation/arrival.ts, identityOf (enabled, allowSignIn), and linking.ts, resolveExternal. */
  it.each([{ enabled: false }, { allowSignIn: false }])("lets nobody in: %p", async (changes) => {
    const closing = await connectOidc(server, upstream);
    const callback = await visit(await leave(browser, closing));
    const by = { actor: { type: "system" } as const, context: systemContext, superAdmin: true };
    await updateConnection(server.deps, server.tenant.id, closing.id, changes, by);
    const response = await browser.get(callback.href);
    expect(response.status).toBe(404);
    expect(isSignedIn(browser)).toBe(false);
    expect(upstream.requestsTo("/token")).toHaveLength(0);
    expect(await linkedTo(server, closing, String(upstream.person["sub"]))).toBeUndefined();
  });
});

describe("where a sign-in leads (open redirect)", () => {
  /** Guard: nothing of the request says where to; web/federation/after.ts goes by the sealed interaction alone. */
  it.each(["return", "return_to", "redirect_uri", "redirect_url", "next", "RelayState"])(
    "is not for %s to say, on the way there or back",
    async (name) => {
      const evil = "https://evil.example/";
      const callback = await visit(await leave(browser, connection, { [name]: evil }));
      callback.searchParams.set(name, evil);
      const response = await browser.get(callback.href);
      expect(response.headers.get("location")).toBe("/account");
    },
  );

  it("is an error, not an address, for an interaction that we did not seal", async () => {
    const response = await browser.get(
      `/oauth/social/${connection.key}?interaction=https%3A%2F%2Fevil.example`,
    );
    expect(response.status).toBe(400);
    expect(response.headers.get("location")).toBeNull();
  });
});
