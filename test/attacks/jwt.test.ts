/** Forged and misused access tokens (RFC 7519, RFC 8725, RFC 9068 §4). */
import { createHmac, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { keyRingOf } from "../../src/domain/keys/service.ts";
import { uuidFromId } from "../../src/lib/ids.ts";
import { signJwt } from "../../src/protocol/jose/sign-jwt.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  bearer,
  createApp,
  createOtherTenant,
  errorOf,
  exchangeCode,
  login,
  obtainCode,
  type OtherTenant,
  register,
  signedIn,
  tokenRequest,
  type Tokens,
  tokensOf,
  whereItWorks,
} from "./support.ts";

let server: TestServer;
let app: App;
let machine: App;
let other: OtherTenant;
let tokens: Tokens;
let header: Record<string, unknown>;
let claims: Record<string, unknown>;

beforeAll(async () => {
  server = await startTestServer();
  app = await createApp(server);
  machine = await createApp(server, {
    grantTypes: ["client_credentials"],
    redirectUris: [],
    scopes: ["openid", "profile", "email", "reports"],
  });
  other = await createOtherTenant(server, "forger");
  const { browser } = await signedIn(server.url);
  tokens = await tokensOf(exchangeCode(app, await obtainCode(browser, app)));
  [header, claims] = decode(tokens.access_token);
});
afterAll(() => server.stop());

const parse = (part: string | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(part ?? "", "base64url").toString());
const decode = (token: string): [Record<string, unknown>, Record<string, unknown>] => {
  const [head, payload] = token.split(".");
  return [parse(head), parse(payload)];
};
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const input = (head: object, payload: object) => `${encode(head)}.${encode(payload)}`;
const unauthorized = { me: 401, userinfo: 401 };
const works = (token: string, base = server.url) => whereItWorks(base, token);

async function publishedKeys(base = server.url): Promise<{ kid: string; alg: string; kty: string }[]> {
  const { keys } = (await (await fetch(`${base}/.well-known/jwks.json`)).json()) as {
    keys: { kid: string; alg: string; kty: string }[];
  };
  return keys;
}

it("the token that the attacks change works as it is", async () => {
  expect(await works(tokens.access_token)).toEqual({ me: 200, userinfo: 200 });
});

describe("a forged signature", () => {
  /** CVE-2015-9235, RFC 8725 §2.1. Guard: protocol/jose/verify-jwt.ts (the key says the algorithm). */
  it.each(["none", "None", "NONE", "nOnE", ""])("by alg %p is refused", async (alg) => {
    const unsigned = input({ ...header, alg }, claims);
    for (const signature of ["", "AA", tokens.access_token.split(".")[2]]) {
      expect(await works(`${unsigned}.${signature}`)).not.toMatchObject({ me: 200 });
      expect((await works(`${unsigned}.${signature}`)).userinfo).not.toBe(200);
    }
  });

  /** CVE-2016-10555, CVE-2022-23540: our public key as an HMAC secret. Guard: the same. */
  it("by HS256 with a public key of ours is refused", async () => {
    for (const { kid, ...jwk } of await publishedKeys()) {
      const key = createPublicKey({ key: jwk, format: "jwk" });
      const secrets = [
        key.export({ format: "pem", type: "spki" }),
        key.export({ format: "der", type: "spki" }),
        JSON.stringify({ kid, ...jwk }),
      ];
      for (const secret of secrets) {
        const unsigned = input({ ...header, alg: "HS256", kid }, claims);
        const mac = createHmac("sha256", secret).update(unsigned).digest("base64url");
        expect(await works(`${unsigned}.${mac}`)).toEqual(unauthorized);
      }
    }
  });

  /** CVE-2018-0114, RFC 8725 §3.10. Guard: FORBIDDEN_HEADERS, and keys come from our ring alone. */
  it("by a key that the token brings along is refused", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const jwk = publicKey.export({ format: "jwk" });
    const heads = [
      { ...header, jwk },
      { ...header, jku: "https://evil.example/jwks.json" },
      { ...header, x5u: "https://evil.example/cert.pem" },
      { ...header, kid: "../../../dev/null" },
      { ...header, kid: "' union select 'x" },
      { alg: "ES256", typ: "at+jwt" },
      header,
    ];
    for (const head of heads) {
      const unsigned = input(head, claims);
      const key = { key: privateKey, dsaEncoding: "ieee-p1363" as const };
      const signature = sign("sha256", Buffer.from(unsigned), key).toString("base64url");
      expect(await works(`${unsigned}.${signature}`)).toEqual(unauthorized);
    }
  });

  /** CVE-2022-21449: r = s = 0. Guard: node:crypto verifies, never a shortcut of ours. */
  it("of zeros, of another length or in DER is refused", async () => {
    const [head, payload] = tokens.access_token.split(".");
    for (const signature of [
      Buffer.alloc(64),
      Buffer.alloc(0),
      Buffer.alloc(63),
      Buffer.from("3006020100020100", "hex"),
    ]) {
      expect((await works(`${head}.${payload}.${signature.toString("base64url")}`)).me).not.toBe(200);
    }
  });

  /** RFC 8725 §3.1: a claim changed under a good signature. Guard: verify. */
  it("over other claims is refused", async () => {
    const [head, , signature] = tokens.access_token.split(".");
    for (const change of [{ sub: "user_00000000000000000000000001" }, { roles: ["admin"] }, { exp: 9e9 }]) {
      expect(await works(`${head}.${encode({ ...claims, ...change })}.${signature}`)).toEqual(unauthorized);
    }
  });
});

