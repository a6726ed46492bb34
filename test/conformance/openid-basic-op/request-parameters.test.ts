/** Parameters of an authorization request that must not get in its way, whether or not they are understood. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import * as client from "openid-client";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser, type HttpBrowser } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import {
  addUser,
  answerOf,
  type Application,
  fillSignIn,
  logIn,
  registerApplication,
  signedInBrowser,
} from "../support.ts";

let server: TestServer;
let ada: User;
let app: Application;
let browser: HttpBrowser;

beforeAll(async () => {
  server = await startTestServer();
  ada = await addUser(server, "ada");
  app = await registerApplication(server);
});
afterAll(() => server.stop());
beforeEach(async () => {
  browser = await signedInBrowser(server, ada);
  server.clock.advance(1);
});

describe("RFC 6749 §3.1: parameters that nobody here knows", () => {
  /** oidcc-ensure-request-with-unknown-parameter-succeeds */
  it("are ignored, in a request that leads to a sign-in page too", async () => {
    const tokens = (await logIn(app, browser, ada, { extra: "foobar" })).tokens;
    expect(tokens.claims()?.sub).toBe(ada.id);
    const stranger = createHttpBrowser(server.url);
    expect((await logIn(app, stranger, ada, { extra: "foobar" })).tokens.claims()?.sub).toBe(ada.id);
  });

  /** RFC 6749 §3.1: a parameter without a value counts as omitted. */
  it("and those without a value are as if they were not there", async () => {
    const empty = { prompt: "", max_age: "", login_hint: "", acr_values: "", ui_locales: "", claims: "" };
    expect((await logIn(app, browser, ada, empty)).tokens.claims()?.sub).toBe(ada.id);
  });
});

describe("OpenID Connect Core §3.1.2.1: nonce", () => {
  /** oidcc-ensure-request-without-nonce-succeeds-for-code-flow */
  it("is not needed for the code flow, and then not in the ID token", async () => {
    const { url, checks } = await app.begin();
    url.searchParams.delete("nonce");
    const { url: answer } = await browser.open(url);
    const tokens = await client.authorizationCodeGrant(app.config, answer, {
      ...checks,
      expectedNonce: undefined,
    });
    expect(tokens.claims()?.sub).toBe(ada.id);
    expect(tokens.claims()).not.toHaveProperty("nonce");
  });
});

describe("OpenID Connect Core §3.1.2.1: response_type", () => {
  /** oidcc-response-type-missing */
  it("is needed", async () => {
    const { url, state } = await app.begin();
    url.searchParams.delete("response_type");
    expect(answerOf(await browser.open(url))).toMatchObject({ error: "invalid_request", state });
  });
});

describe("RFC 6749 §3.3: the order of things", () => {
  /** oidcc-alternate-happy-flow */
  it("of scopes and of parameters does not count", async () => {
    const pending = await app.begin({ scope: "email profile openid" });
    const url = new URL(pending.url);
    url.search = new URLSearchParams([...pending.url.searchParams].toReversed()).toString();
    const { url: answer } = await browser.open(url);
    const tokens = await client.authorizationCodeGrant(app.config, answer, pending.checks);
    expect(tokens.scope?.split(" ").toSorted()).toEqual(["email", "openid", "profile"]);
    const userinfo = await client.fetchUserInfo(app.config, tokens.access_token, ada.id);
    expect(userinfo).toMatchObject({ email: "ada@example.com", name: "Ada Lovelace" });
  });

  it("nor does it count that a scope is named twice", async () => {
    const { tokens } = await logIn(app, browser, ada, { scope: "openid email openid" });
    expect(tokens.scope).toBe("openid email");
  });
});

describe("OpenID Connect Core §3.1.2.1, §5.2: preferences that cannot be met", () => {
  /** oidcc-claims-locales, oidcc-ui-locales, oidcc-login-hint (of nobody here), oidcc-display-popup */
  it.each<Record<string, string>>([
    { claims_locales: "se" },
    { ui_locales: "se" },
    { login_hint: "buffy@example.org" },
    { display: "popup" },
    { acr_values: "1 2" },
  ])("are no error: %j", async (parameters) => {
    const stranger = createHttpBrowser(server.url);
    const pending = await app.begin(parameters);
    const page = await stranger.open(pending.url);
    expect([page.url.pathname, page.status]).toEqual(["/signin", 200]);
    const { url } = await fillSignIn(stranger, page, "ada");
    const tokens = await client.authorizationCodeGrant(app.config, url, pending.checks);
    expect(tokens.claims()?.sub).toBe(ada.id);
  });
});

describe("OpenID Connect Core §3.1.2.1: acr_values as they are announced", () => {
  /** oidcc-ensure-request-with-acr-values-succeeds */
  it("all at once succeed, and the ID token has one of them", async () => {
    const supported = app.config.serverMetadata()["acr_values_supported"];
    if (!Array.isArray(supported)) throw new Error("the metadata has no acr_values_supported");
    const { tokens } = await logIn(app, browser, ada, { acr_values: supported.join(" ") });
    expect(supported).toContain(String(tokens.claims()?.["acr"]));
  });
});

describe("OpenID Connect Core §11: offline_access", () => {
  /**
   * A third-party client gets it by a consent, which names it; one that was given is remembered, which is among the
   * "other conditions" that §11 leaves room for. For a first-party client nobody is asked.
   */
  it("is consented to where anybody is asked, also without prompt=consent", async () => {
    const third = await registerApplication(server, { firstParty: false });
    const pending = await third.begin({ scope: "openid offline_access" });
    const page = await browser.open(pending.url);
    expect(page.url.pathname).toBe("/oauth/consent");
    const answer = await browser.submit(page, "/oauth/consent", { decision: "allow" });
    const tokens = await client.authorizationCodeGrant(third.config, answer.url, pending.checks);
    expect(tokens.refresh_token).toBeString();
    // A consent to less says nothing about it.
    const other = await registerApplication(server, { firstParty: false });
    const first = await browser.open((await other.begin({ scope: "openid" })).url);
    await browser.submit(first, "/oauth/consent", { decision: "allow" });
    const again = await browser.open((await other.begin({ scope: "openid offline_access" })).url);
    expect(again.url.pathname).toBe("/oauth/consent");
  });

  it("is ignored for a client that may not refresh", async () => {
    const brief = await registerApplication(server, { grantTypes: ["authorization_code"] });
    const { tokens } = await logIn(brief, browser, ada, { scope: "openid offline_access" });
    expect([tokens.scope, tokens.refresh_token]).toEqual(["openid", undefined]);
  });
});

describe("OpenID Connect Core §3.1.2.1: max_age and prompt", () => {
  it("max_age=0 asks for a sign-in like prompt=login, and with prompt=none it is an error", async () => {
    const page = await browser.open((await app.begin({ max_age: "0" })).url);
    expect(page.url.pathname).toBe("/signin");
    const silent = await app.begin({ max_age: "0", prompt: "none" });
    expect(answerOf(await browser.open(silent.url))["error"]).toBe("login_required");
  });

  it("prompt=none and max_age are met by a sign-in that is young enough, of the person whom id_token_hint names", async () => {
    const { tokens } = await logIn(app, browser, ada);
    const { tokens: silent } = await logIn(app, browser, ada, {
      prompt: "none",
      max_age: "10000",
      id_token_hint: tokens.id_token ?? "",
    });
    const [before, after] = [tokens.claims(), silent.claims()];
    expect([after?.sub, after?.auth_time]).toEqual([before?.sub, before?.auth_time]);
  });
});
