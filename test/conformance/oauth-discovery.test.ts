/** What clients fetch before anything else. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { createTenant } from "../../src/domain/tenants/service.ts";
import { discover } from "../support/relying-party.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { REDIRECT_URI } from "./support.ts";

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
      subject_types_supported: ["public"],
      authorization_response_iss_parameter_supported: true,
      id_token_signing_alg_values_supported: expect.arrayContaining(["RS256"]),
    });
  });

  it("knows no tenant that does not exist", async () => {
    expect((await fetch(`${server.url}/t/nobody${OPENID}`)).status).toBe(404);
  });

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

describe("RFC 7517 §5: the JWK set", () => {
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
