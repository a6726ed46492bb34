/** Ways around the second factor (OWASP ASVS 2.8, 3.3): other doors, other tokens, other flows. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { signInBrowser } from "../../src/domain/accounts/sign-in.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { bearer, confirmAddress, setUpPasskey, totpCode, verifyTotp } from "../support/mfa.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { linkIn, waitForMail } from "../support/mailbox.ts";
import { s256Challenge } from "../../src/protocol/oauth/pkce.ts";
import { pendingLogin, victimWithPasskey, victimWithTotp } from "./mfa-support.ts";
import {
  type App,
  authorizationParameters,
  Browser,
  createApp,
  createOtherTenant,
  errorOf,
  exchangeCode,
  login,
  newVerifier,
  PASSWORD,
  register,
  signedIn,
  tokenRequest,
  tokensOf,
} from "./support.ts";

let server: TestServer;
let app: App;
beforeAll(async () => {
  server = await startTestServer();
  await server.configure({ max_failed_login_attempts: 100, max_failed_attempts_per_ip: 10_000 });
  app = await createApp(server);
});
afterAll(() => server.stop());

const invalidToken: [number, string] = [401, "invalid_mfa_token"];

describe("who knows the password and nothing else", () => {
  /** Guard: domain/accounts/complete-sign-in.ts, continueSignIn (`decision.kind !== "none"`). */
  it("gets no session on the API, whatever is done with the token", async () => {
    const { person } = await victimWithTotp(server);
    const token = await pendingLogin(server.url, person);
    const refused = await Promise.all([
      postJson(`${server.url}/token/refresh`, { refresh_token: token }),
      tokenRequest(app, { grant_type: "refresh_token", refresh_token: token }),
      tokenRequest(app, { grant_type: "authorization_code", code: token, redirect_uri: app.redirectUri }),
      fetch(`${server.url}/me`, { headers: bearer(token) }),
      fetch(`${server.url}/oauth/userinfo`, { headers: bearer(token) }),
      fetch(`${server.url}/mfa/factors`, { headers: bearer(token) }),
    ]);
    for (const { status } of refused) expect([400, 401]).toContain(status);
  });

  /** Guard: the same, for the hosted pages: no cookie that an authorization request would take for a session. */
  it("gets no session on the hosted pages, and no code", async () => {
    const { person } = await victimWithTotp(server);
    const browser = new Browser(server.url);
    await browser.signIn(person.username);
    expect([...browser.cookies.keys()].filter((name) => name.includes("session"))).toEqual([]);
    const response = await browser.get(`/oauth/authorize?${authorizationParameters(app)}`);
    expect(response.headers.get("location") ?? "").not.toContain("code=");
    expect((await browser.get("/account")).headers.get("location")).toContain("/signin");
  });

  /** Guard: domain/mfa/pending-login.ts, requirePendingLogin (`surface.kind`). */
  it("cannot take a sign-in of the pages to the API", async () => {
    const { person, app: totp } = await victimWithTotp(server);
    const credentials = { identifier: person.username, password: PASSWORD, rememberMe: false };
    const step = await signInBrowser(server.deps, server.tenant, credentials, undefined, systemContext);
    if (step.kind !== "pending") throw new Error("no second factor was asked for");
    const answer = verifyTotp(server, step.offer.token, totpCode(server, totp.secret));
    expect(await errorOf(answer)).toEqual(invalidToken);
  });

  /** Guard: api/native/mfa-scope.ts and domain/mfa/pending-login.ts, requirePendingLogin (`purpose`). */
  it("cannot set up a factor of their own instead of proving the one there is", async () => {
    const { person } = await victimWithTotp(server);
    const token = await pendingLogin(server.url, person);
    for (const path of ["/mfa/totp/enroll", "/mfa/totp/verify-setup", "/mfa/webauthn/register/begin"]) {
      const response = await postJson(server.url + path, { name: "Mine", code: "123456" }, bearer(token));
      expect([path, response.status]).toEqual([path, 401]);
    }
  });
});

