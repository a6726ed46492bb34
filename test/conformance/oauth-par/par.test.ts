/**
 * Pushed authorization requests, with `openid-client` as the client. Modules of the OpenID Foundation's suite, in our
 * reading of them: fapi2-security-profile-final-happy-flow, -par-attempt-reuse-request_uri,
 * -par-attempt-to-use-expired-request_uri, -par-attempt-to-use-request_uri-for-different-client,
 * -par-authorization-request-containing-request_uri, -ensure-unsigned-authorization-request-without-using-par-fails,
 * -par-without-duplicate-parameters.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import * as client from "openid-client";
import { cleanUp } from "../../../src/domain/maintenance/service.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser, type HttpBrowser } from "../../support/browser.ts";
import { type PendingLogin } from "../../support/relying-party.ts";
import { postForm, startTestServer, type TestServer } from "../../support/server.ts";
import { registerKeyedApplication } from "../client-keys.ts";
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

/** What openid-client would send in the query, pushed instead. */
async function push(
  of: Application = app,
  parameters: Record<string, string> = {},
): Promise<{ url: URL; pending: PendingLogin }> {
  const pending = await of.begin(parameters);
  const url = await client.buildAuthorizationUrlWithPAR(of.config, pending.url.searchParams);
  return { url, pending };
}

/** A raw push, authenticated by HTTP Basic. */
async function rawPush(changes: (parameters: URLSearchParams) => void, of: Application = app) {
  const { searchParams } = (await of.begin()).url;
  changes(searchParams);
  const credentials = Buffer.from(`${of.registered.client.clientId}:${of.registered.clientSecret}`);
  return postForm(`${server.url}/oauth/par`, searchParams, {
    authorization: `Basic ${credentials.toString("base64")}`,
  });
}

const errorOf = async (response: Response) => {
  const { error }: { error: string } = await response.json();
  return [response.status, error];
};

describe("RFC 9126 §2: pushing a request", () => {
  it("answers 201 with a request_uri that lives for 5 to 600 seconds, never to be stored (§2.2)", async () => {
    const response = await rawPush(() => {});
    expect([response.status, response.headers.get("cache-control")]).toEqual([201, "no-store"]);
    expect(await response.json()).toEqual({
      request_uri: expect.stringMatching(/^urn:ietf:params:oauth:request_uri:.{43,}$/),
      expires_in: 90,
    });
  });

  it("is announced by metadata (§5)", async () => {
    const metadata = app.config.serverMetadata();
    expect(metadata.pushed_authorization_request_endpoint).toBe(`${server.url}/oauth/par`);
    expect(metadata.require_pushed_authorization_requests).toBe(false);
  });

  it("is for clients that authenticate as they do at the token endpoint", async () => {
    const keyed = await registerKeyedApplication(server);
    const { url, pending } = await push(keyed);
    const visit = await browser.open(url);
    const tokens = await client.authorizationCodeGrant(keyed.config, visit.url, pending.checks);
    expect(tokens.claims()?.sub).toBe(ada.id);
  });

  it("is for public clients too", async () => {
    const spa = await registerApplication(server, { public: true });
    const { url, pending } = await push(spa);
    const visit = await browser.open(url);
    expect(await client.authorizationCodeGrant(spa.config, visit.url, pending.checks)).toHaveProperty(
      "access_token",
    );
  });

  it("refuses who does not authenticate, with invalid_client", async () => {
    const { searchParams } = (await app.begin()).url;
    expect(await errorOf(await postForm(`${server.url}/oauth/par`, searchParams))).toEqual([
      401,
      "invalid_client",
    ]);
  });

  it("takes no other method than POST (§2.3)", async () => {
    for (const method of ["GET", "PUT", "DELETE"]) {
      const { status, headers } = await fetch(`${server.url}/oauth/par?client_id=a`, { method });
      expect([method, status, headers.get("allow")]).toEqual([method, 405, "POST"]);
    }
  });

  it.each<[string, string, (parameters: URLSearchParams) => void]>([
    [
      "a redirect_uri that is not registered",
      "invalid_request",
      (p) => p.set("redirect_uri", "https://evil.example/"),
    ],
    ["no PKCE", "invalid_request", (p) => p.delete("code_challenge")],
    ["PKCE plain", "invalid_request", (p) => p.set("code_challenge_method", "plain")],
    ["an implicit flow", "unsupported_response_type", (p) => p.set("response_type", "token")],
    ["an unknown scope", "invalid_scope", (p) => p.set("scope", "openid everything")],
    ["an unknown resource", "invalid_target", (p) => p.set("resource", "https://api.example.com")],
    ["a parameter twice", "invalid_request", (p) => p.append("state", "again")],
    [
      "a request_uri (§2.1)",
      "invalid_request",
      (p) => p.set("request_uri", "urn:ietf:params:oauth:request_uri:x"),
    ],
    ["another client's client_id", "invalid_request", (p) => p.set("client_id", "other")],
    ["a request that no browser could carry", "invalid_request", (p) => p.set("state", "x".repeat(9000))],
  ])("refuses at once what the authorization endpoint would refuse: %s", async (_, error, change) => {
    expect(await errorOf(await rawPush(change))).toEqual([400, error]);
  });
});

