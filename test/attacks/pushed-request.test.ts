/** Attacks on pushed authorization requests (RFC 9126 §7). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { s256Challenge } from "../../src/protocol/oauth/pkce.ts";
import { postForm, startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  authorizationParameters,
  basicAuthorization,
  type Browser,
  createApp,
  createOtherTenant,
  errorOf,
  exchangeCode,
  newVerifier,
  signedIn,
} from "./support.ts";

let server: TestServer;
let app: App;
let otherApp: App;
let browser: Browser;

beforeAll(async () => {
  server = await startTestServer();
  app = await createApp(server);
  otherApp = await createApp(server);
  ({ browser } = await signedIn(server.url));
});
afterAll(() => server.stop());

const pushRaw = (of: App, search: URLSearchParams, headers = basicAuthorization(of)) =>
  postForm(`${of.base}/oauth/par`, search, headers);

async function push(of: App = app, changes: Record<string, string | undefined> = {}): Promise<string> {
  const response = await pushRaw(of, authorizationParameters(of, changes));
  const { request_uri }: { request_uri: string } = await response.json();
  return request_uri;
}

const open = (requestUri: string, of: App = app, more: Record<string, string> = {}) =>
  browser.get(
    `/oauth/authorize?${new URLSearchParams({ client_id: of.client.clientId, request_uri: requestUri, ...more })}`,
  );

const codeOf = (response: Response) =>
  URL.parse(response.headers.get("location") ?? "")?.searchParams.get("code");

/** Shown, and redirected nowhere: whoever made this up does not choose where the browser goes. */
async function expectRefused(response: Response): Promise<void> {
  expect([response.status, response.headers.get("location")]).toEqual([400, null]);
  expect(await response.text()).toContain("invalid_request_uri");
}

describe("HEAD at the authorization endpoint", () => {
  /** Guard: web/oauth/authorize.routes.ts answers HEAD before it answers a pushed request, which is answered once. */
  it("uses up no pushed request", async () => {
    const query = new URLSearchParams({ client_id: app.client.clientId, request_uri: await push() });
    const { browser } = await signedIn(server.url);
    const head = await fetch(`${server.url}/oauth/authorize?${query}`, {
      method: "HEAD",
      redirect: "manual",
      headers: { cookie: browser.cookieHeader },
    });
    expect(head.status).toBe(200);
    const answer = await browser.get(`/oauth/authorize?${query}`);
    expect(answer.headers.get("location")).toContain("code=");
  });
});

describe("a request_uri in the wrong hands", () => {
  /** RFC 9126 §7.2. Guard: protocol/oauth/pushed-authorization-request.ts, requireUsablePushedRequest (clientId). */
  it("of another client is refused, and stays good for its own", async () => {
    const requestUri = await push();
    await expectRefused(await open(requestUri, otherApp));
    expect(codeOf(await open(requestUri))).toBeString();
  });

  /** RFC 9126 §7.3. Guard: requireUsablePushedRequest (consumedAt), and flow.ts, useUp. */
  it("that was used is refused", async () => {
    const requestUri = await push();
    expect(codeOf(await open(requestUri))).toBeString();
    await expectRefused(await open(requestUri));
  });

  /** CWE-367. Guard: domain/authorization/repo.ts, consumePushedRequest (isNull(consumedAt) in the one statement). */
  it("that races with 19 others works once", async () => {
    const requestUri = await push();
    const answers = await Promise.all(Array.from({ length: 20 }, () => open(requestUri)));
    expect(answers.filter((answer) => codeOf(answer)).length).toBe(1);
  });

  /** RFC 9126 §2.2. Guard: requireUsablePushedRequest (expiresAt). */
  it("that has expired is refused", async () => {
    const requestUri = await push();
    server.clock.advance(90);
    await expectRefused(await open(requestUri));
  });

  /** RFC 9126 §7.1. Guard: domain/authorization/pushed-requests.ts, openPushedRequest (matchesHash). */
  it("cannot be guessed, even by who knows its id", async () => {
    const requestUri = await push();
    await expectRefused(await open(requestUri.slice(0, -43) + newVerifier()));
    await expectRefused(await open("urn:ietf:params:oauth:request_uri:1"));
    expect(codeOf(await open(requestUri))).toBeString();
  });

  /** Guard: domain/authorization/repo.ts, findPushedRequest and consumePushedRequest (tenantId, each by itself). */
  it("of another tenant is refused, under the same client_id too", async () => {
    const other = await createOtherTenant(server, "par-thief");
    const theirs = await createApp(server, {}, other);
    await expectRefused(await open(await push(theirs), theirs));
    await expectRefused(await open(await push(theirs)));
  });
});

