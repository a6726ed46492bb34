/** Dynamic client registration: RFC 7591, OpenID Connect Registration 1.0 §3. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import * as openid from "openid-client";
import { createInitialAccessToken } from "../../../src/domain/client-registration/initial-access-tokens.ts";
import { findClient } from "../../../src/domain/clients/service.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { createTenant, updateTenantSettings } from "../../../src/domain/tenants/service.ts";
import { createOutbound, type Outbound } from "../../../src/outbound/client.ts";
import { createHttpBrowser } from "../../support/browser.ts";
import { eventually } from "../../support/queue.ts";
import { beginLogin } from "../../support/relying-party.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";
import { addUser, fillSignIn, REDIRECT_URI } from "../support.ts";

const SECTOR_URI = "https://sector.example/list.json";
/** The one address of the internet that these tests know; all others are not there. */
const internet: Outbound = {
  async request(url) {
    const list = JSON.stringify([REDIRECT_URI, "https://b.example/cb"]);
    if (url === SECTOR_URI) return { status: 200, headers: {}, body: new TextEncoder().encode(list) };
    return createOutbound({ resolve: async () => [] }).request(url);
  },
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ outbound: internet });
  await server.configure({ dynamic_registration: "open" });
});
afterAll(() => server.stop());

const sound = { client_name: "App", redirect_uris: [REDIRECT_URI] };
type Body = Record<string, unknown>;
async function register(metadata: unknown, headers: Record<string, string> = {}, base = server.url) {
  const response = await postJson(`${base}/oauth/register`, metadata, headers);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
}
const invite = async (uses = 1) =>
  createInitialAccessToken(
    server.deps,
    server.tenant.id,
    { uses, lifetimeSeconds: 600 },
    { actor: { type: "system" }, context: systemContext },
  );

describe("RFC 7591 §3.2.1: the client information response", () => {
  it("is 201, and not cached", async () => {
    const { status, headers } = await register(sound);
    expect([status, headers.get("cache-control"), headers.get("pragma")]).toEqual([
      201,
      "no-store",
      "no-cache",
    ]);
    expect(headers.get("content-type")).toStartWith("application/json");
  });

  it("tells the id, the secret, and everything that was registered", async () => {
    const { body } = await register({ ...sound, scope: "openid email", default_max_age: 60 });
    expect(body["client_id"]).toStartWith("client_");
    expect(body["client_secret"]).toStartWith("csec_");
    expect(body).toMatchObject({
      ...sound,
      client_secret_expires_at: 0,
      client_id_issued_at: Math.floor(server.clock.now().getTime() / 1000),
      grant_types: ["authorization_code"],
      response_types: ["code"],
      scope: "openid email",
      token_endpoint_auth_method: "client_secret_basic",
      application_type: "web",
      default_max_age: 60,
      registration_client_uri: `${server.url}/oauth/register/${body["client_id"]}`,
    });
  });

  it("has no secret for a public client", async () => {
    const { body } = await register({ ...sound, token_endpoint_auth_method: "none" });
    expect(body).not.toHaveProperty("client_secret");
    expect(body).not.toHaveProperty("client_secret_expires_at");
  });

  it("tells what was registered instead of what was asked for", async () => {
    const { body } = await register({
      ...sound,
      grant_types: ["authorization_code", "refresh_token", "client_credentials"],
      scope: "openid admin",
      first_party: true,
      unknown_member: "x",
      client_name: null,
    });
    expect(body).toMatchObject({
      grant_types: ["authorization_code", "refresh_token"],
      scope: "openid",
      client_name: `${body["client_id"]}`,
    });
    expect(body).not.toHaveProperty("first_party");
    expect(body).not.toHaveProperty("unknown_member");
  });
});

describe("RFC 7591 §3.2.2: the client registration error response", () => {
  const refused: [string, string, unknown][] = [
    ["invalid_redirect_uri", "no redirect URI", { client_name: "App" }],
    ["invalid_redirect_uri", "a redirect URI with a fragment", { redirect_uris: ["https://a.example/#x"] }],
    ["invalid_redirect_uri", "plain http", { redirect_uris: ["http://a.example/"] }],
    ["invalid_client_metadata", "no object", [sound]],
    ["invalid_client_metadata", "no JSON", "client_name=App"],
    ["invalid_client_metadata", "an unknown method", { ...sound, token_endpoint_auth_method: "mtls" }],
    ["invalid_client_metadata", "alg none", { ...sound, id_token_signed_response_alg: "none" }],
    [
      "invalid_client_metadata",
      "jwks and jwks_uri",
      { ...sound, jwks: { keys: [] }, jwks_uri: "https://a.example/" },
    ],
    ["invalid_client_metadata", "an unusable grant alone", { ...sound, grant_types: ["password"] }],
    ["unapproved_software_statement", "a software statement", { ...sound, software_statement: "a.b.c" }],
  ];
  /** oidcc-redirect-uri-regfrag, oidcc-idtoken-unsigned */
  it.each(refused)("is %s for %s", async (error, _what, metadata) => {
    const { status, body, headers } = await register(metadata);
    expect([status, body["error"]]).toEqual([400, error]);
    // RFC 6749 §5.2: the characters of error_description.
    expect(String(body["error_description"])).toMatch(/^[\x20\x21\x23-\x5B\x5D-\x7E]+$/);
    expect(headers.get("cache-control")).toBe("no-store");
  });
});

