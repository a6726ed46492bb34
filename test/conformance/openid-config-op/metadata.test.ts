/** What clients fetch before anything else. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { createTenant } from "../../../src/domain/tenants/service.ts";
import { discover } from "../../support/relying-party.ts";
import { postForm, startTestServer, type TestServer } from "../../support/server.ts";
import { REDIRECT_URI } from "../support.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  await createTenant(server.deps, { slug: "acme", name: "Acme" });
});
afterAll(() => server.stop());

const OPENID = "/.well-known/openid-configuration";
const OAUTH = "/.well-known/oauth-authorization-server";
const JWKS = "/.well-known/jwks.json";
const kids = async (base: string): Promise<string[]> =>
  (await fetchJson(base + JWKS)).keys.map(({ kid }: { kid: string }) => kid);
const statusOf = async (path: string, ifNoneMatch: string) =>
  (await fetch(server.url + path, { headers: { "if-none-match": ifNoneMatch } })).status;
const fetchJson = async (path: string) => (await fetch(server.url + path)).json();

describe("OpenID Connect Discovery §4", () => {
  /** oidcc-discovery-endpoint-verification */
  it.each([
    ["the default tenant's issuer is the public URL", ""],
    ["another tenant's issuer is its path under it", "/t/acme"],
  ])("%s, and every endpoint lies under it", async (_, base) => {
    const issuer = server.url + base;
    expect(await fetchJson(base + OPENID)).toMatchObject({
      issuer,
      authorization_endpoint: `${issuer}/oauth/authorize`,
      token_endpoint: `${issuer}/oauth/token`,
      userinfo_endpoint: `${issuer}/oauth/userinfo`,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      response_types_supported: ["code"],
      code_challenge_methods_supported: ["S256"],
      subject_types_supported: ["public", "pairwise"],
      authorization_response_iss_parameter_supported: true,
      id_token_signing_alg_values_supported: expect.arrayContaining(["RS256"]),
    });
  });

  it("knows no tenant that does not exist", async () => {
    expect((await fetch(`${server.url}/t/nobody${OPENID}`)).status).toBe(404);
  });

  /** oidcc-discovery-endpoint-verification */
  it("promises no signature algorithm that the JWKS has no key for", async () => {
    const { id_token_signing_alg_values_supported: promised } = await fetchJson(OPENID);
    const { keys } = await fetchJson(JWKS);
    const held = keys.map(({ alg }: { alg: string }) => alg);
    expect(promised.filter((alg: string) => !held.includes(alg))).toEqual([]);
  });
});

describe("RFC 8414 §3: authorization server metadata", () => {
  it.each([
    ["of the default tenant", "", OAUTH],
    ["of a tenant, the well-known part before the issuer's path (§3.1)", "/t/acme", `${OAUTH}/t/acme`],
    ["of a tenant, under its path as OpenID Connect has it", "/t/acme", `/t/acme${OAUTH}`],
  ])("%s", async (_, base, path) => {
    const metadata = await fetchJson(path);
    expect(metadata).toMatchObject({
      issuer: server.url + base,
      token_endpoint: `${server.url}${base}/oauth/token`,
    });
    expect(metadata).not.toHaveProperty("userinfo_endpoint");
  });

  it.each(["oidc", "oauth2"] as const)(
    "openid-client finds a tenant's metadata by its %s rule",
    async (algorithm) => {
      const registered = await server.createClient({ redirectUris: [REDIRECT_URI] });
      const config = await discover(`${server.url}/t/acme`, registered, { algorithm });
      expect(config.serverMetadata().issuer).toBe(`${server.url}/t/acme`);
    },
  );
});

