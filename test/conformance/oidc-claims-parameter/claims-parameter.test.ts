/**
 * The claims parameter (OpenID Connect Core §5.5). Modules of the OpenID Foundation's suite, in our reading:
 * oidcc-claims-essential, oidcc-claims-locales, oidcc-ensure-request-with-acr-values-succeeds.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import * as client from "openid-client";
import type { User } from "../../../src/domain/users/service.ts";
import type { HttpBrowser } from "../../support/browser.ts";
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
let grace: User;
let app: Application;
let browser: HttpBrowser;

beforeAll(async () => {
  server = await startTestServer();
  ada = await addUser(server, "ada");
  grace = await addUser(server, "grace");
  app = await registerApplication(server);
});
afterAll(() => server.stop());
beforeEach(async () => {
  browser = await signedInBrowser(server, ada);
  server.clock.advance(1);
});

const asking = (claims: object, more: Record<string, string> = {}) => ({
  scope: "openid",
  claims: JSON.stringify(claims),
  ...more,
});

describe("OpenID Connect Core §5.5: requests for single claims", () => {
  it("are supported, says the metadata", () => {
    expect(app.config.serverMetadata().claims_parameter_supported).toBe(true);
  });

  /** oidcc-claims-essential */
  it("reach UserInfo, and the ID token, as they are asked for there", async () => {
    const claims = { userinfo: { name: { essential: true } }, id_token: { email: { essential: true } } };
    const { tokens } = await logIn(app, browser, ada, asking(claims));
    expect(tokens.claims()).toMatchObject({ email: "ada@example.com" });
    expect(tokens.claims()).not.toHaveProperty("name");
    const userinfo = await client.fetchUserInfo(app.config, tokens.access_token, ada.id);
    expect(userinfo).toMatchObject({ name: "Ada Lovelace" });
    expect(userinfo).not.toHaveProperty("email");
  });

  it("that cannot be met are no error, essential or not (§5.5.1)", async () => {
    const claims = { userinfo: { phone_number: { essential: true }, unheard_of: null } };
    const { tokens } = await logIn(app, browser, ada, asking(claims));
    const userinfo = await client.fetchUserInfo(app.config, tokens.access_token, ada.id);
    expect(userinfo).toEqual({ sub: ada.id });
  });

  it("that are malformed are an error", async () => {
    const { url } = await app.begin({ claims: "{" });
    expect(answerOf(await browser.open(url))["error"]).toBe("invalid_request");
  });
});

describe("OpenID Connect Core §5.5.1: sub with a value", () => {
  const sub = (value: string) => asking({ id_token: { sub: { value } } });

  it("is answered about that person", async () => {
    expect((await logIn(app, browser, ada, sub(ada.id))).tokens.claims()?.sub).toBe(ada.id);
  });

  it("is never answered about another", async () => {
    const silent = await app.begin({ ...sub(grace.id), prompt: "none" });
    expect(answerOf(await browser.open(silent.url))["error"]).toBe("login_required");
    const page = await browser.open((await app.begin(sub(grace.id))).url);
    expect(page.url.pathname).toBe("/signin");
    expect(answerOf(await fillSignIn(browser, page, "ada"))["error"]).toBe("login_required");
  });

  it("is answered once that person signs in", async () => {
    const pending = await app.begin(sub(grace.id));
    const visit = await fillSignIn(browser, await browser.open(pending.url), "grace");
    const tokens = await client.authorizationCodeGrant(app.config, visit.url, pending.checks);
    expect(tokens.claims()?.sub).toBe(grace.id);
  });
});

describe("OpenID Connect Core §8.1: a pairwise subject", () => {
  it("is what sub and id_token_hint name a person by", async () => {
    const pairwise = await registerApplication(server, { row: { subjectType: "pairwise" } });
    const first = await logIn(pairwise, browser, ada);
    const subject = first.tokens.claims()?.sub ?? "";
    expect(subject).not.toBe(ada.id);
    const hint = { id_token_hint: first.tokens.id_token ?? "", prompt: "none" };
    expect((await logIn(pairwise, browser, ada, hint)).tokens.claims()?.sub).toBe(subject);
    const named = asking({ id_token: { sub: { value: subject } } }, { prompt: "none" });
    expect((await logIn(pairwise, browser, ada, named)).tokens.claims()?.sub).toBe(subject);
    const byUserId = await pairwise.begin(
      asking({ id_token: { sub: { value: ada.id } } }, { prompt: "none" }),
    );
    expect(answerOf(await browser.open(byUserId.url))["error"]).toBe("login_required");

    const other = await signedInBrowser(server, grace);
    const about = await pairwise.begin(hint);
    expect(answerOf(await other.open(about.url))["error"]).toBe("login_required");
  });
});