describe("a token that we did sign, for something else", () => {
  /** RFC 8725 §2.8, §3.11: cross-JWT confusion. Guard: typ `at+jwt` (access-tokens/access.ts). */
  it("an ID token opens nothing", async () => {
    expect(await works(tokens.id_token)).toEqual(unauthorized);
    const signing = (await keyRingOf(server.deps, server.tenant.id)).signingKey("ES256", server.clock.now());
    for (const typ of ["JWT", "logout+jwt", ""]) {
      expect(await works(await signJwt(claims, { typ, key: signing }))).toEqual(unauthorized);
    }
  });

  /** RFC 9068 §4: a client's own token has no user. Guard: requireUserAccess (isId("user", sub)). */
  it("a client's own token opens nothing of a user's", async () => {
    const { access_token, ...rest } = await tokensOf(
      tokenRequest(machine, { grant_type: "client_credentials" }),
    );
    expect(await works(access_token)).toEqual(unauthorized);
    expect(rest.refresh_token).toBeUndefined();
    expect(rest.scope).toBe("reports");
    const withUser = tokenRequest(machine, { grant_type: "client_credentials", scope: "openid reports" });
    expect(await errorOf(withUser)).toEqual([400, "invalid_scope"]);
  });

  /** Guard: extractBearerToken and verifyJwt: other secrets of ours are no JWTs. */
  it("a refresh token, a code or a session cookie opens nothing", async () => {
    const { browser } = await signedIn(server.url);
    const { code } = await obtainCode(browser, app);
    const cookie = browser.cookies.get("__Host-gw_session") ?? "";
    for (const secret of [tokens.refresh_token, code, cookie])
      expect(await works(secret)).toEqual(unauthorized);
  });

  /** Tenants have keys of their own. Guard: access.ts takes the ring of the request's tenant; iss and aud. */
  it("another tenant's token opens nothing, wherever it says its tenant is", async () => {
    const stranger = await register(other.base);
    const theirs = await login(other.base, stranger.username);
    expect((await works(theirs.access_token, other.base)).me).toBe(200);
    expect(await works(theirs.access_token)).toEqual(unauthorized);
    expect(await works(tokens.access_token, other.base)).toEqual(unauthorized);
    const named = [["x-ovlt-tenant-slug", "forger"] as const, ["x-ovlt-tenant-id", other.tenant.id] as const];
    for (const [name, value] of named) {
      const headers = { [name]: value, ...bearer(tokens.access_token) };
      const response = await fetch(`${server.url}/me`, { headers });
      expect(response.status).toBe(401);
    }
  });

  /** RFC 8725 §3.2: another tenant's kid in a header of ours. Guard: keys are looked up within the tenant. */
  it("a token that names another tenant's key is refused", async () => {
    const [key] = await publishedKeys(other.base);
    const [, payload, signature] = tokens.access_token.split(".");
    expect(await works(`${encode({ ...header, kid: key?.kid })}.${payload}.${signature}`)).toEqual(
      unauthorized,
    );
  });
});

describe("a token with wrong claims, truly signed", () => {
  /** RFC 9068 §4, RFC 7519 §4.1. Guard: verify-jwt.ts, checkClaims, and access.ts. */
  it.each([
    ["another issuer", { iss: "https://evil.example" }],
    ["another audience", { aud: "https://evil.example" }],
    ["no audience", { aud: undefined }],
    ["an audience that is no string", { aud: [7] }],
    ["an end in the past", { exp: 1 }],
    ["no end", { exp: undefined }],
    ["an end in words", { exp: "9999999999" }],
    ["a beginning in the future", { nbf: 9e9 }],
    ["no family", { fam: undefined }],
    ["a family that never was", { fam: "fam_00000000000000000000000001" }],
    ["no client", { client_id: undefined }],
    ["no id of its own", { jti: undefined }],
  ])("is refused: %s", async (_, change) => {
    const signing = (await keyRingOf(server.deps, server.tenant.id)).signingKey("ES256", server.clock.now());
    const good = await signJwt(claims, { typ: "at+jwt", key: signing });
    expect((await works(good)).me).toBe(200);
    const bad = await signJwt({ ...claims, ...change }, { typ: "at+jwt", key: signing });
    expect(await works(bad)).toEqual(unauthorized);
  });

  /** RFC 9068 §4. Guard: checkClaims, by the server's own clock. */
  it("is refused once it has expired", async () => {
    server.clock.advance(server.tenant.settings.access_token_lifetime);
    expect(await works(tokens.access_token)).toEqual(unauthorized);
  });
});

describe("a key that was retired", () => {
  /**
   * A key whose end is planned has to stop at that moment, also where the keys are cached (schema/keys.ts: "from here
   * on it signs nothing and is not published"). Guard: domain/keys/service.ts, openRing.
   */
  it("signs, verifies and is published no longer, without anybody emptying a cache", async () => {
    const person = await register(server.url);
    const before = await login(server.url, person.username);
    const retiredAt = new Date(server.clock.now().getTime() + 60_000);
    const kid = String(decode(before.access_token)[0]["kid"]);
    await server.deps.db.$client`update signing_keys set retired_at = ${retiredAt.toISOString()}
      where tenant_id = ${uuidFromId("tenant", server.tenant.id)} and alg = 'ES256'`;
    server.deps.caches.clear();
    expect((await works(before.access_token)).me).toBe(200);
    expect((await publishedKeys()).map((key) => key.kid)).toContain(kid);
    server.clock.advance(61);
    expect((await publishedKeys()).map((key) => key.kid)).not.toContain(kid);
    expect((await works(before.access_token)).me).toBe(401);
  });
});
