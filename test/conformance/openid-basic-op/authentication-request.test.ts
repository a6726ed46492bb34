/** What an authentication request can ask for beside the scope. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import * as client from "openid-client";
import type { User } from "../../../src/domain/users/service.ts";
import { linkIn, waitForMail } from "../../support/mailbox.ts";
import { createHttpBrowser, type Visit } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import {
  addUser,
  answerOf,
  type Application,
  fillSignIn,
  logIn,
  PASSWORD,
  registerApplication,
  signedInBrowser,
  userinfoStatus,
} from "../support.ts";

let server: TestServer;
let ada: User;
let grace: User;
let app: Application;

beforeAll(async () => {
  server = await startTestServer();
  ada = await addUser(server, "ada");
  grace = await addUser(server, "grace");
  app = await registerApplication(server);
});
afterAll(() => server.stop());
// Sign-ins of the test before are then older than every request.
beforeEach(() => server.clock.advance(1));

const pageAt = (visit: Visit) => [visit.url.pathname, visit.status];

describe("OpenID Connect Core §3.1.2.1: prompt=none", () => {
  /** oidcc-prompt-none-logged-in */
  it("answers without a page when the person is signed in", async () => {
    const browser = await signedInBrowser(server, ada);
    const { tokens } = await logIn(app, browser, ada, { prompt: "none" });
    expect(tokens.claims()?.sub).toBe(ada.id);
  });

  /** oidcc-prompt-none-not-logged-in */
  it("answers login_required when nobody is", async () => {
    const pending = await app.begin({ prompt: "none" });
    const answer = answerOf(await createHttpBrowser(server.url).open(pending.url));
    expect(answer).toMatchObject({ error: "login_required", state: pending.state, iss: server.url });
    expect(answer).not.toHaveProperty("code");
  });

  it("is refused beside another value", async () => {
    const pending = await app.begin({ prompt: "none login" });
    expect(answerOf(await createHttpBrowser(server.url).open(pending.url))["error"]).toBe("invalid_request");
  });
});

describe("OpenID Connect Core §3.1.2.1: prompt=login", () => {
  /** oidcc-prompt-login */
  it("asks for the password again, and says when it was given in auth_time", async () => {
    const browser = await signedInBrowser(server, ada);
    const before = await logIn(app, browser, ada);
    server.clock.advance(30);
    const pending = await app.begin({ prompt: "login" });
    const page = await browser.open(pending.url);
    expect(pageAt(page)).toEqual(["/signin", 200]);
    const after = await logIn(app, browser, ada, { prompt: "login" });
    const authTime = (login: typeof before) => Number(login.tokens.claims()?.auth_time);
    expect(authTime(after) - authTime(before)).toBe(30);
  });

  it("leaves the tokens of the sign-in before, when it is the same person", async () => {
    const browser = await signedInBrowser(server, ada);
    const before = await logIn(app, browser, ada);
    server.clock.advance(1);
    await logIn(app, browser, ada, { prompt: "login" });
    expect(await userinfoStatus(server, before.tokens.access_token)).toBe(200);
    expect(await client.refreshTokenGrant(app.config, before.tokens.refresh_token ?? "")).toHaveProperty(
      "access_token",
    );
  });

  it("ends the session and the tokens of another person who was signed in before", async () => {
    const browser = await signedInBrowser(server, ada);
    const before = await logIn(app, browser, ada);
    server.clock.advance(1);
    await logIn(app, browser, grace, { prompt: "login" });
    expect(await userinfoStatus(server, before.tokens.access_token)).toBe(401);
  });

  it("ends the cookie that was there before", async () => {
    const browser = await signedInBrowser(server, ada);
    const [, cookie = ""] = [...browser.cookies].find(([name]) => name === "__Host-gw_session") ?? [];
    const old = createHttpBrowser(server.url, { cookies: { "__Host-gw_session": cookie } });
    expect(pageAt(await old.open("/account"))).toEqual(["/account", 200]);
    server.clock.advance(1);
    await logIn(app, browser, ada, { prompt: "login" });
    expect(pageAt(await old.open("/account"))).toEqual(["/signin", 200]);
  });
});

