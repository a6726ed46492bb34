/**
 * Signed request objects (RFC 9101), made by `openid-client`. Modules of the OpenID Foundation's suite, in our reading:
 * fapi2-security-profile-final-happy-flow (with signed requests), and of that plan -ensure-request-object-with-invalid-
 * signature-fails, -without-exp-fails, -with-exp-over-60-fails, -with-bad-aud-fails, -with-multiple-aud-succeeds,
 * -without-nbf-fails, -state-only-outside-request-object-not-used; oidcc-ensure-request-object-with-redirect-uri,
 * oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { generateKeyPair, SignJWT } from "jose";
import * as client from "openid-client";
import type { User } from "../../../src/domain/users/service.ts";
import type { HttpBrowser } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { type KeyedApplication, registerKeyedApplication } from "../client-keys.ts";
import { addUser, answerOf, REDIRECT_URI, registerApplication, signedInBrowser } from "../support.ts";

let server: TestServer;
let ada: User;
let app: KeyedApplication;
let browser: HttpBrowser;

beforeAll(async () => {
  server = await startTestServer();
  ada = await addUser(server, "ada");
  app = await registerKeyedApplication(server);
  browser = await signedInBrowser(server, ada);
});
afterAll(() => server.stop());

const seconds = () => Math.floor(server.clock.now().getTime() / 1000);

/** A request object whose claims a client would never make; what is set to undefined is taken out. */
async function objectWith(
  changes: Record<string, unknown> = {},
  options: { header?: Record<string, unknown>; key?: CryptoKey } = {},
): Promise<{ url: URL; state: string }> {
  const { url, state } = await app.begin();
  const claims = {
    ...Object.fromEntries(url.searchParams),
    iss: app.registered.client.clientId,
    aud: server.url,
    nbf: seconds(),
    exp: seconds() + 60,
    jti: Bun.randomUUIDv7(),
    ...changes,
  };
  const { key, kid } = app.privateKey;
  const object = await new SignJWT(JSON.parse(JSON.stringify(claims)))
    .setProtectedHeader({ alg: "ES256", kid, typ: "oauth-authz-req+jwt", ...options.header })
    .sign(options.key ?? key);
  const clientId = app.registered.client.clientId;
  url.search = new URLSearchParams({ client_id: clientId, request: object }).toString();
  return { url, state };
}

const refusalOf = async (url: URL) => {
  const visit = await browser.open(url);
  return [visit.status, /invalid_request_object|invalid_request/.exec(visit.html)?.[0]];
};

describe("RFC 9101: a request in a signed object", () => {
  it("is answered like any other", async () => {
    const pending = await app.begin();
    const url = await client.buildAuthorizationUrlWithJAR(
      app.config,
      pending.url.searchParams,
      app.privateKey,
    );
    expect(url.searchParams.has("request")).toBe(true);
    const visit = await browser.open(url);
    const tokens = await client.authorizationCodeGrant(app.config, visit.url, pending.checks);
    expect(tokens.claims()?.sub).toBe(ada.id);
  });

  it("is announced by metadata (§10.5), and so is that none is fetched", () => {
    expect(app.config.serverMetadata()).toMatchObject({
      request_parameter_supported: true,
      request_uri_parameter_supported: false,
      require_signed_request_object: false,
      request_object_signing_alg_values_supported: expect.arrayContaining(["ES256", "PS256", "EdDSA"]),
    });
    expect(app.config.serverMetadata()["request_object_signing_alg_values_supported"]).not.toContain("none");
  });

  it("holds all of the request: nothing is taken from beside it (§6.3)", async () => {
    const { url } = await objectWith({ state: undefined, nonce: undefined });
    url.searchParams.set("state", "outside");
    url.searchParams.set("prompt", "login");
    const answer = answerOf(await browser.open(url));
    expect(answer).toHaveProperty("code");
    expect(answer).not.toHaveProperty("state");
  });

  it("may hold several aud, ours among them", async () => {
    const { url } = await objectWith({ aud: ["https://elsewhere.example", server.url] });
    expect(answerOf(await browser.open(url))).toHaveProperty("code");
  });

  it("may hold objects and numbers where a query has text: claims, max_age", async () => {
    const { url } = await objectWith({ max_age: 100_000, claims: { id_token: { acr: null } } });
    expect(answerOf(await browser.open(url))).toHaveProperty("code");
  });

  it("is used once", async () => {
    const { url } = await objectWith();
    expect(answerOf(await browser.open(url))).toHaveProperty("code");
    expect(await refusalOf(url)).toEqual([400, "invalid_request_object"]);
  });

  it("can be pushed (RFC 9126 §3)", async () => {
    const { url, state } = await objectWith();
    const pushed = await client.buildAuthorizationUrlWithPAR(app.config, url.searchParams);
    expect(answerOf(await browser.open(pushed))).toMatchObject({ code: expect.any(String), state });
  });
});