describe("a request that is pushed and one that is brought", () => {
  /** RFC 9126 §4, RFC 9700 §4.7.1. Guard: domain/authorization/begin.ts, unpack (the pushed parameters alone). */
  it("are not mixed: nothing beside the request_uri counts", async () => {
    const verifier = newVerifier();
    const requestUri = await push();
    const response = await open(requestUri, app, {
      redirect_uri: "https://evil.example/",
      state: "injected",
      response_mode: "fragment",
      code_challenge: s256Challenge(verifier),
      code_challenge_method: "S256",
      scope: "openid",
    });
    const location = new URL(response.headers.get("location") ?? "");
    expect([location.origin, location.hash, location.searchParams.get("state")]).toEqual([
      "https://app.example",
      "",
      "state-1",
    ]);
    // The attacker's own challenge took no effect, so that their verifier exchanges nothing.
    const code = location.searchParams.get("code") ?? "";
    expect(await errorOf(exchangeCode(app, { code, verifier }))).toEqual([400, "invalid_grant"]);
  });

  /** Parameter pollution. Guard: protocol/oauth/parameters.ts, refuseRepeated. */
  it("are refused when client_id or request_uri come twice", async () => {
    const requestUri = await push();
    const search = new URLSearchParams({ client_id: app.client.clientId, request_uri: requestUri });
    for (const name of ["client_id", "request_uri"]) {
      const twice = new URLSearchParams(search);
      twice.append(name, name === "client_id" ? otherApp.client.clientId : requestUri);
      const response = await browser.get(`/oauth/authorize?${twice}`);
      expect([response.status, codeOf(response)]).toEqual([400, undefined]);
    }
    expect(codeOf(await open(requestUri))).toBeString();
  });

  /** RFC 9126 §6. Guard: protocol/oauth/authorization-request.ts, requireDelivery. */
  it("are told apart where the client has to push", async () => {
    await server.configure({ require_pushed_authorization_requests: true });
    try {
      const response = await browser.get(`/oauth/authorize?${authorizationParameters(app)}`);
      expect(codeOf(response)).toBeNull();
      expect(response.headers.get("location")).toContain("error=invalid_request");
    } finally {
      await server.configure({ require_pushed_authorization_requests: false });
    }
  });
});

describe("pushing in another's name", () => {
  /** RFC 9126 §2. Guard: api/oauth/par.ts, requireClient. */
  it("is refused without the client's secret, or with another's", async () => {
    const search = authorizationParameters(app);
    expect(await errorOf(pushRaw(app, search, {}))).toEqual([401, "invalid_client"]);
    const stolen = new URLSearchParams([...search, ["client_secret", otherApp.secret ?? ""]]);
    expect(await errorOf(pushRaw(app, stolen, {}))).toEqual([401, "invalid_client"]);
  });

  /**
   * RFC 9126 §2.1. Guard: protocol/oauth/client-authentication.ts and pushed-authorization-request.ts, readPushedRequest
   * (each compares client_id).
   */
  it("is refused for another client_id than the one that authenticated", async () => {
    expect(await errorOf(pushRaw(otherApp, authorizationParameters(app)))).toEqual([400, "invalid_request"]);
  });
});

describe("PKCE at the pushing", () => {
  /** RFC 9700 §2.1.1. Guard: protocol/oauth/pkce.ts, requireCodeChallenge. */
  it("cannot be left out or weakened", async () => {
    for (const changes of [
      { code_challenge: undefined, code_challenge_method: undefined },
      { code_challenge_method: undefined },
      { code_challenge_method: "plain" },
      { code_challenge: "short" },
    ])
      expect(await errorOf(pushRaw(app, authorizationParameters(app, changes)))).toEqual([
        400,
        "invalid_request",
      ]);
  });
});
