/** How authorization requests arrive, how those that are not valid are refused, and how long one may wait. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser, type Visit } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import {
  addUser,
  answerOf,
  type Application,
  fillSignIn,
  registerApplication,
  signedInBrowser,
} from "../support.ts";

let server: TestServer;
let ada: User;
let app: Application;

beforeAll(async () => {
  server = await startTestServer();
  ada = await addUser(server, "ada");
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

describe("OpenID Connect Core §3.1.2.1: POST to the authorization endpoint", () => {
  /** oidcc-ensure-post-request-succeeds */
  it("finds the session although a form from another site brings no cookies", async () => {
    const browser = await signedInBrowser(server, ada);
    const { url, state } = await app.begin();
    const answer = answerOf(await browser.postFromElsewhere(url.origin + url.pathname, url.searchParams));
    expect(answer).toMatchObject({ code: expect.any(String), state });
  });

  /** oidcc-ensure-post-request-succeeds */
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

/** oidcc-ensure-registered-redirect-uri, oidcc-ensure-redirect-uri-in-authorization-request */
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

/**
 * oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported,
 * oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported
 */
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
    [
      "an unsigned request object",
      "invalid_request_object",
      (parameters) => parameters.set("request", "e30.e30."),
    ],
    [
      "a request object by reference",
      "request_uri_not_supported",
      (parameters) => parameters.set("request_uri", "https://app.example.com/request.jwt"),
    ],
    ["a resource", "invalid_target", (parameters) => parameters.set("resource", "https://api.example.com")],
  ])("%s: %s", async (_, error, change) => {
    const { url, state } = await app.begin();
    change(url.searchParams);
    const answer = answerOf(await createHttpBrowser(server.url).open(url));
    expect(answer).toEqual({ error, error_description: expect.any(String), state, iss: server.url });
  });

  it("no state is no error, and none is answered: PKCE protects the response", async () => {
    const { url } = await app.begin({ prompt: "none" });
    url.searchParams.delete("state");
    const answer = answerOf(await createHttpBrowser(server.url).open(url));
    expect(answer).toEqual({
      error: "login_required",
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
