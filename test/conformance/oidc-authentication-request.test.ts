/** What an authentication request can ask for beside the scope, and how requests that are not valid are refused. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import * as client from "openid-client";
import type { User } from "../../src/domain/users/service.ts";
import { linkIn, waitForMail } from "../support/mailbox.ts";
import { createHttpBrowser, type Visit } from "../support/browser.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
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
} from "./support.ts";

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

/** Opens a request that is valid but for `change`. */
const openChanged = async (change: (parameters: URLSearchParams) => void) => {
  const { url } = await app.begin();
  change(url.searchParams);
  return createHttpBrowser(server.url).open(url);
};

describe("OpenID Connect Core §3.1.2.1: prompt=none", () => {
  it("answers without a page when the person is signed in", async () => {
    const browser = await signedInBrowser(server, ada);
    const { tokens } = await logIn(app, browser, ada, { prompt: "none" });
    expect(tokens.claims()?.sub).toBe(ada.id);
  });

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
  it("is satisfied by a sign-in that is not older", async () => {
    const browser = await signedInBrowser(server, ada);
    server.clock.advance(60);
    const { tokens } = await logIn(app, browser, ada, { max_age: "60", prompt: "none" });
    expect(tokens.claims()?.auth_time).toBe(Math.floor(server.clock.now().getTime() / 1000) - 60);
  });

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
  it("puts login_hint into the sign-in page's field, escaped", async () => {
    const pending = await app.begin({ login_hint: 'ada"><b>@example.com' });
    const page = await createHttpBrowser(server.url).open(pending.url);
    expect(page.forms[0]?.fields["identifier"]).toBe('ada"><b>@example.com');
    expect(page.html).not.toContain("<b>@");
  });

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

describe("OpenID Connect Core §3.1.2.1: POST to the authorization endpoint", () => {
  it("finds the session although a form from another site brings no cookies", async () => {
    const browser = await signedInBrowser(server, ada);
    const { url, state } = await app.begin();
    const answer = answerOf(await browser.postFromElsewhere(url.origin + url.pathname, url.searchParams));
    expect(answer).toMatchObject({ code: expect.any(String), state });
  });

  it("leads to the sign-in page where there is none, and back", async () => {
    const browser = createHttpBrowser(server.url);
    const { url, state } = await app.begin();
    const page = await browser.postFromElsewhere(url.origin + url.pathname, url.searchParams);
    expect(pageAt(page)).toEqual(["/signin", 200]);
    expect(answerOf(await fillSignIn(browser, page, "ada"))).toMatchObject({
      code: expect.any(String),
      state,
    });
  });

  it("refuses the same requests as GET", async () => {
    const { url } = await app.begin({ redirect_uri: "https://elsewhere.example/" });
    const page = await createHttpBrowser(server.url).postFromElsewhere(
      url.origin + url.pathname,
      url.searchParams,
    );
    expect(page.status).toBe(400);
  });
});

describe("OAuth 2.1 §4.1.2.1: errors are shown where the client or its redirect URI is in doubt", () => {
  it.each<[string, (parameters: URLSearchParams) => void]>([
    ["unknown client", (parameters) => parameters.set("client_id", "nobody")],
    ["no client", (parameters) => parameters.delete("client_id")],
    ["client_id twice", (parameters) => parameters.append("client_id", "nobody")],
    ["another redirect URI", (parameters) => parameters.set("redirect_uri", "https://elsewhere.example/")],
    [
      "a longer redirect URI",
      (parameters) => parameters.set("redirect_uri", "https://app.example.com/callback/x"),
    ],
    ["no redirect URI", (parameters) => parameters.delete("redirect_uri")],
    ["redirect_uri twice", (parameters) => parameters.append("redirect_uri", "https://elsewhere.example/")],
  ])("%s", async (_, change) => {
    const page = await openChanged(change);
    expect(pageAt(page)).toEqual(["/oauth/authorize", 400]);
    expect(page.headers.get("content-type")).toStartWith("text/html");
    expect(page.html).not.toContain("elsewhere.example");
  });
});

describe("OAuth 2.1 §4.1.2.1: other errors are told to the client, with state and iss", () => {
  it.each<[string, string, (parameters: URLSearchParams) => void]>([
    ["no PKCE", "invalid_request", (parameters) => parameters.delete("code_challenge")],
    ["PKCE plain", "invalid_request", (parameters) => parameters.set("code_challenge_method", "plain")],
    [
      "an implicit flow",
      "unsupported_response_type",
      (parameters) => parameters.set("response_type", "token"),
    ],
    ["an unknown scope", "invalid_scope", (parameters) => parameters.set("scope", "openid everything")],
    ["a parameter twice", "invalid_request", (parameters) => parameters.append("nonce", "again")],
    ["an unknown prompt", "invalid_request", (parameters) => parameters.set("prompt", "hard")],
    ["a negative max_age", "invalid_request", (parameters) => parameters.set("max_age", "-1")],
    ["a request object", "request_not_supported", (parameters) => parameters.set("request", "e30.e30.")],
    ["a resource", "invalid_target", (parameters) => parameters.set("resource", "https://api.example.com")],
  ])("%s: %s", async (_, error, change) => {
    const { url, state } = await app.begin();
    change(url.searchParams);
    const answer = answerOf(await createHttpBrowser(server.url).open(url));
    expect(answer).toEqual({ error, error_description: expect.any(String), state, iss: server.url });
  });

  it("no state: invalid_request", async () => {
    const { url } = await app.begin();
    url.searchParams.delete("state");
    const answer = answerOf(await createHttpBrowser(server.url).open(url));
    expect(answer).toEqual({
      error: "invalid_request",
      error_description: expect.any(String),
      iss: server.url,
    });
  });
});

describe("the request while its pages are shown", () => {
  it("can be answered for two hours", async () => {
    const browser = createHttpBrowser(server.url);
    const { url } = await app.begin();
    const page = await browser.open(url);
    server.clock.advance(2 * 60 * 60);
    expect(answerOf(await fillSignIn(browser, page, "ada"))).toHaveProperty("code");
  });

  it("is told to be too old afterwards, and leads nowhere else", async () => {
    const browser = createHttpBrowser(server.url);
    const { url } = await app.begin();
    const page = await browser.open(url);
    server.clock.advance(2 * 60 * 60 + 1);
    const after = await fillSignIn(browser, page, "ada");
    expect(pageAt(after)).toEqual(["/signin", 400]);
    expect(after.html).toContain("took too long");
    for (const path of ["/signup", "/recover", "/oauth/consent", "/oauth/authorize"]) {
      const search = new URLSearchParams({ interaction: page.forms[0]?.fields["interaction"] ?? "" });
      expect(pageAt(await browser.open(`${path}?${search}`))).toEqual([path, 400]);
    }
  });

  it("is bounded, so that it fits into the addresses that carry it", async () => {
    const browser = createHttpBrowser(server.url);
    const { url } = await app.begin({ state: "x".repeat(9000) });
    expect(pageAt(await browser.open(url))).toEqual(["/oauth/authorize", 400]);
    const posted = await browser.postFromElsewhere(`${server.url}/oauth/authorize`, url.searchParams);
    expect(pageAt(posted)).toEqual(["/oauth/authorize", 400]);
  });

  it("survives a wrong password, which keeps what was typed as the identifier", async () => {
    const browser = createHttpBrowser(server.url);
    const { url, state } = await app.begin();
    const refused = await fillSignIn(browser, await browser.open(url), "ada", "wrong");
    expect(pageAt(refused)).toEqual(["/signin", 400]);
    expect(refused.html).toContain("The identifier or the password is not right.");
    expect(refused.forms[0]?.fields).toMatchObject({ identifier: "ada", password: "" });
    expect(answerOf(await fillSignIn(browser, refused, "ada"))["state"]).toBe(state);
  });
});