describe("OpenID Connect Core §3.1.2.1: max_age", () => {
  /** oidcc-max-age-10000 */
  it("is satisfied by a sign-in that is not older", async () => {
    const browser = await signedInBrowser(server, ada);
    server.clock.advance(60);
    const { tokens } = await logIn(app, browser, ada, { max_age: "60", prompt: "none" });
    expect(tokens.claims()?.auth_time).toBe(Math.floor(server.clock.now().getTime() / 1000) - 60);
  });

  /** oidcc-max-age-1 */
  it("asks for the password again when it is older", async () => {
    const browser = await signedInBrowser(server, ada);
    server.clock.advance(61);
    const pending = await app.begin({ max_age: "60" });
    expect(pageAt(await browser.open(pending.url))).toEqual(["/signin", 200]);
    const { tokens } = await logIn(app, browser, ada, { max_age: "60" });
    expect(tokens.claims()?.auth_time).toBe(Math.floor(server.clock.now().getTime() / 1000));
  });

  it("answers login_required with prompt=none when it is older", async () => {
    const browser = await signedInBrowser(server, ada);
    server.clock.advance(61);
    const pending = await app.begin({ max_age: "60", prompt: "none" });
    expect(answerOf(await browser.open(pending.url))["error"]).toBe("login_required");
  });
});

describe("Initiating User Registration §4: prompt=create", () => {
  it("shows the sign-up page first, from which the request goes on", async () => {
    const browser = createHttpBrowser(server.url);
    const pending = await app.begin({ prompt: "create" });
    const page = await browser.open(pending.url);
    expect(pageAt(page)).toEqual(["/signup", 200]);
    const sent = await browser.submit(page, "/signup", {
      email: "new@example.com",
      username: "new",
      password: PASSWORD,
    });
    expect(sent.html).toContain("new@example.com");
    const [, link = ""] = /href="(\/signin\?interaction=[^"]+)"/.exec(sent.html) ?? [];
    const answer = answerOf(await fillSignIn(browser, await browser.open(link), "new"));
    expect(answer).toMatchObject({ code: expect.any(String), state: pending.state });
  });

  it("goes on from the mail's link too, in the browser that asked and in no other", async () => {
    const browser = createHttpBrowser(server.url);
    const pending = await app.begin({ prompt: "create" });
    const page = await browser.open(pending.url);
    const email = "mailed@example.com";
    await browser.submit(page, "/signup", { email, username: "mailed", password: PASSWORD });
    const link = linkIn(await waitForMail(server, email));
    const elsewhere = createHttpBrowser(server.url);
    expect((await elsewhere.open(link)).forms).toHaveLength(1);
    const confirmed = await browser.submit(await browser.open(link), "/verify-email/confirm");
    expect(pageAt(confirmed)).toEqual(["/signin", 200]);
    const answer = answerOf(await fillSignIn(browser, confirmed, "mailed"));
    expect(answer).toMatchObject({ code: expect.any(String), state: pending.state });
    expect(browser.cookies.has("__Host-gw_pending")).toBe(false);
  });
});

describe("OpenID Connect Core §3.1.2.1: login_hint and id_token_hint", () => {
  /** oidcc-login-hint */
  it("puts login_hint into the sign-in page's field, escaped", async () => {
    const pending = await app.begin({ login_hint: 'ada"><b>@example.com' });
    const page = await createHttpBrowser(server.url).open(pending.url);
    expect(page.forms[0]?.fields["identifier"]).toBe('ada"><b>@example.com');
    expect(page.html).not.toContain("<b>@");
  });

  /** oidcc-id-token-hint */
  it("accepts the signed-in person's ID token as id_token_hint, an expired one too", async () => {
    const browser = await signedInBrowser(server, ada);
    const { tokens } = await logIn(app, browser, ada);
    server.clock.advance(901);
    const hint = { id_token_hint: tokens.id_token ?? "", prompt: "none" };
    expect((await logIn(app, browser, ada, hint)).tokens.claims()?.sub).toBe(ada.id);
  });

  it("never answers about another person than the id_token_hint names", async () => {
    const { tokens } = await logIn(app, createHttpBrowser(server.url), ada);
    const browser = await signedInBrowser(server, grace);
    const hint = { id_token_hint: tokens.id_token ?? "" };
    const silent = await app.begin({ ...hint, prompt: "none" });
    expect(answerOf(await browser.open(silent.url))["error"]).toBe("login_required");

    server.clock.advance(1);
    const page = await browser.open((await app.begin(hint)).url);
    expect(pageAt(page)).toEqual(["/signin", 200]);
    expect(answerOf(await fillSignIn(browser, page, "grace"))["error"]).toBe("login_required");
  });

  it("refuses an id_token_hint that was made for another client", async () => {
    const other = await registerApplication(server);
    const { tokens } = await logIn(other, createHttpBrowser(server.url), ada);
    const pending = await app.begin({ id_token_hint: tokens.id_token ?? "" });
    expect(answerOf(await createHttpBrowser(server.url).open(pending.url))["error"]).toBe("invalid_request");
  });
});