describe("tokens of other kinds", () => {
  /** Guard: lib/secret-token.ts, parseSecretToken (the prefix); domain/challenges/repo.ts (`kind`). */
  it("are no tokens of a pending sign-in", async () => {
    const { tokens, app: totp } = await victimWithTotp(server);
    const code = totpCode(server, totp.secret);
    for (const token of [tokens.access_token, tokens.refresh_token]) {
      const answer = await verifyTotp(server, token, code);
      expect([401, 422]).toContain(answer.status);
    }
  });

  /**
   * A mailed link is a challenge, too. Guards: domain/challenges/repo.ts, isOpen (`kind`), and what each flow expects to
   * find in its own; each is enough here, and tried alone in test/domain/challenges.
   */
  it("are not links either, nor is the token of a pending sign-in a link", async () => {
    const { person, app: totp } = await victimWithTotp(server);
    await postJson(`${server.url}/forgot-password`, { email: person.email });
    const mail = await waitForMail(server, person.email, ({ text }) => text.includes("/reset-password"));
    const link = new URL(linkIn(mail)).searchParams.get("token") ?? "";
    expect(await errorOf(verifyTotp(server, link, totpCode(server, totp.secret)))).toEqual(invalidToken);
    const token = await pendingLogin(server.url, person);
    const reset = postJson(`${server.url}/reset-password`, { token, new_password: "An0ther-Secret!" });
    expect(await errorOf(reset)).toEqual([400, "invalid_token"]);
  });

  /** Guards: domain/challenges/repo.ts, isOpen (`tenantId`), and the tenant's users; each is enough here. */
  it("of another tenant are none here", async () => {
    const { person, app: totp } = await victimWithTotp(server);
    const other = await createOtherTenant(server, "mfa-thief");
    const token = await pendingLogin(server.url, person);
    const answer = postJson(`${other.base}/mfa/totp/verify`, {
      mfa_token: token,
      code: totpCode(server, totp.secret),
    });
    expect(await errorOf(answer)).toEqual(invalidToken);
  });
});

describe("a sign-in between its factors", () => {
  /** Guard: domain/mfa/pending-login.ts, consumePendingLogin (the password's version). */
  it("ends with the password that it began with", async () => {
    const { person, app: totp } = await victimWithTotp(server);
    await confirmAddress(server, person.email);
    const token = await pendingLogin(server.url, person);
    server.clock.advance(30);
    await postJson(`${server.url}/forgot-password`, { email: person.email });
    const mail = await waitForMail(server, person.email, ({ text }) => text.includes("/reset-password"));
    const link = new URL(linkIn(mail)).searchParams.get("token");
    const reset = await postJson(`${server.url}/reset-password`, {
      token: link,
      new_password: "An0ther-Secret!",
    });
    expect(reset.status).toBe(200);
    expect(await errorOf(verifyTotp(server, token, totpCode(server, totp.secret)))).toEqual(invalidToken);
  });

  /** Guard: domain/accounts/complete-sign-in.ts, complete (the login's user answers, not whoever sends the code). */
  it("is not ended by another user's code", async () => {
    const { person } = await victimWithTotp(server);
    const { app: attackers } = await victimWithTotp(server);
    const answer = verifyTotp(
      server,
      await pendingLogin(server.url, person),
      totpCode(server, attackers.secret),
    );
    expect(await errorOf(answer)).toEqual([401, "invalid_code"]);
    const backup = verifyTotp(server, await pendingLogin(server.url, person), attackers.backupCodes[0] ?? "");
    expect(await errorOf(backup)).toEqual([401, "invalid_code"]);
  });
});

