/** Attacks on the authorization code (RFC 6749 §4.1, RFC 7636, RFC 9700 §2.1, §4.5, §4.8). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { linkIn, waitForMail } from "../support/mailbox.ts";
import {
  type App,
  authorizationParameters,
  type Browser,
  createApp,
  createOtherTenant,
  errorOf,
  exchangeCode,
  newVerifier,
  obtainCode,
  type Person,
  refresh,
  setEnabled,
  signedIn,
  tokensOf,
  whereItWorks,
} from "./support.ts";

let server: TestServer;
let app: App;
let otherApp: App;
let person: Person;
let browser: Browser;

beforeAll(async () => {
  server = await startTestServer();
  app = await createApp(server);
  otherApp = await createApp(server, { public: true });
  ({ person, browser } = await signedIn(server.url));
});
afterAll(() => server.stop());

const refused: [number, string] = [400, "invalid_grant"];

describe("a replayed code", () => {
  /** RFC 6749 §4.1.2, §10.5. Guard: domain/authorization/service.ts, refuseReplay. */
  it("is refused and ends everything the first exchange issued", async () => {
    const grant = await obtainCode(browser, app);
    const tokens = await tokensOf(exchangeCode(app, grant));
    expect(await whereItWorks(server.url, tokens.access_token)).toEqual({ me: 200, userinfo: 200 });
    expect(await errorOf(exchangeCode(app, grant))).toEqual(refused);
    expect(await whereItWorks(server.url, tokens.access_token)).toEqual({ me: 401, userinfo: 401 });
    expect(await errorOf(refresh(app, tokens.refresh_token))).toEqual(refused);
  });

  /** RFC 6749 §4.1.2: the copy matters, not whether it would have worked. Guard: decideAuthorizationCode. */
  it("is noticed without its verifier and after it expired", async () => {
    const grant = await obtainCode(browser, app);
    const tokens = await tokensOf(exchangeCode(app, grant));
    server.clock.advance(120);
    expect(await errorOf(exchangeCode(app, { ...grant, verifier: newVerifier() }))).toEqual(refused);
    expect(await whereItWorks(server.url, tokens.access_token)).toEqual({ me: 401, userinfo: 401 });
  });

  /** RFC 9700 §4.5: else a stranger with a copy of a code could end tokens. Guard: decideAuthorizationCode. */
  it("by another client ends nothing", async () => {
    const grant = await obtainCode(browser, app);
    const tokens = await tokensOf(exchangeCode(app, grant));
    expect(await errorOf(exchangeCode(otherApp, grant))).toEqual(refused);
    expect(await whereItWorks(server.url, tokens.access_token)).toEqual({ me: 200, userinfo: 200 });
  });

  /**
   * RFC 6749 §4.1.2 asks for both: only one request is granted, and tokens of a code that came twice are revoked.
   * Nobody can tell which of the racing requests is the thief's, so the winner's tokens end too.
   * Guard: domain/authorization/repo.ts, consumeCode (one atomic statement).
   */
  it("that races with 19 others succeeds once, and what was issued ends", async () => {
    const grant = await obtainCode(browser, app);
    const answers = await Promise.all(Array.from({ length: 20 }, () => exchangeCode(app, grant)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array<number>(19).fill(400)]);
    const winner = answers.find(({ status }) => status === 200);
    const tokens = (await winner?.json()) as { access_token: string; refresh_token: string };
    expect(await whereItWorks(server.url, tokens.access_token)).toEqual({ me: 401, userinfo: 401 });
    expect(await errorOf(refresh(app, tokens.refresh_token))).toEqual(refused);
  });
});

