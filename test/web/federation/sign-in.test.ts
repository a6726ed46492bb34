/** Signing in through a connection: where it leads, the second factor after it, and the tokens that are kept of it. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import type { Connection } from "../../../src/domain/connections/model.ts";
import {
  type App,
  authorizationParameters,
  Browser,
  createApp,
  PASSWORD,
  register,
} from "../../attacks/support.ts";
import { connectOidc, isSignedIn, upstreamsAllowed, visit } from "../../support/federation.ts";
import { bearer, confirmAddress, setUpTotp, totpCode } from "../../support/mfa.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";
import { startUpstream, type Upstream } from "../../support/upstream.ts";

let server: TestServer;
let upstream: Upstream;
let app: App;

beforeAll(async () => {
  server = await startTestServer({ env: upstreamsAllowed });
  upstream = startUpstream(() => server.clock.now());
  app = await createApp(server);
});
afterAll(async () => {
  await upstream.stop();
  await server.stop();
});

const newBrowser = () => new Browser(server.url);

describe("a sign-in through a connection", () => {
  const comes = async (browser: Browser, { key }: Connection) => {
    const there = new URL((await browser.get(`/oauth/social/${key}`)).headers.get("location") ?? "");
    return browser.get((await visit(there)).href);
  };

  it("goes on with the application's request", async () => {
    const connection = await connectOidc(server, upstream);
    upstream.person = { sub: crypto.randomUUID() };
    const browser = newBrowser();
    const parameters = authorizationParameters(app, { connection: connection.key });
    let next = `/oauth/authorize?${parameters}`;
    for (let hops = 0; hops < 3; hops += 1) next = (await browser.get(next)).headers.get("location") ?? "";
    const back = await browser.get((await visit(new URL(next))).href);
    const answered = await browser.get(back.headers.get("location") ?? "");
    expect(answered.headers.get("location")).toStartWith(`${app.redirectUri}?code=`);
  });

  it("asks for the second factor that somebody set up", async () => {
    const connection = await connectOidc(server, upstream);
    const person = await register(server.url);
    await confirmAddress(server, person.email);
    const signedIn = await postJson(`${server.url}/login`, { identifier: person.email, password: PASSWORD });
    const { access_token: token } = await signedIn.json();
    const { secret } = await setUpTotp(server, token);
    upstream.person = { sub: crypto.randomUUID(), email: person.email, email_verified: true, amr: ["mfa"] };
    const browser = newBrowser();
    const response = await comes(browser, connection);
    expect(response.headers.get("location")).toBe("/signin/verify");
    expect(isSignedIn(browser)).toBe(false);
    const code = totpCode(server, secret);
    const done = await browser.submit("/signin/verify?method=totp", { code });
    expect(done.headers.get("location")).toBe("/account");
    expect(isSignedIn(browser)).toBe(true);
  });

  it("counts a second factor that was proved there only where an administrator says so", async () => {
    const trusted = await connectOidc(server, upstream, { trustUpstreamMfa: true });
    const person = await register(server.url);
    await confirmAddress(server, person.email);
    const signedIn = await postJson(`${server.url}/login`, { identifier: person.email, password: PASSWORD });
    await setUpTotp(server, (await signedIn.json()).access_token);
    upstream.person = { sub: crypto.randomUUID(), email: person.email, email_verified: true };
    expect((await comes(newBrowser(), trusted)).headers.get("location")).toBe("/signin/verify");
    upstream.person["amr"] = ["pwd", "mfa"];
    expect((await comes(newBrowser(), trusted)).headers.get("location")).toBe("/account");
  });
});

describe("upstream tokens", () => {
  async function signedInWith(connection: Connection) {
    const email = `${crypto.randomUUID()}@example.com`;
    const person = await register(server.url, { email });
    await confirmAddress(server, email);
    upstream.person = { sub: crypto.randomUUID(), email, email_verified: true };
    const browser = newBrowser();
    const there = new URL(
      (await browser.get(`/oauth/social/${connection.key}`)).headers.get("location") ?? "",
    );
    await browser.get((await visit(there)).href);
    const tokenOf = async () => {
      const login = await postJson(`${server.url}/login`, { identifier: person.email, password: PASSWORD });
      return String((await login.json()).access_token);
    };
    const token = await tokenOf();
    const listed = await fetch(`${server.url}/me/external-accounts`, { headers: bearer(token) });
    const { external_accounts: accounts } = await listed.json();
    const path = `${server.url}/me/external-accounts/${accounts[0].id}/token`;
    return { path, tokenOf, ask: async (by = token) => fetch(path, { headers: bearer(by) }) };
  }

  it("are kept by none but the connections that say so", async () => {
    const { ask } = await signedInWith(await connectOidc(server, upstream));
    expect((await ask()).status).toBe(404);
  });

  it("are given to their user, sealed at rest, and refreshed once when they expired", async () => {
    const { ask, tokenOf } = await signedInWith(
      await connectOidc(server, upstream, { config: { keep_tokens: true } }),
    );
    const first = await (await ask()).json();
    expect(first).toMatchObject({ access_token: expect.stringMatching(/^at-/), token_type: "Bearer" });
    const stored = await server.deps.db
      .$client`select encode(sealed_tokens, 'escape') as box from external_accounts`;
    expect(stored.filter(({ box }) => box !== null)).toHaveLength(1);
    expect(JSON.stringify(stored)).not.toContain(String(first.access_token));

    server.clock.advance(3600);
    upstream.requests.length = 0;
    const token = await tokenOf();
    const responses = await Promise.all([ask(token), ask(token), ask(token)]);
    const answers = await Promise.all(responses.map((response) => response.json()));
    expect(new Set(answers.map(({ access_token: token }) => token)).size).toBe(1);
    expect(answers[0].access_token).not.toBe(first.access_token);
    const refreshes = upstream.requestsTo("/token");
    expect(refreshes).toHaveLength(1);
    expect(refreshes[0]?.body.get("grant_type")).toBe("refresh_token");
  });

  it("are a 404 to everybody else", async () => {
    const { path } = await signedInWith(
      await connectOidc(server, upstream, { config: { keep_tokens: true } }),
    );
    const other = await register(server.url);
    const login = await postJson(`${server.url}/login`, { identifier: other.username, password: PASSWORD });
    const { access_token: token } = await login.json();
    expect((await fetch(path, { headers: bearer(token) })).status).toBe(404);
    expect((await fetch(path)).status).toBe(401);
  });

  it("are an error of the provider's where it refuses to refresh", async () => {
    const { ask, tokenOf } = await signedInWith(
      await connectOidc(server, upstream, { config: { keep_tokens: true } }),
    );
    server.clock.advance(3600);
    const token = await tokenOf();
    const { tokens } = upstream.behaviour;
    upstream.behaviour.tokens = () => Response.json({ error: "invalid_grant" }, { status: 400 });
    const response = await ask(token);
    upstream.behaviour.tokens = tokens;
    expect(response.status).toBe(502);
  });
});