describe("a stolen access token", () => {
  /** Guard: api/native/mfa-scope.ts, findEnroller, and the routes that remove (requireFreshAuthentication). */
  it("neither adds nor removes a factor once the sign-in is old", async () => {
    const { tokens } = await victimWithTotp(server);
    server.clock.advance(15 * 60);
    const { refresh_token } = tokens;
    const renewed = await tokensOf(postJson(`${server.url}/token/refresh`, { refresh_token }));
    for (const path of [
      "/mfa/totp/enroll",
      "/mfa/webauthn/register/begin",
      "/mfa/totp/disable",
      "/mfa/backup-codes/regenerate",
    ]) {
      const response = postJson(server.url + path, { name: "Mine" }, bearer(renewed.access_token));
      expect([path, ...(await errorOf(response))]).toEqual([path, 401, "insufficient_user_authentication"]);
    }
  });

  /** Guard: domain/mfa/factors.ts, needToChangeFactors (`acr`): a password that was just proved is one factor. */
  it("of a session of one factor does neither, however young", async () => {
    const { person, app: totp } = await victimWithTotp(server);
    const token = await pendingLogin(server.url, person);
    const trusted = await verifyTotp(server, token, totpCode(server, totp.secret), { trust_device: true });
    const { device_token } = (await trusted.json()) as { device_token: string };
    const single = await postJson(`${server.url}/login`, {
      identifier: person.username,
      password: PASSWORD,
      device_token,
    });
    const { access_token } = (await single.json()) as { access_token: string };
    const response = await postJson(`${server.url}/mfa/totp/disable`, {}, bearer(access_token));
    expect(response.headers.get("www-authenticate")).toContain('acr_values="urn:gatewright:acr:2fa"');
    expect(await errorOf(response)).toEqual([401, "insufficient_user_authentication"]);
  });

  /** Guard: api/native/mfa-scope.ts (requireOwnApplication). */
  it("of somebody else's application does nothing here, whatever it was let see", async () => {
    const foreign = await createApp(server, { firstParty: false });
    const { browser } = await signedIn(server.url);
    const verifier = newVerifier();
    const parameters = authorizationParameters(foreign, { code_challenge: s256Challenge(verifier) });
    const asked = await browser.get(`/oauth/authorize?${parameters}`);
    const allowed = await browser.submit(asked.headers.get("location") ?? "", { decision: "allow" });
    const code = new URL(allowed.headers.get("location") ?? "about:blank").searchParams.get("code") ?? "";
    const { access_token: token } = await tokensOf(exchangeCode(foreign, { code, verifier }));
    expect((await fetch(`${server.url}/me`, { headers: bearer(token) })).status).toBe(200);
    for (const [method, path] of [
      ["GET", "/mfa/factors"],
      ["POST", "/mfa/totp/enroll"],
      ["POST", "/mfa/webauthn/register/begin"],
      ["DELETE", "/mfa/trusted-devices"],
    ] as const) {
      const response = await fetch(server.url + path, { method, headers: bearer(token) });
      expect([path, response.status]).toEqual([path, 403]);
    }
  });
});

describe("an account that somebody made with another one's address (pre-hijacking)", () => {
  /** Sudhodanan and Paverd 2022. Guard: domain/accounts/password-reset.ts (forgetFactors). */
  it("keeps none of their factors when the address's owner takes it over", async () => {
    const { person, authenticator } = await victimWithPasskey(server);
    const signIn = async () => {
      const options = await (await postJson(`${server.url}/mfa/webauthn/login/begin`, {})).json();
      return postJson(`${server.url}/mfa/webauthn/login/complete`, authenticator.get(options));
    };
    expect((await signIn()).status).toBe(200);
    const reset = async (new_password: string, except: string[]) => {
      await postJson(`${server.url}/forgot-password`, { email: person.email });
      const mail = await waitForMail(server, person.email, ({ id, text }) => {
        return text.includes("/reset-password") && !except.includes(id);
      });
      const token = new URL(linkIn(mail)).searchParams.get("token");
      expect((await postJson(`${server.url}/reset-password`, { token, new_password })).status).toBe(200);
      return mail.id;
    };
    const first = await reset("An0ther-Secret!", []);
    expect((await signIn()).status).toBe(401);
    const { access_token: token } = await login(server.url, person.username, "An0ther-Secret!");
    await setUpPasskey(server, token, authenticator);
    await reset("Yet-An0ther-Secret!", [first]);
    expect((await signIn()).status).toBe(200);
  });
});

describe("who has no account", () => {
  /** Guard: domain/mfa/pending-login.ts, requirePendingLogin (one error for all). */
  it("learns nothing from a made-up token", async () => {
    await register(server.url);
    const made = `chal_${"0".repeat(26)}_${"A".repeat(43)}`;
    expect(await errorOf(verifyTotp(server, made, "123456"))).toEqual(invalidToken);
    expect(await errorOf(verifyTotp(server, "chal_", "123456"))).toEqual(invalidToken);
  });
});