describe("RFC 9126 §4: the authorization request", () => {
  it("is client_id and request_uri alone, and leads to tokens", async () => {
    const { url, pending } = await push();
    expect([...url.searchParams.keys()].toSorted()).toEqual(["client_id", "request_uri"]);
    const visit = await browser.open(url);
    const tokens = await client.authorizationCodeGrant(app.config, visit.url, pending.checks);
    expect(tokens.claims()?.sub).toBe(ada.id);
  });

  it("goes on after a sign-in, whatever time that takes", async () => {
    const stranger = createHttpBrowser(server.url);
    const { url, pending } = await push();
    const page = await stranger.open(url);
    server.clock.advance(300);
    const visit = await fillSignIn(stranger, page, "ada");
    expect(await client.authorizationCodeGrant(app.config, visit.url, pending.checks)).toHaveProperty(
      "id_token",
    );
  });

  it("takes nothing from what stands beside it", async () => {
    const { url, pending } = await push();
    url.searchParams.set("state", "injected");
    url.searchParams.set("scope", "openid");
    url.searchParams.set("response_mode", "fragment");
    const answer = answerOf(await browser.open(url));
    expect(answer["state"]).toBe(pending.state);
  });

  it("may come by POST", async () => {
    const { url, pending } = await push();
    const visit = await browser.postFromElsewhere(`${server.url}/oauth/authorize`, url.searchParams);
    expect(answerOf(visit)).toMatchObject({ code: expect.any(String), state: pending.state });
  });

  it("works once (§7.3): then it is an error that is shown", async () => {
    const { url } = await push();
    expect(answerOf(await browser.open(url))).toHaveProperty("code");
    const again = await browser.open(url);
    expect([again.status, again.html.includes("invalid_request_uri")]).toEqual([400, true]);
  });

  it("is used up by its answer, not by being opened: of two pages one leads to a code", async () => {
    const { url } = await push();
    const [one, other] = [createHttpBrowser(server.url), createHttpBrowser(server.url)];
    const pages = [await one.open(url), await other.open(url)];
    expect(pages.map((page) => page.url.pathname)).toEqual(["/signin", "/signin"]);
    const [first, second] = pages;
    if (!first || !second) throw new Error("no pages");
    expect(answerOf(await fillSignIn(one, first, "ada"))).toHaveProperty("code");
    const late = await fillSignIn(other, second, "ada");
    expect([late.status, late.html.includes("invalid_request_uri")]).toEqual([400, true]);
  });

  it("is still there when its page is answered, however long that took, and gone some time after", async () => {
    const stranger = createHttpBrowser(server.url);
    const page = await stranger.open((await push()).url);
    server.clock.advance(2 * 60 * 60);
    await cleanUp(server.deps);
    expect(answerOf(await fillSignIn(stranger, page, "ada"))).toHaveProperty("code");
    server.clock.advance(2 * 60 * 60);
    expect((await cleanUp(server.deps))["pushed_authorization_requests"]).toBeGreaterThan(0);
    browser = await signedInBrowser(server, ada);
  });

  it("is used up by the person's no, too", async () => {
    const third = await registerApplication(server, { firstParty: false });
    const parameters = Object.fromEntries((await third.begin()).url.searchParams);
    const url = await client.buildAuthorizationUrlWithPAR(third.config, parameters);
    const consent = await browser.open(url);
    const denied = await browser.submit(consent, "/oauth/consent", { decision: "deny" });
    expect(answerOf(denied)["error"]).toBe("access_denied");
    expect((await browser.open(url)).html).toContain("invalid_request_uri");
  });

  it("works until it expires", async () => {
    const [inTime, tooLate] = [await push(), await push()];
    server.clock.advance(89);
    expect(answerOf(await browser.open(inTime.url))).toHaveProperty("code");
    server.clock.advance(1);
    expect((await browser.open(tooLate.url)).html).toContain("invalid_request_uri");
  });

  it("works for its own client alone, and is not used up by another (§7.2)", async () => {
    const other = await registerApplication(server);
    const { url } = await push();
    const stolen = new URL(url);
    stolen.searchParams.set("client_id", other.registered.client.clientId);
    expect((await browser.open(stolen)).html).toContain("invalid_request_uri");
    expect(answerOf(await browser.open(url))).toHaveProperty("code");
  });
});

describe("RFC 9126 §5, §6: who has to push", () => {
  it("is a client that is registered so: its other requests are errors, and its pushed ones none", async () => {
    const strict = await registerApplication(server, { row: { requirePushedAuthorizationRequests: true } });
    const { url, state } = await strict.begin();
    expect(answerOf(await browser.open(url))).toMatchObject({ error: "invalid_request", state });
    expect(answerOf(await browser.open((await push(strict)).url))).toHaveProperty("code");
  });

  it("is every client of a tenant that says so, in its metadata too", async () => {
    await server.configure({ require_pushed_authorization_requests: true });
    try {
      expect(answerOf(await browser.open((await app.begin()).url))["error"]).toBe("invalid_request");
      expect(answerOf(await browser.open((await push()).url))).toHaveProperty("code");
      const metadata = await fetch(`${server.url}/.well-known/oauth-authorization-server`);
      expect(await metadata.json()).toMatchObject({ require_pushed_authorization_requests: true });
    } finally {
      await server.configure({ require_pushed_authorization_requests: false });
    }
  });
});
