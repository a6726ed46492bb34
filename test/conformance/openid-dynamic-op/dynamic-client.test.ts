/**
 * Clients that register themselves by OpenID Connect Registration, authenticate with private_key_jwt and publish their keys,
 * all by an unmodified openid-client. The rules of registering are in `oauth-dynamic-registration`.
 *
 * Not here, so that this is no Dynamic OP: oidcc-request-uri-unsigned and oidcc-request-uri-signed-rs256, since no request
 * object is fetched (RFC 9101 §10.4); the response types of the implicit and hybrid flows; the logo of
 * oidcc-registration-logo-uri, since a client that nobody here vouches for must not look like another.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import * as client from "openid-client";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser, type HttpBrowser, type Visit } from "../../support/browser.ts";
import { type DocumentHost, startDocumentHost } from "../../support/client-documents.ts";
import { beginLogin } from "../../support/relying-party.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { assertionClaims, jwksOf, newTestKey, signTestJwt, type TestKey } from "../../support/signed.ts";
import { addUser, fillSignIn, REDIRECT_URI, signedInBrowser } from "../support.ts";

const WITH_QUERY = "https://app.example.com/callback?tenant=a%20b";

let host: DocumentHost;
let server: TestServer;
let ada: User;
let browser: HttpBrowser;

beforeAll(async () => {
  host = await startDocumentHost();
  server = await startTestServer({ outbound: host.outbound });
  await server.configure({ dynamic_registration: "open" });
  ada = await addUser(server, "ada");
});
afterAll(async () => {
  await server.stop();
  await host.stop();
});
beforeEach(async () => {
  browser = await signedInBrowser(server, ada);
  server.clock.advance(1);
});

let registered = 0;

/** A client with a key that it publishes, which it may replace. */
async function register(metadata: Record<string, unknown> = {}) {
  const path = `/keys-${++registered}.json`;
  let key: TestKey = await newTestKey("PS256");
  const publish = () => host.publish(path, { body: jwksOf(key) });
  publish();
  // The handle is asked for at each request, so that a key that came since is used.
  const authentication: client.ClientAuth = async (_as, { client_id }, body) => {
    const assertion = await signTestJwt(key, assertionClaims(server, client_id));
    body.set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    body.set("client_assertion", assertion);
    body.set("client_id", client_id);
  };
  const config = await client.dynamicClientRegistration(
    new URL(server.url),
    {
      client_name: "Dynamic",
      redirect_uris: [REDIRECT_URI],
      grant_types: ["authorization_code", "refresh_token"],
      token_endpoint_auth_method: "private_key_jwt",
      jwks_uri: host.origin + path,
      ...metadata,
    },
    authentication,
    { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
  );
  const rotate = async () => {
    key = await newTestKey("PS256");
    publish();
  };
  return { config, rotate };
}

type Dynamic = Awaited<ReturnType<typeof register>>;

/** From the request to the tokens: a client that is nobody's own asks for consent. */
async function logIn({ config }: Dynamic, parameters: Record<string, string> = {}) {
  const pending = await beginLogin(config, REDIRECT_URI, parameters);
  let visit = await browser.open(pending.url);
  if (visit.url.pathname === "/oauth/consent")
    visit = await browser.submit(visit, "/oauth/consent", { decision: "allow" });
  return { tokens: await client.authorizationCodeGrant(config, visit.url, pending.checks) };
}

const shownError = (visit: Visit) => [visit.url.pathname, visit.status];

describe("OpenID Connect Registration §3: a client that registered itself", () => {
  /** oidcc-server, oidcc-registration-jwks-uri, oidcc-ensure-client-assertion-with-iss-aud-succeeds */
  it("signs people in by keys that it publishes", async () => {
    const { tokens } = await logIn(await register());
    expect(tokens.claims()?.sub).toBe(ada.id);
  });

  /** oidcc-idtoken-rs256 */
  it("gets ID tokens by RS256 where it registered for them, or for nothing", async () => {
    for (const metadata of [{}, { id_token_signed_response_alg: "RS256" }]) {
      const { tokens } = await logIn(await register(metadata));
      const [header = ""] = (tokens.id_token ?? "").split(".");
      expect(JSON.parse(Buffer.from(header, "base64url").toString())).toMatchObject({ alg: "RS256" });
    }
  });

  /** oidcc-userinfo-rs256 */
  it("gets UserInfo by RS256 where it registered for that", async () => {
    const app = await register({ userinfo_signed_response_alg: "RS256" });
    const { tokens } = await logIn(app);
    const userinfo = await client.fetchUserInfo(app.config, tokens.access_token, ada.id);
    expect(userinfo).toMatchObject({ sub: ada.id, aud: app.config.clientMetadata().client_id });
  });

  /** oidcc-refresh-token-rp-key-rotation */
  it("goes on refreshing after it published another key", async () => {
    const app = await register();
    const { tokens } = await logIn(app, { scope: "openid offline_access", prompt: "consent" });
    server.clock.advance(60);
    await app.rotate();
    const next = await client.refreshTokenGrant(app.config, tokens.refresh_token ?? "");
    expect(next.claims()?.sub).toBe(ada.id);
  });

  /** oidcc-refresh-token */
  it("refreshes its own tokens, and no other client does", async () => {
    const [app, other] = [await register(), await register()];
    const { tokens } = await logIn(app, { scope: "openid offline_access", prompt: "consent" });
    const stolen = client.refreshTokenGrant(other.config, tokens.refresh_token ?? "");
    await expect(stolen).rejects.toMatchObject({ error: "invalid_grant" });
    const next = await client.refreshTokenGrant(app.config, tokens.refresh_token ?? "");
    expect(next.access_token).toBeString();
  });
});

describe("OpenID Connect Core §3.1.2.1: the redirect_uri of a request", () => {
  /** oidcc-ensure-redirect-uri-in-authorization-request */
  it("is needed, of a client with several and of one with one", async () => {
    for (const redirect_uris of [[REDIRECT_URI, WITH_QUERY], [REDIRECT_URI]]) {
      const { config } = await register({ redirect_uris });
      const { url } = await beginLogin(config, REDIRECT_URI);
      url.searchParams.delete("redirect_uri");
      expect(shownError(await browser.open(url))).toEqual(["/oauth/authorize", 400]);
    }
  });

  /** oidcc-redirect-uri-query-OK */
  it("may have a query, which it keeps", async () => {
    const { config } = await register({ redirect_uris: [WITH_QUERY] });
    const { url, checks } = await beginLogin(config, WITH_QUERY);
    const visit = await browser.submit(await browser.open(url), "/oauth/consent", { decision: "allow" });
    expect(visit.url.href).toStartWith(`${WITH_QUERY}&code=`);
    // authorizationCodeGrant takes the redirect_uri for the address without its query.
    const tokens = await client.genericGrantRequest(config, "authorization_code", {
      code: visit.url.searchParams.get("code") ?? "",
      redirect_uri: WITH_QUERY,
      code_verifier: checks.pkceCodeVerifier,
    });
    expect(tokens.access_token).toBeString();
  });

  /** oidcc-redirect-uri-query-mismatch, oidcc-redirect-uri-query-added, oidcc-ensure-registered-redirect-uri */
  it("has to be one that is registered, query and all", async () => {
    const { config } = await register({ redirect_uris: [REDIRECT_URI, WITH_QUERY] });
    const others = [
      `${REDIRECT_URI}?added=1`,
      WITH_QUERY.replace("tenant", "other"),
      `${WITH_QUERY}&added=1`,
      "https://app.example.com/callback?",
      "https://app.example.com/elsewhere",
    ];
    for (const uri of others) {
      const visit = await browser.open((await beginLogin(config, uri)).url);
      expect([uri, ...shownError(visit)]).toEqual([uri, "/oauth/authorize", 400]);
    }
  });
});

describe("OpenID Connect Registration §2: what people are shown of a client", () => {
  /** oidcc-registration-policy-uri, oidcc-registration-tos-uri, and half of oidcc-registration-logo-uri */
  it("is its policy and its terms, beside a warning, before they let it in", async () => {
    const links = {
      policy_uri: "https://app.example.com/privacy",
      tos_uri: "https://app.example.com/terms",
      client_uri: "https://app.example.com/",
    };
    const app = await register({ ...links, logo_uri: "https://app.example.com/logo.png" });
    expect(app.config.clientMetadata()).toMatchObject(links);
    const stranger = createHttpBrowser(server.url);
    const signIn = await stranger.open((await beginLogin(app.config, REDIRECT_URI)).url);
    const page = await fillSignIn(stranger, signIn, ada.username);
    expect(page.url.pathname).toBe("/oauth/consent");
    for (const link of Object.values(links)) expect(page.html).toContain(`href="${link}"`);
    expect(page.html).toContain("nobody here has checked it");
    expect(page.html).not.toContain("logo.png");
  });
});
