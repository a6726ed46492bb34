/** Attacks on refresh tokens (RFC 6749 §6, §10.4; RFC 9700 §4.14; OAuth 2.1 §4.3). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { configureClient } from "../support/client-row.ts";
import { postForm, postJson, startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  type Browser,
  createApp,
  createOtherTenant,
  errorOf,
  exchangeCode,
  login,
  obtainCode,
  type Person,
  refresh,
  register,
  setEnabled,
  signedIn,
  type Tokens,
  tokensOf,
  whereItWorks,
} from "./support.ts";

let server: TestServer;
let app: App;
let person: Person;
let browser: Browser;

beforeAll(async () => {
  server = await startTestServer();
  app = await createApp(server);
  ({ person, browser } = await signedIn(server.url));
});
afterAll(() => server.stop());

const refused: [number, string] = [400, "invalid_grant"];

async function authorized(scope = "openid profile email", of: Browser = browser): Promise<Tokens> {
  return tokensOf(exchangeCode(app, await obtainCode(of, app, { scope })));
}
const refreshNative = (token: string) => postJson(`${server.url}/token/refresh`, { refresh_token: token });

describe("reuse of a rotated refresh token", () => {
  /** RFC 9700 §4.14.2. Guard: domain/tokens/refresh.ts (decision `reuse`) and access-tokens/repo.ts (findLiveFamily). */
  it("after the retry window ends the whole family, access tokens included", async () => {
    const first = await authorized();
    const second = await tokensOf(refresh(app, first.refresh_token));
    const third = await tokensOf(refresh(app, second.refresh_token));
    server.clock.advance(11);
    expect(await errorOf(refresh(app, first.refresh_token))).toEqual(refused);
    for (const { access_token } of [first, second, third]) {
      expect(await whereItWorks(server.url, access_token)).toEqual({ me: 401, userinfo: 401 });
    }
    expect(await errorOf(refresh(app, third.refresh_token))).toEqual(refused);
  });

  /** The window is for a lost answer. Guard: decideRefreshToken (successorUsed). */
  it("within the window, once the successor was used, ends the family too", async () => {
    const first = await authorized();
    const second = await tokensOf(refresh(app, first.refresh_token));
    const third = await tokensOf(refresh(app, second.refresh_token));
    expect(await errorOf(refresh(app, first.refresh_token))).toEqual(refused);
    expect(await errorOf(refresh(app, third.refresh_token))).toEqual(refused);
  });

  /** DESIGN: losing the answer is not a log-out. Guard: refresh.ts, openSuccessor. */
  it("within the window answers the newest rotation again, with no second successor", async () => {
    const first = await authorized();
    const second = await tokensOf(refresh(app, first.refresh_token));
    server.clock.advance(10);
    const again = await tokensOf(refresh(app, first.refresh_token));
    expect(again.refresh_token).toBe(second.refresh_token);
    expect((await refresh(app, second.refresh_token)).status).toBe(200);
  });

  /** Guard: domain/accounts/sign-in.ts, refreshNative, through the same rules. */
  it("of the native surface ends the session's tokens", async () => {
    const first = await login(server.url, person.username);
    const second = await tokensOf(refreshNative(first.refresh_token));
    server.clock.advance(11);
    expect(await errorOf(refreshNative(first.refresh_token))).toEqual([401, "unauthorized"]);
    expect((await whereItWorks(server.url, second.access_token)).me).toBe(401);
    expect((await refreshNative(second.refresh_token)).status).toBe(401);
  });

  /** Guard: domain/tokens/repo.ts, rotate (one statement). */
  it("by 50 requests at once issues one successor and no error", async () => {
    const first = await authorized();
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(app, first.refresh_token)));
    const issued = await Promise.all(answers.map((answer) => tokensOf(answer)));
    expect(new Set(issued.map(({ refresh_token }) => refresh_token)).size).toBe(1);
  });
});

describe("a stolen refresh token", () => {
  /** RFC 6749 §10.4. Guard: decideRefreshToken (clientId): also a stranger's try must end nothing. */
  it("is worth nothing to another client, and goes on working for its own", async () => {
    const thief = await createApp(server, { public: true });
    const tokens = await authorized();
    expect(await errorOf(refresh(thief, tokens.refresh_token))).toEqual(refused);
    expect((await refresh(app, tokens.refresh_token)).status).toBe(200);
  });

  /** Guard: protocol/oauth/client-authentication.ts, authenticateClient. */
  it("of a confidential client is worth nothing without its secret", async () => {
    const { refresh_token } = await authorized();
    const fields = { grant_type: "refresh_token", refresh_token, client_id: app.client.clientId };
    expect(await errorOf(postForm(`${server.url}/oauth/token`, fields))).toEqual([401, "invalid_client"]);
    const wrong = { ...fields, client_secret: `${app.secret?.slice(0, -1)}_` };
    expect(await errorOf(postForm(`${server.url}/oauth/token`, wrong))).toEqual([401, "invalid_client"]);
  });

  /** Guard: the native client has no grant types, and each surface asks for its own client's tokens. */
  it("of one surface is worth nothing on the other", async () => {
    const native = await login(server.url, person.username);
    const oauth = await authorized();
    const asNative = {
      grant_type: "refresh_token",
      refresh_token: native.refresh_token,
      client_id: "native",
    };
    expect(await errorOf(postForm(`${server.url}/oauth/token`, asNative))).toEqual([
      400,
      "unauthorized_client",
    ]);
    expect(await errorOf(refresh(app, native.refresh_token))).toEqual(refused);
    expect(await errorOf(refreshNative(oauth.refresh_token))).toEqual([401, "unauthorized"]);
    expect((await refresh(app, oauth.refresh_token)).status).toBe(200);
    expect((await refreshNative(native.refresh_token)).status).toBe(200);
  });

  /** Guard: domain/tokens/repo.ts, findRefreshToken (by tenant). */
  it("of one tenant is worth nothing in another", async () => {
    const other = await createOtherTenant(server, "refresh-thief");
    const native = await login(server.url, person.username);
    const answer = await postJson(`${other.base}/token/refresh`, { refresh_token: native.refresh_token });
    expect(await errorOf(answer)).toEqual([401, "unauthorized"]);
    await postJson(`${other.base}/logout`, { refresh_token: native.refresh_token });
    expect((await refreshNative(native.refresh_token)).status).toBe(200);
  });
});