describe("a stolen code", () => {
  /** RFC 9700 §4.5. Guard: protocol/oauth/grants/authorization-code.ts, decideAuthorizationCode. */
  it("is worth nothing to another client, and still works for its own", async () => {
    const grant = await obtainCode(browser, app);
    expect(await errorOf(exchangeCode(otherApp, grant))).toEqual(refused);
    expect((await exchangeCode(app, grant)).status).toBe(200);
  });

  /** Guard: domain/authorization/repo.ts, findCode (by tenant). */
  it("of one tenant is worth nothing in another", async () => {
    const other = await createOtherTenant(server, "code-thief");
    const theirs = await createApp(server, {}, other);
    const grant = await obtainCode(browser, app);
    expect(await errorOf(exchangeCode(theirs, grant))).toEqual(refused);
    expect((await exchangeCode(app, grant)).status).toBe(200);
  });

  /** RFC 7636 §4.6, RFC 9700 §2.1.1. Guard: protocol/oauth/pkce.ts, verifyCodeVerifier. */
  it("is worth nothing without the verifier or with a wrong one", async () => {
    const grant = await obtainCode(browser, app);
    for (const verifier of ["", newVerifier(), "short", `${grant.verifier}x`, "a".repeat(129)]) {
      expect(await errorOf(exchangeCode(app, { ...grant, verifier }))).toEqual(refused);
    }
    expect((await exchangeCode(app, grant)).status).toBe(200);
  });

  /** OAuth 2.1 §4.1.2. Guard: decideAuthorizationCode (expiresAt). */
  it("is worth nothing after a minute", async () => {
    const grant = await obtainCode(browser, app);
    server.clock.advance(60);
    expect(await errorOf(exchangeCode(app, grant))).toEqual(refused);
  });

  /** RFC 6749 §4.1.3, RFC 9700 §4.1. Guard: decideAuthorizationCode (redirectUri). */
  it("is refused with another redirect_uri than it was asked for with", async () => {
    const grant = await obtainCode(browser, app);
    for (const redirect_uri of ["https://evil.example/", `${app.redirectUri}/`, `${app.redirectUri}?x=1`]) {
      expect(await errorOf(exchangeCode(app, grant, { redirect_uri }))).toEqual(refused);
    }
    expect((await exchangeCode(app, grant)).status).toBe(200);
  });

  /** Guard: the secret half of the code is compared, not only its id (lib/secret-token.ts, matchesHash). */
  it("cannot be guessed from its id", async () => {
    const { code, verifier } = await obtainCode(browser, app);
    const forged = code.slice(0, -43) + newVerifier();
    expect(await errorOf(exchangeCode(app, { code: forged, verifier }))).toEqual(refused);
  });
});

describe("a code of a person who is shut out", () => {
  /** Guard: domain/authorization/service.ts, exchangeCode (user.enabled). */
  it("is refused once the user is disabled", async () => {
    const grant = await obtainCode(browser, app);
    await setEnabled(server, person, false);
    expect(await errorOf(exchangeCode(app, grant))).toEqual(refused);
    await setEnabled(server, person, true);
  });

  /** Guard: exchangeCode (sessionRevokedAt). */
  it("is refused once they signed out or their password was reset", async () => {
    const away = await signedIn(server.url);
    const afterSignOut = await obtainCode(away.browser, app);
    expect((await away.browser.signOut()).status).toBe(303);
    expect(await errorOf(exchangeCode(app, afterSignOut))).toEqual(refused);

    await away.browser.signIn(away.person.username);
    const beforeReset = await obtainCode(away.browser, app);
    await postJson(`${server.url}/forgot-password`, { email: away.person.email });
    const mail = await waitForMail(server, away.person.email, ({ text }) =>
      text.includes("/reset-password?"),
    );
    const token = new URL(linkIn(mail)).searchParams.get("token");
    const reset = await postJson(`${server.url}/reset-password`, { token, new_password: "An0ther-Secret!" });
    expect(reset.status).toBe(200);
    expect(await errorOf(exchangeCode(app, beforeReset))).toEqual(refused);
  });
});

describe("PKCE downgrade", () => {
  /** RFC 7636 §4.4.1, RFC 9700 §4.8.2. Guard: protocol/oauth/pkce.ts, requireCodeChallenge. */
  it("by omission or by plain is refused at the authorization endpoint, of confidential clients too", async () => {
    const attempts: Record<string, string | undefined>[] = [
      { code_challenge: undefined, code_challenge_method: undefined },
      { code_challenge: "" },
      { code_challenge_method: undefined },
      { code_challenge_method: "plain" },
      { code_challenge_method: "s256" },
      { code_challenge: "short" },
    ];
    for (const changes of attempts) {
      const response = await browser.get(`/oauth/authorize?${authorizationParameters(app, changes)}`);
      const location = new URL(response.headers.get("location") ?? "");
      expect(location.origin + location.pathname).toBe(app.redirectUri);
      expect([location.searchParams.get("error"), location.searchParams.get("code")]).toEqual([
        "invalid_request",
        null,
      ]);
    }
  });
});