describe("RFC 9101 §6: an object is refused", () => {
  it.each<[string, Record<string, unknown>]>([
    ["of another issuer than the client", { iss: "other" }],
    ["for another audience", { aud: "https://elsewhere.example" }],
    ["without an audience", { aud: undefined }],
    ["without exp", { exp: undefined }],
    ["that has expired", { exp: 1 }],
    ["without nbf", { nbf: undefined }],
    ["for another client_id", { client_id: "other" }],
    ["that holds another object", { request: "a.b.c" }],
    ["that holds a request_uri", { request_uri: "urn:ietf:params:oauth:request_uri:x" }],
    ["that has the client as sub: a client assertion", { sub: "SELF" }],
  ])("%s", async (_, changes) => {
    const own = app.registered.client.clientId;
    const claims = Object.fromEntries(
      Object.entries(changes).map(([name, value]) => [name, value === "SELF" ? own : value]),
    );
    expect(await refusalOf((await objectWith(claims)).url)).toEqual([400, "invalid_request_object"]);
  });

  it("that is too long to be carried from page to page", async () => {
    const { url } = await objectWith({ state: "é".repeat(2000) });
    expect(url.search.length).toBeLessThan(8000);
    expect(await refusalOf(url)).toEqual([400, "invalid_request"]);
  });

  it("whose signature is another key's", async () => {
    const { privateKey: key } = await generateKeyPair("ES256");
    expect(await refusalOf((await objectWith({}, { key })).url)).toEqual([400, "invalid_request_object"]);
  });

  it("which is told to the client where the query names a redirect_uri of its own (§7)", async () => {
    const { url } = await objectWith({ aud: "https://elsewhere.example" });
    url.searchParams.set("redirect_uri", REDIRECT_URI);
    url.searchParams.set("state", "outside");
    expect(answerOf(await browser.open(url))).toMatchObject({
      error: "invalid_request_object",
      state: "outside",
      iss: server.url,
    });
    url.searchParams.set("redirect_uri", "https://evil.example/");
    expect(await refusalOf(url)).toEqual([400, "invalid_request_object"]);
  });

  it("when its redirect_uri is not registered, to the person alone", async () => {
    const { url } = await objectWith({ redirect_uri: "https://evil.example/" });
    expect(await refusalOf(url)).toEqual([400, "invalid_request"]);
  });
});

describe("RFC 9101 §10.5: who has to sign", () => {
  it("is a client that is registered so", async () => {
    const strict = await registerKeyedApplication(server, { requireSignedRequestObject: true });
    const { url, state } = await strict.begin();
    expect(answerOf(await browser.open(url))).toMatchObject({ error: "invalid_request", state });
    const pushed = client.buildAuthorizationUrlWithPAR(strict.config, url.searchParams);
    await expect(pushed).rejects.toMatchObject({ error: "invalid_request" });
    const pending = await strict.begin();
    const signed = await client.buildAuthorizationUrlWithJAR(
      strict.config,
      pending.url.searchParams,
      strict.privateKey,
    );
    expect(answerOf(await browser.open(signed))).toHaveProperty("code");
  });

  it("signs with the algorithm it is registered for", async () => {
    const other = await registerKeyedApplication(server, { requestObjectSigningAlg: "PS256" });
    const pending = await other.begin();
    const url = await client.buildAuthorizationUrlWithJAR(
      other.config,
      pending.url.searchParams,
      other.privateKey,
    );
    expect(await refusalOf(url)).toEqual([400, "invalid_request_object"]);
  });

  it("cannot be a client without keys", async () => {
    const keyless = await registerApplication(server);
    const pending = await keyless.begin();
    const url = await client.buildAuthorizationUrlWithJAR(
      keyless.config,
      pending.url.searchParams,
      app.privateKey,
    );
    expect(await refusalOf(url)).toEqual([400, "invalid_request_object"]);
  });
});