describe("scope at the refresh", () => {
  /** RFC 6749 §6. Guard: protocol/oauth/scope.ts, narrowedScope. */
  it("cannot be widened, and a narrowed one narrows that access token alone", async () => {
    const first = await authorized("openid email");
    expect(await errorOf(refresh(app, first.refresh_token, { scope: "openid email profile" }))).toEqual([
      400,
      "invalid_scope",
    ]);
    const narrow = await tokensOf(refresh(app, first.refresh_token, { scope: "email" }));
    expect(narrow.scope).toBe("email");
    expect(await whereItWorks(server.url, narrow.access_token)).toEqual({ me: 403, userinfo: 403 });
    expect((await tokensOf(refresh(app, narrow.refresh_token))).scope).toBe("openid email");
  });

  /** Guard: domain/tokens/refresh.ts, what the client is registered for now. */
  it("goes when an administrator takes it away from the client", async () => {
    const shrinking = await createApp(server);
    const code = await obtainCode(browser, shrinking, { scope: "openid profile email" });
    const first = await tokensOf(exchangeCode(shrinking, code));
    await configureClient(server, shrinking, { scopes: ["openid", "email"] });
    expect((await tokensOf(refresh(shrinking, first.refresh_token))).scope).toBe("openid email");
  });

  /** RFC 6749 §6: a retry is no way around it. Guard: decideRefreshToken. */
  it("cannot be widened by a retry", async () => {
    const first = await authorized("openid email");
    await tokensOf(refresh(app, first.refresh_token));
    const retry = refresh(app, first.refresh_token, { scope: "openid email offline_access" });
    expect(await errorOf(retry)).toEqual([400, "invalid_scope"]);
  });
});

describe("a person who is shut out", () => {
  /** Guard: domain/tokens/refresh.ts, requireLiveSignIn; access-tokens/repo.ts, liveFamily. */
  it("by being disabled has no tokens that work", async () => {
    const oauth = await authorized("openid offline_access");
    const native = await login(server.url, person.username);
    await setEnabled(server, person, false);
    expect(await whereItWorks(server.url, oauth.access_token)).toEqual({ me: 401, userinfo: 401 });
    expect(await errorOf(refresh(app, oauth.refresh_token))).toEqual(refused);
    expect((await refreshNative(native.refresh_token)).status).toBe(401);
    expect((await browser.get("/account")).headers.get("location")).toBe("/signin");
    await setEnabled(server, person, true);
  });

  /** OpenID Connect Core §11. Guard: domain/sessions/service.ts, endSession. */
  it("by signing out keeps offline access alone", async () => {
    const away = await signedIn(server.url);
    const online = await authorized("openid", away.browser);
    const offline = await authorized("openid offline_access", away.browser);
    await away.browser.signOut();
    expect(await errorOf(refresh(app, online.refresh_token))).toEqual(refused);
    expect(await whereItWorks(server.url, online.access_token)).toEqual({ me: 401, userinfo: 401 });
    expect((await refresh(app, offline.refresh_token)).status).toBe(200);
  });

  /** Guard: requireLiveSignIn (session.expiresAt). */
  it("by the session's end keeps no token of it", async () => {
    const away = await signedIn(server.url);
    const online = await authorized("openid", away.browser);
    server.clock.advance(server.tenant.settings.session_lifetime);
    expect(await errorOf(refresh(app, online.refresh_token))).toEqual(refused);
  });

  /**
   * A sign-out and a refresh at the same moment lock the same rows: in opposite orders they would deadlock, and one of
   * them would fail. Guard: one order of locks in sessions/service.ts (endSession) and tokens/repo.ts (rotate).
   */
  it("by a sign-out that races with a refresh is shut out without an error", async () => {
    const racer = await register(server.url);
    const sessions = await Promise.all(Array.from({ length: 40 }, () => login(server.url, racer.username)));
    const answers = await Promise.all(
      sessions.flatMap(({ refresh_token }) => [
        refreshNative(refresh_token),
        postJson(`${server.url}/logout`, { refresh_token }),
      ]),
    );
    expect(answers.map(({ status }) => status).filter((status) => status >= 500)).toEqual([]);
    const after = await Promise.all(
      sessions.map(({ access_token }) => whereItWorks(server.url, access_token)),
    );
    expect(after.filter(({ me }) => me !== 401)).toEqual([]);
  });
});