describe("what the metadata names", () => {
  it("is the OpenID configuration of a tenant in both places, too (RFC 8414 §5)", async () => {
    const under = await fetchJson(`/t/acme${OPENID}`);
    expect(await fetchJson(`${OPENID}/t/acme`)).toEqual(under);
    expect(under.issuer).toBe(`${server.url}/t/acme`);
  });

  it.each(["", "/t/acme"])("names every endpoint that is served, each of which answers: %s", async (base) => {
    const metadata: Record<string, unknown> = await fetchJson(`${base}${OPENID}`);
    for (const name of [
      "token_endpoint",
      "introspection_endpoint",
      "revocation_endpoint",
      "device_authorization_endpoint",
      "pushed_authorization_request_endpoint",
    ]) {
      const endpoint = String(metadata[name]);
      expect(endpoint).toStartWith(`${server.url}${base}/oauth/`);
      const answer = await postForm(endpoint, { token: "x" });
      expect([name, answer.status, (await answer.json()).error]).toEqual([name, 401, "invalid_client"]);
    }
    expect((await fetch(String(metadata["end_session_endpoint"]))).status).toBe(200);
  });

  it("names every grant, way of authentication and algorithm", async () => {
    expect(await fetchJson(OPENID)).toMatchObject({
      grant_types_supported: [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
      ],
      token_endpoint_auth_methods_supported: [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
        "none",
      ],
      token_endpoint_auth_signing_alg_values_supported: expect.arrayContaining(["PS256", "ES256"]),
      dpop_signing_alg_values_supported: expect.arrayContaining(["ES256", "EdDSA"]),
      request_parameter_supported: true,
      request_object_signing_alg_values_supported: expect.arrayContaining(["PS256", "ES256"]),
      userinfo_signing_alg_values_supported: expect.arrayContaining(["RS256", "ES256"]),
      authorization_signing_alg_values_supported: expect.arrayContaining(["RS256", "ES256"]),
      introspection_signing_alg_values_supported: expect.arrayContaining(["RS256", "ES256"]),
      subject_types_supported: ["public", "pairwise"],
      claims_parameter_supported: true,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
    });
  });

  it("is registration only while it is on, and metadata documents as well", async () => {
    expect(await fetchJson(OAUTH)).not.toHaveProperty("registration_endpoint");
    await server.configure({ dynamic_registration: "open", client_id_metadata_documents: true });
    expect(await fetchJson(OAUTH)).toMatchObject({
      registration_endpoint: `${server.url}/oauth/register`,
      client_id_metadata_document_supported: true,
    });
    await server.configure({ dynamic_registration: "off", client_id_metadata_documents: false });
  });
});

describe("RFC 7517 §5: the JWK set", () => {
  /** oidcc-discovery-endpoint-verification: the JWK set */
  it("holds an ES256, an RS256 and an EdDSA key, their private parts left out", async () => {
    const { keys } = await fetchJson(JWKS);
    expect(keys.map(({ alg }: { alg: string }) => alg).toSorted()).toEqual(["ES256", "EdDSA", "RS256"]);
    for (const key of keys) {
      expect(key).toMatchObject({ kid: expect.any(String), use: "sig" });
      for (const secret of ["d", "p", "q", "dp", "dq", "qi", "k"]) expect(key).not.toHaveProperty(secret);
    }
  });

  it("is another for each tenant", async () => {
    const ours = await kids("");
    expect((await kids("/t/acme")).filter((kid) => ours.includes(kid))).toEqual([]);
  });
});

describe("RFC 9110 §13.1.2: conditional requests", () => {
  const paths = [OPENID, OAUTH, JWKS, `/t/acme${OPENID}`, `${OAUTH}/t/acme`, `/t/acme${JWKS}`];

  it.each(paths)("%s has an ETag, and answers 304 to it alone", async (path) => {
    const first = await fetch(server.url + path);
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[^"]+"$/);
    expect(first.headers.get("content-type")).toStartWith("application/json");
    expect(first.headers.get("cache-control")).toContain("max-age=");
    expect(await statusOf(path, etag)).toBe(304);
    expect(await statusOf(path, '"another"')).toBe(200);
  });

  it.each(paths)(
    "%s answers 304 to a list, to `*`, and to the weak ETag of a proxy that compresses",
    async (path) => {
      const etag = (await fetch(server.url + path)).headers.get("etag") ?? "";
      expect(await statusOf(path, `W/${etag}`)).toBe(304);
      expect(await statusOf(path, `"another", ${etag}`)).toBe(304);
      expect(await statusOf(path, "*")).toBe(304);
      expect(await statusOf(path, 'W/"another", "third"')).toBe(200);
    },
  );
});