describe("OpenID Connect Registration §5: the sector identifier", () => {
  const pairwise = { subject_type: "pairwise", sector_identifier_uri: SECTOR_URI };

  /** oidcc-registration-sector-uri, oidcc-registration-sector-bad */
  it("has to list every redirect URI", async () => {
    const listed = await register({ ...sound, ...pairwise });
    expect([listed.status, listed.body["sector_identifier_uri"]]).toEqual([201, SECTOR_URI]);
    const redirect_uris = [REDIRECT_URI, "https://c.example/cb"];
    const other = await register({ ...sound, ...pairwise, redirect_uris });
    expect([other.status, other.body["error"]]).toEqual([400, "invalid_client_metadata"]);
  });

  it("has to be there", async () => {
    const sector_identifier_uri = "https://nowhere.example/list.json";
    const { status, body } = await register({ ...sound, ...pairwise, sector_identifier_uri });
    expect([status, body["error"]]).toEqual([400, "invalid_client_metadata"]);
  });
});

describe("RFC 7591 §3: who may register", () => {
  it("is said by the tenant, and by its metadata (RFC 8414 §2)", async () => {
    const says = (endpoint: string | undefined) =>
      eventually(`metadata with the endpoint ${endpoint}`, async () => {
        const metadata = await fetch(`${server.url}/.well-known/openid-configuration`);
        return ((await metadata.json()) as Body)["registration_endpoint"] === endpoint;
      });
    await says(`${server.url}/oauth/register`);
    await server.configure({ dynamic_registration: "off" });
    try {
      await says(undefined);
      const { status, body } = await register(sound);
      const nothing = await postJson(`${server.url}/oauth/nothing`, sound);
      const { request_id: _ours, ...ours } = body;
      const { request_id: _theirs, ...theirs } = (await nothing.json()) as Body;
      expect([status, ours]).toEqual([nothing.status, theirs]);
    } finally {
      await server.configure({ dynamic_registration: "open" });
    }
  });

  it("is whoever has an initial access token, where one is needed", async () => {
    await server.configure({ dynamic_registration: "token" });
    try {
      const without = await register(sound);
      expect([without.status, without.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
      const { token } = await invite();
      const authorization = `Bearer ${token}`;
      expect((await register(sound, { authorization })).status).toBe(201);
      const again = await register(sound, { authorization });
      expect([again.status, again.body["error"]]).toEqual([401, "invalid_token"]);
    } finally {
      await server.configure({ dynamic_registration: "open" });
    }
  });

  it("gets grants that need no browser only by invitation, and never those that speak for others", async () => {
    const all = [
      "authorization_code",
      "client_credentials",
      "urn:ietf:params:oauth:grant-type:token-exchange",
      "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ];
    const { token } = await invite();
    const invited = await register({ ...sound, grant_types: all }, { authorization: `Bearer ${token}` });
    expect(invited.body["grant_types"]).toEqual(["authorization_code", "client_credentials"]);
    expect((await register({ ...sound, grant_types: all })).body["grant_types"]).toEqual([
      "authorization_code",
    ]);
  });

  it("uses no invitation up by a request that is refused", async () => {
    const { token } = await invite();
    const authorization = `Bearer ${token}`;
    expect((await register({ ...sound, redirect_uris: [] }, { authorization })).status).toBe(400);
    expect((await register(sound, { authorization })).status).toBe(201);
  });
});

describe("a registered client", () => {
  it("is what openid-client registers and signs people in with", async () => {
    const user = await addUser(server, "ada");
    const config = await openid.dynamicClientRegistration(
      new URL(server.url),
      { ...sound, grant_types: ["authorization_code", "refresh_token"], scope: "openid email" },
      undefined,
      { execute: [openid.allowInsecureRequests] },
    );
    const browser = createHttpBrowser(server.url);
    const pending = await beginLogin(config, REDIRECT_URI, { scope: "openid email" });
    let page = await fillSignIn(browser, await browser.open(pending.url), user.username);
    // It is nobody's own, so people are asked.
    expect(page.url.pathname).toContain("consent");
    page = await browser.submit(page, page.url.pathname, { decision: "allow" });
    const tokens = await openid.authorizationCodeGrant(config, page.url, pending.checks);
    expect(tokens.claims()?.["email"]).toBe(user.email ?? "");
  });

  it("keeps to what the tenant lets such clients have when it is used", async () => {
    const { body } = await register({ ...sound, scope: "openid email" });
    const find = () => findClient(server.deps, server.tenant.id, String(body["client_id"]));
    expect(await find()).toMatchObject({ scopes: ["openid", "email"], resources: [], firstParty: false });
    const resources = ["https://mcp.example/"];
    await server.configure({ self_registered_scopes: ["openid"], self_registered_resources: resources });
    expect(await find()).toMatchObject({ scopes: ["openid"], resources });
    await server.configure({ self_registered_scopes: ["openid", "profile", "email", "offline_access"] });
  });

  it("is one of the tenant that it registered with", async () => {
    const tenant = await createTenant(server.deps, { slug: "tenant-b", name: "B" });
    const base = `${server.url}/t/tenant-b`;
    expect((await register(sound, {}, base)).status).toBe(404);
    await updateTenantSettings(server.deps, tenant, { dynamic_registration: "open" });
    const { status, body } = await register(sound, {}, base);
    expect([status, body["registration_client_uri"]]).toEqual([
      201,
      `${base}/oauth/register/${body["client_id"]}`,
    ]);
    const id = String(body["client_id"]);
    expect(await findClient(server.deps, tenant.id, id)).toBeDefined();
    expect(await findClient(server.deps, server.tenant.id, id)).toBeUndefined();
  });
});
