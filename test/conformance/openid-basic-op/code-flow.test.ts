/**
 * The authorization code flow as an unmodified `openid-client` performs it, from discovery to refresh.
 *
 * Of Basic OP, elsewhere: POST requests and errors in `oauth-authorization-request`; oidcc-codereuse… and oidcc-refresh-token in
 * `oauth-token-lifecycle`; the claims parameter in `oidc-claims-parameter`; pages in `oidc-prompt`. oidcc-scope-address and
 * oidcc-scope-phone do not apply: neither scope is announced, and both are refused. Nor do the modules of unsigned request
 * objects: signed ones alone are taken. Known to differ: oidcc-server and oidcc-scope-email warn when claims of a scope stand
 * in the ID token beside UserInfo (OpenID Connect Core §5.4), and here they stand in both.
 */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import * as client from "openid-client";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser } from "../../support/browser.ts";
import { postForm, postJson, startTestServer, type TestServer } from "../../support/server.ts";
import {
  addUser,
  answerOf,
  type Application,
  fillSignIn,
  logIn,
  REDIRECT_URI,
  registerApplication,
  signedInBrowser,
  userinfoStatus,
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

/** What UserInfo tells of Ada with the whole scope. */
const allOfAda = () => ({
  sub: ada.id,
  name: "Ada Lovelace",
  given_name: "Ada",
  family_name: "Lovelace",
  preferred_username: "ada",
  updated_at: expect.any(Number),
  email: "ada@example.com",
  email_verified: true,
});

describe("OpenID Connect Core §3.1.2.5: successful authentication response", () => {
  /** oidcc-server */
  it("carries code, the request's state and the issuer (RFC 9207 §2)", async () => {
    const browser = createHttpBrowser(server.url);
    const pending = await app.begin();
    const page = await browser.open(pending.url);
    expect(page.url.pathname).toBe("/signin");
    expect(page.html).toContain("Conformance");

    const { code, ...rest } = answerOf(await fillSignIn(browser, page, "ada"));
    expect(code).toMatch(/^\w+_\w+_[\w-]{43}$/);
    expect(rest).toEqual({ state: pending.state, iss: server.url });
  });

  it("keeps the query that the redirect URI was registered with (RFC 6749 §3.1.2)", async () => {
    const redirectUri = "https://app.example.com/callback?from=a%20b";
    const chosen = await registerApplication(server, { redirectUris: [redirectUri] });
    const browser = await signedInBrowser(server, ada);
    const { url } = await browser.open((await chosen.begin({ redirect_uri: redirectUri })).url);
    expect(url.href).toStartWith(`${redirectUri}&code=`);
  });

  it("is posted by a page of ours for response_mode=form_post (Form Post Response Mode §2)", async () => {
    const browser = await signedInBrowser(server, ada);
    const pending = await app.begin({ response_mode: "form_post" });
    const page = await browser.open(pending.url);
    const [form] = page.forms;
    expect(form).toEqual({
      action: REDIRECT_URI,
      fields: { code: expect.any(String), state: pending.state, iss: server.url },
    });
    const post = new Request(form?.action ?? "", {
      method: "POST",
      body: new URLSearchParams(form?.fields),
    });
    const tokens = await client.authorizationCodeGrant(app.config, post, pending.checks);
    expect(tokens.claims()?.sub).toBe(ada.id);
  });

  it("is sent in the fragment for response_mode=fragment", async () => {
    const browser = await signedInBrowser(server, ada);
    const pending = await app.begin({ response_mode: "fragment" });
    const { url } = await browser.open(pending.url);
    expect([...new URLSearchParams(url.hash.slice(1)).keys()]).toEqual(["code", "state", "iss"]);
    expect(url.searchParams.has("code")).toBe(false);
  });
});

describe("OpenID Connect Core §3.1.3.3: token response", () => {
  /** oidcc-server, oidcc-ensure-request-with-valid-pkce-succeeds */
  it("gives an ID token about this sign-in, an access token and a refresh token", async () => {
    const { tokens, pending } = await logIn(app, createHttpBrowser(server.url), ada);
    const now = Math.floor(server.clock.now().getTime() / 1000);
    expect(tokens.token_type.toLowerCase()).toBe("bearer");
    expect(tokens.expires_in).toBe(900);
    expect(tokens.refresh_token).toBeString();
    expect(tokens.claims()).toEqual({
      iss: server.url,
      sub: ada.id,
      aud: app.registered.client.clientId,
      azp: app.registered.client.clientId,
      iat: now,
      exp: now + 900,
      auth_time: now,
      nonce: pending.checks.expectedNonce,
      acr: "urn:gatewright:acr:1fa",
      amr: ["pwd"],
      at_hash: createHash("sha256")
        .update(tokens.access_token)
        .digest()
        .subarray(0, 16)
        .toString("base64url"),
      sid: expect.stringMatching(/^ses/),
      name: "Ada Lovelace",
      given_name: "Ada",
      family_name: "Lovelace",
      preferred_username: "ada",
      updated_at: now,
      email: "ada@example.com",
      email_verified: true,
    });
  });

  it("gives an access token as RFC 9068 §2 describes, which the JWKS verifies", async () => {
    const { tokens } = await logIn(app, createHttpBrowser(server.url), ada);
    const jwks = createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`));
    const { payload, protectedHeader } = await jwtVerify(tokens.access_token, jwks, {
      issuer: server.url,
      audience: server.url,
      typ: "at+jwt",
    });
    expect(protectedHeader.alg).toBe("ES256");
    expect(payload).toMatchObject({
      sub: ada.id,
      client_id: app.registered.client.clientId,
      scope: "openid profile email",
      auth_time: expect.any(Number),
      acr: "urn:gatewright:acr:1fa",
      amr: ["pwd"],
      jti: expect.any(String),
    });
  });

  it("gives no ID token where openid was not asked for", async () => {
    const browser = await signedInBrowser(server, ada);
    const pending = await app.begin({ scope: "profile" });
    const { url } = await browser.open(pending.url);
    const tokens = await client.authorizationCodeGrant(app.config, url, {
      ...pending.checks,
      expectedNonce: undefined,
    });
    expect(tokens.id_token).toBeUndefined();
    expect(await userinfoStatus(server, tokens.access_token)).toBe(403);
  });

  it("must not be stored by anybody between (RFC 6749 §5.1)", async () => {
    const browser = await signedInBrowser(server, ada);
    const { url, checks } = await app.begin();
    const { code = "" } = answerOf(await browser.open(url));
    const { client: basic, clientSecret } = app.registered;
    const form = {
      grant_type: "authorization_code",
      code,
      redirect_uri: REDIRECT_URI,
      code_verifier: checks.pkceCodeVerifier,
    };
    const authorization = `Basic ${btoa(`${basic.clientId}:${clientSecret}`)}`;
    const response = await postForm(`${server.url}/oauth/token`, form, { authorization });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const refused = await postForm(`${server.url}/oauth/token`, form, { authorization });
    expect(refused.status).toBe(400);
    expect(refused.headers.get("cache-control")).toBe("no-store");
  });
});

describe("OpenID Connect Core §10.1: signing", () => {
  /** oidcc-idtoken-signature */
  it.each(["RS256", "ES256", "EdDSA"])(
    "signs ID tokens with %s for a client that registered it, verified by the JWKS",
    async (alg) => {
      const chosen = await registerApplication(server, { idTokenSignedResponseAlg: alg });
      const { tokens } = await logIn(chosen, createHttpBrowser(server.url), ada);
      expect(decodeProtectedHeader(tokens.id_token ?? "")).toMatchObject({ alg, typ: "JWT" });
      const hash = alg === "EdDSA" ? "sha512" : "sha256";
      const digest = createHash(hash).update(tokens.access_token).digest();
      expect(tokens.claims()?.["at_hash"]).toBe(digest.subarray(0, digest.length / 2).toString("base64url"));
    },
  );
});

describe("RFC 6749 §2.3: client authentication", () => {
  /** oidcc-server-client-secret-post */
  it.each([
    ["client_secret_basic", false],
    ["client_secret_post", false],
    ["none", true],
  ])("lets a client that registered %s exchange and refresh", async (tokenEndpointAuthMethod, isPublic) => {
    const chosen = await registerApplication(server, { tokenEndpointAuthMethod, public: isPublic });
    const { tokens } = await logIn(chosen, createHttpBrowser(server.url), ada);
    const refreshed = await client.refreshTokenGrant(chosen.config, tokens.refresh_token ?? "");
    expect(refreshed.claims()?.sub).toBe(ada.id);
  });

  it("takes a secret in the header or in the form, whichever of the two was registered (§2.3.1)", async () => {
    const { client: basic, clientSecret = "" } = app.registered;
    const form = { grant_type: "refresh_token", refresh_token: "x", client_id: basic.clientId };
    const post = await postForm(`${server.url}/oauth/token`, { ...form, client_secret: clientSecret });
    expect(await post.json()).toMatchObject({ error: "invalid_grant" });
  });

  it("refuses a wrong secret, none, and one from a public client", async () => {
    const { client: basic } = app.registered;
    const form = { grant_type: "refresh_token", refresh_token: "x" };
    const token = (fields: Record<string, string>, headers?: Record<string, string>) =>
      postForm(`${server.url}/oauth/token`, { ...form, ...fields }, headers);
    const authorization = `Basic ${btoa(`${basic.clientId}:wrong`)}`;
    const wrong = await token({}, { authorization });
    expect(wrong.headers.get("www-authenticate")).toStartWith("Basic ");
    const { registered } = await registerApplication(server, { public: true });
    const refused = [
      wrong,
      await token({ client_id: basic.clientId }),
      await token({ client_id: basic.clientId, client_secret: "wrong" }),
      await token({ client_id: registered.client.clientId, client_secret: "made-up" }),
    ];
    for (const response of refused) {
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ error: "invalid_client" });
    }
  });
});

describe("OpenID Connect Core §5.3: UserInfo", () => {
  /** oidcc-userinfo-get, oidcc-scope-profile, oidcc-scope-all (address and phone are no scopes here) */
  it("answers GET with a Bearer token in the header", async () => {
    const { tokens } = await logIn(app, createHttpBrowser(server.url), ada);
    expect(await client.fetchUserInfo(app.config, tokens.access_token, ada.id)).toEqual(allOfAda());
  });

  /** oidcc-userinfo-post-header, oidcc-userinfo-post-body */
  it("answers POST with the token in the header or in the form (RFC 6750 §2.2)", async () => {
    const { tokens } = await logIn(app, createHttpBrowser(server.url), ada);
    const url = new URL(`${server.url}/oauth/userinfo`);
    const inHeader = await client.fetchProtectedResource(app.config, tokens.access_token, url, "POST");
    expect(await inHeader.json()).toEqual(allOfAda());
    // Media types are compared without case (RFC 9110 §8.3.1).
    for (const type of [
      "application/x-www-form-urlencoded",
      "Application/X-WWW-Form-URLEncoded; charset=UTF-8",
    ]) {
      const body = { access_token: tokens.access_token };
      expect(await (await postForm(url.href, body, { "content-type": type })).json()).toEqual(allOfAda());
    }
    const asJson = await postJson(url.href, { access_token: tokens.access_token });
    expect(asJson.status).toBe(401);
  });

  /** oidcc-scope-email */
  it("tells no more than the scope allows (§5.4)", async () => {
    const { tokens } = await logIn(app, createHttpBrowser(server.url), ada, { scope: "openid email" });
    const userinfo = await client.fetchUserInfo(app.config, tokens.access_token, ada.id);
    expect(Object.keys(userinfo).toSorted()).toEqual(["email", "email_verified", "sub"]);
  });

  it("refuses an ID token, an expired token and no token (RFC 6750 §3.1)", async () => {
    const { tokens } = await logIn(app, createHttpBrowser(server.url), ada);
    const ask = (token?: string) =>
      fetch(`${server.url}/oauth/userinfo`, token ? { headers: { authorization: `Bearer ${token}` } } : {});
    const idToken = await ask(tokens.id_token);
    expect(idToken.status).toBe(401);
    expect(idToken.headers.get("www-authenticate")).toContain('error="invalid_token"');
    const none = await ask();
    expect(none.status).toBe(401);
    expect(none.headers.get("www-authenticate")).not.toContain("error=");
    server.clock.advance(900);
    expect((await ask(tokens.access_token)).status).toBe(401);
  });
});
