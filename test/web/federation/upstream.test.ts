/** What we say to upstream providers, and how the kinds of them answer. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { type App, authorizationParameters, Browser, createApp } from "../../attacks/support.ts";
import {
  arriveIn,
  connectOauth2,
  connectOidc,
  isSignedIn,
  leave,
  linkedTo,
  upstreamsAllowed,
  visit,
} from "../../support/federation.ts";
import { updateConnection } from "../../../src/domain/connections/administration.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { findUserById } from "../../../src/domain/users/service.ts";
import { s256Challenge } from "../../../src/protocol/oauth/pkce.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { startUpstream, type Upstream } from "../../support/upstream.ts";

let server: TestServer;
let upstream: Upstream;
let app: App;
let subject: string;

beforeAll(async () => {
  server = await startTestServer({ env: upstreamsAllowed });
  upstream = startUpstream(() => server.clock.now());
  app = await createApp(server);
});
afterAll(async () => {
  await upstream.stop();
  await server.stop();
});
beforeEach(() => {
  subject = crypto.randomUUID();
  upstream.person = { sub: subject, id: subject };
  upstream.requests.length = 0;
});

describe("an authorization request to an OpenID provider", () => {
  it("has state, nonce and PKCE S256, and the connection's own redirect URI", async () => {
    const connection = await connectOidc(server, upstream);
    const url = await leave(new Browser(server.url), connection);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: "code",
      client_id: "us",
      scope: "openid profile email",
      redirect_uri: `${server.url}/oauth/social/${connection.key}/callback`,
      state: expect.stringMatching(/^chal_/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: "S256",
    });
  });

  it("differs from the next one in all that is secret", async () => {
    const connection = await connectOidc(server, upstream);
    const browser = new Browser(server.url);
    const [first, second] = [await leave(browser, connection), await leave(browser, connection)];
    for (const name of ["state", "nonce", "code_challenge"])
      expect(first.searchParams.get(name)).not.toBe(second.searchParams.get(name));
  });

  it("is answered with the verifier of its challenge", async () => {
    const connection = await connectOidc(server, upstream);
    const browser = new Browser(server.url);
    const url = await leave(browser, connection);
    await browser.get((await visit(url)).href);
    const [sent] = upstream.requestsTo("/token");
    expect(s256Challenge(sent?.body.get("code_verifier") ?? "")).toBe(
      url.searchParams.get("code_challenge") ?? "",
    );
    expect(sent?.body.get("redirect_uri")).toBe(url.searchParams.get("redirect_uri"));
  });

  it("passes on what the application asked for: prompt, max_age, login_hint, ui_locales", async () => {
    const connection = await connectOidc(server, upstream);
    const browser = new Browser(server.url);
    const asked = { prompt: "login", max_age: "60", login_hint: "ada@x.example", ui_locales: "de fr" };
    const parameters = authorizationParameters(app, { ...asked, connection: connection.key });
    const signIn = await browser.get(`/oauth/authorize?${parameters}`);
    const begun = await browser.get(signIn.headers.get("location") ?? "");
    expect(begun.headers.get("location")).toStartWith(`/oauth/social/${connection.key}?interaction=`);
    const there = new URL(
      (await browser.get(begun.headers.get("location") ?? "")).headers.get("location") ?? "",
    );
    expect(Object.fromEntries(there.searchParams)).toMatchObject(asked);
  });

  it("leaves out PKCE and nonce for a provider that cannot take them", async () => {
    const connection = await connectOidc(server, upstream, { config: { pkce: false, nonce: false } });
    const browser = new Browser(server.url);
    const url = await leave(browser, connection);
    expect([url.searchParams.has("code_challenge"), url.searchParams.has("nonce")]).toEqual([false, false]);
    await browser.get((await visit(url)).href);
    expect(isSignedIn(browser)).toBe(true);
  });

  it("goes out under a tenant's path as well, and comes back there", async () => {
    const { createOtherTenant } = await import("../../attacks/support.ts");
    const other = await createOtherTenant(server, "branch");
    const connection = await connectOidc(server, upstream, {}, other.tenant);
    const { browser, response } = await arriveIn(other.base, connection);
    expect(response.headers.get("location")).toBe("/t/branch/account");
    expect((await browser.get("/t/branch/account")).status).toBe(200);
  });
});

describe("a provider's metadata and keys", () => {
  it("are kept from one sign-in to the next, and asked for anew when the connection is changed", async () => {
    const connection = await connectOidc(server, upstream);
    const asked = () =>
      ["/.well-known/openid-configuration", "/jwks"].map((path) => upstream.requestsTo(path).length);
    await arriveIn(server.url, connection);
    await arriveIn(server.url, connection);
    expect(asked()).toEqual([1, 1]);
    server.clock.advance(1);
    const by = { actor: { type: "system" } as const, context: systemContext, superAdmin: true };
    await updateConnection(server.deps, server.tenant.id, connection.id, { name: "Renamed" }, by);
    await arriveIn(server.url, connection);
    expect(asked()).toEqual([2, 2]);
  });

  it("are asked for again after a day at most", async () => {
    const connection = await connectOidc(server, upstream);
    await arriveIn(server.url, connection);
    server.clock.advance(86_400);
    await arriveIn(server.url, connection);
    expect(upstream.requestsTo("/.well-known/openid-configuration")).toHaveLength(2);
  });
});

describe("an OAuth server with an API of its own (GitHub)", () => {
  it("says who somebody is, and by a list which address is verified", async () => {
    const connection = await connectOauth2(server, upstream);
    upstream.person = { id: 4711, login: "octo-ada", email: "shown@x.example" };
    upstream.behaviour.emails = () => [
      { email: "other@x.example", primary: false, verified: true },
      { email: "octo@x.example", primary: true, verified: true },
    ];
    const { browser } = await arriveIn(server.url, connection);
    expect(isSignedIn(browser)).toBe(true);
    const account = await linkedTo(server, connection, "4711");
    const user = account && (await findUserById(server.deps, server.tenant.id, account.userId));
    expect(user).toMatchObject({ username: "octo-ada", email: "octo@x.example", emailVerified: true });
    const [asked] = upstream.requestsTo("/userinfo");
    expect(asked?.headers.get("authorization")).toStartWith("Bearer at-");
  });

  it("may be asked by POST and with the token in the address, where it wants that", async () => {
    const connection = await connectOauth2(server, upstream, {
      config: { userinfo_auth: "query", userinfo_method: "POST" },
    });
    await arriveIn(server.url, connection);
    const [asked] = upstream.requestsTo("/userinfo");
    expect(asked?.query.get("access_token")).toStartWith("at-");
    expect(asked?.headers.get("authorization")).toBeNull();
  });

  it("may leave out token_type, name itself by an iss that nothing is known of, and send an ID token of it", async () => {
    const connection = await connectOauth2(server, upstream, { config: { scopes: ["openid"] } });
    const { tokens, answer } = upstream.behaviour;
    upstream.behaviour.tokens = ({ token_type: _type, ...rest }) => rest;
    upstream.behaviour.answer = (parameters) => ({ ...parameters, iss: "https://hub.example/oauth" });
    const { browser } = await arriveIn(server.url, connection);
    Object.assign(upstream.behaviour, { tokens, answer });
    expect(isSignedIn(browser)).toBe(true);
  });
});
