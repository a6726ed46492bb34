/**
 * What an upstream, or who stands between it and us, could pass off as an ID token or as what it says of somebody
 * (OpenID Connect Core §3.1.3.7, §5.3.2; RFC 8725).
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { createHmac, createSecretKey, generateKeyPairSync } from "node:crypto";
import { type App, authorizationParameters, Browser, createApp } from "../support.ts";
import type { Connection } from "../../../src/domain/connections/model.ts";
import {
  arriveIn,
  connectOidc,
  isSignedIn,
  linkedTo,
  upstreamsAllowed,
  visit,
} from "../../support/federation.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { type Claims, startUpstream, type Upstream } from "../../support/upstream.ts";

let server: TestServer;
let upstream: Upstream;
let connection: Connection;
let app: App;
let honest: Upstream["behaviour"];

beforeAll(async () => {
  server = await startTestServer({ env: upstreamsAllowed });
  upstream = startUpstream(() => server.clock.now());
  honest = { ...upstream.behaviour };
  connection = await connectOidc(server, upstream);
  app = await createApp(server);
});
afterAll(async () => {
  await upstream.stop();
  await server.stop();
});
beforeEach(() => {
  upstream.behaviour = { ...honest };
  upstream.person = { sub: crypto.randomUUID() };
});

async function expectRefused(of = connection): Promise<void> {
  const { browser, response } = await arriveIn(server.url, of);
  expect([response.status, isSignedIn(browser)]).toEqual([502, false]);
  expect(await linkedTo(server, of, String(upstream.person["sub"]))).toBeUndefined();
}

async function expectAccepted(of = connection): Promise<void> {
  const { browser } = await arriveIn(server.url, of);
  expect(isSignedIn(browser)).toBe(true);
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const unsigned = (claims: Claims, alg: string) => `${encode({ alg, typ: "JWT" })}.${encode(claims)}.`;
const hmac = (claims: Claims, secret: string) => {
  const input = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return `${input}.${createHmac("sha256", createSecretKey(Buffer.from(secret)))
    .update(input)
    .digest("base64url")}`;
};

it("is taken as it should be (so that what follows is refused for its own reason)", () => expectAccepted());

describe("a sign-in that is older than the application takes", () => {
  /** Of a browser that an application sent here, to sign in with this connection alone. */
  async function cameBack(asked: Record<string, string>, secondsAgo: number | undefined): Promise<Browser> {
    const authTime = Math.floor(server.clock.now().getTime() / 1000) - (secondsAgo ?? 0);
    upstream.behaviour.idToken = (claims) =>
      secondsAgo === undefined ? claims : { ...claims, auth_time: authTime };
    const browser = new Browser(server.url);
    const parameters = authorizationParameters(app, { ...asked, connection: connection.key });
    let at = await browser.get(`/oauth/authorize?${parameters}`);
    for (let hop = 0; hop < 3; hop++) {
      const location = new URL(at.headers.get("location") ?? "", server.url);
      if (location.origin !== server.url) {
        await browser.get((await visit(location)).href);
        return browser;
      }
      at = await browser.get(location.href);
    }
    throw new Error("the browser was never sent to the provider");
  }

  /** Guard: requireRecent of oidcExchange, and the age that `oldestProof` gives it. */
  it.each<[string, Record<string, string>, number]>([
    ["max_age=60", { max_age: "60" }, 300],
    ["prompt=login, before the trip began", { prompt: "login" }, 3600],
    ["prompt=login and a longer max_age", { prompt: "login", max_age: "86400" }, 3600],
  ])("is refused with %s", async (_what, asked, secondsAgo) => {
    expect(isSignedIn(await cameBack(asked, secondsAgo))).toBe(false);
  });

  it.each<[string, Record<string, string>, number | undefined]>([
    ["nothing asked", {}, 86_400],
    ["max_age=60", { max_age: "60" }, 30],
    ["prompt=login", { prompt: "login" }, 120],
    ["prompt=login, at a provider that does not say when", { prompt: "login" }, undefined],
  ])("is taken when it is not, with %s", async (_what, asked, secondsAgo) => {
    expect(isSignedIn(await cameBack(asked, secondsAgo))).toBe(true);
  });
});

describe("claims", () => {
  const now = () => Math.floor(server.clock.now().getTime() / 1000);
  /** Guard: the checks of openid-client (validateIssuer, validateAudience, azp, nonce, exp, iat) that oidcExchange asks for. */
  it.each<[string, (claims: Claims) => Claims]>([
    ["another client's audience", (claims) => ({ ...claims, aud: "another-client" })],
    ["no audience", ({ aud: _aud, ...claims }) => claims],
    ["several audiences and another azp", (claims) => ({ ...claims, aud: ["us", "b"], azp: "b" })],
    ["several audiences and no azp", (claims) => ({ ...claims, aud: ["us", "b"] })],
    ["another issuer", (claims) => ({ ...claims, iss: "https://other.example" })],
    ["the issuer with a slash", (claims) => ({ ...claims, iss: `${upstream.url}/` })],
    ["another nonce", (claims) => ({ ...claims, nonce: "another" })],
    ["no nonce", ({ nonce: _nonce, ...claims }) => claims],
    ["an end that is past", (claims) => ({ ...claims, iat: now() - 900, exp: now() - 300 })],
    ["no end", ({ exp: _exp, ...claims }) => claims],
    ["a beginning that is to come", (claims) => ({ ...claims, nbf: now() + 600 })],
    ["no subject", ({ sub: _sub, ...claims }) => claims],
  ])("with %s are refused", async (_what, bend) => {
    upstream.behaviour.idToken = bend;
    await expectRefused();
  });

  it("are accepted with us among several audiences and as azp, and within a minute of clock difference", async () => {
    upstream.behaviour.idToken = (claims) => ({ ...claims, aud: ["us", "b"], azp: "us", exp: now() - 30 });
    await expectAccepted();
  });
});

describe("signatures", () => {
  /** Guard: enableNonRepudiationChecks in upstream/configuration.ts. */
  it("of another key are refused, under its own kid and under the provider's", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    upstream.behaviour.signed = (claims) => upstream.sign(claims, {}, privateKey);
    await expectRefused();
    upstream.behaviour.signed = (claims) => upstream.sign(claims, { kid: "mine" }, privateKey);
    await expectRefused();
  });

  it("over other claims are refused", async () => {
    upstream.behaviour.signed = (claims) => {
      const [header, , signature] = upstream.sign(claims).split(".");
      return `${header}.${encode({ ...claims, sub: "somebody-else" })}.${signature}`;
    };
    await expectRefused();
  });

  /** Guard: id_token_signed_response_alg, pinned in upstream/configuration.ts. */
  it.each(["none", "None", "NONE", "RS512", "ES256"])("of the algorithm %s are refused", async (alg) => {
    upstream.behaviour.signed = (claims) => unsigned(claims, alg);
    upstream.behaviour.metadata = (metadata) => ({
      ...metadata,
      id_token_signing_alg_values_supported: [alg, "RS256", "HS256"],
    });
    await expectRefused();
    await expectRefused(await connectOidc(server, upstream));
  });

  /** Guard: the same. Whoever may write the provider's metadata, or the token's header, does not choose the algorithm. */
  it("of another algorithm than the connection's are refused, however genuine", async () => {
    upstream.behaviour.signed = (claims) => upstream.sign(claims, { alg: "RS512" });
    upstream.behaviour.metadata = (metadata) => ({
      ...metadata,
      id_token_signing_alg_values_supported: ["RS512"],
    });
    await expectRefused(await connectOidc(server, upstream));
    const config = { id_token_signed_response_alg: "RS512" };
    await expectAccepted(await connectOidc(server, upstream, { config }));
  });

  it("by HS256 are refused, whether the secret is the provider's public key or our client_secret", async () => {
    upstream.behaviour.metadata = (metadata) => ({
      ...metadata,
      id_token_signing_alg_values_supported: ["HS256", "none"],
    });
    for (const secret of [upstream.publicKeyPem, upstream.publicKeyPem.trim(), "our-secret"]) {
      upstream.behaviour.signed = (claims) => hmac(claims, secret);
      await expectRefused(await connectOidc(server, upstream));
    }
  });

  it("by a key that the token brings along are refused", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const jwk = publicKey.export({ format: "jwk" });
    upstream.behaviour.signed = (claims) => upstream.sign(claims, { kid: undefined, jwk }, privateKey);
    await expectRefused();
  });
});

describe("an answer without an ID token", () => {
  /** Guards, either of which is enough: idTokenExpected in upstream/oidc.ts, and its look at the claims. */
  it("is none of an OpenID provider", async () => {
    upstream.behaviour.tokens = ({ id_token: _token, ...answer }) => answer;
    await expectRefused();
    await expectRefused(await connectOidc(server, upstream, { config: { nonce: false } }));
    upstream.behaviour.tokens = (answer) => ({ ...answer, id_token: "" });
    await expectRefused();
  });
});

describe("the UserInfo endpoint", () => {
  const asking = () => connectOidc(server, upstream, { config: { fetch_userinfo: true } });

  /** Guard: the expected subject of fetchUserInfo in upstream/oidc.ts (§5.3.2: token substitution). */
  it("is not believed when it speaks of somebody else", async () => {
    const of = await asking();
    upstream.behaviour.userinfo = (claims) => ({ ...claims, sub: "somebody-else" });
    await expectRefused(of);
    upstream.behaviour.userinfo = () => ({ email: "no-sub@up.example" });
    await expectRefused(of);
  });

  /** Guard: mergedClaims in upstream/oidc.ts. */
  it("vouches for no address that the ID token says without vouching", async () => {
    const of = await asking();
    const victim = "victim@example.com";
    upstream.behaviour.idToken = (claims) => ({ ...claims, email: victim });
    upstream.behaviour.userinfo = (claims) => ({ ...claims, email: "mine@up.example", email_verified: true });
    await expectAccepted(of);
    const account = await linkedTo(server, of, String(upstream.person["sub"]));
    expect([account?.email, account?.profile["email_verified"]]).toEqual([victim, false]);
  });

  it("replaces nothing that was signed", async () => {
    const of = await asking();
    upstream.behaviour.userinfo = (claims) => ({
      ...claims,
      iss: "https://other.example",
      given_name: "Told",
    });
    upstream.behaviour.idToken = (claims) => ({ ...claims, given_name: "Signed" });
    await expectAccepted(of);
    const account = await linkedTo(server, of, String(upstream.person["sub"]));
    expect(account?.profile["given_name"]).toBe("Signed");
  });
});

describe("a provider of many directories (issuer_template)", () => {
  const mine = "11111111-1111-4111-8111-111111111111";
  const others = "22222222-2222-4222-8222-222222222222";
  const template = "https://login.up.example/{tenantid}/v2.0";
  const directories = async () => {
    upstream.behaviour.metadata = (metadata) => ({
      ...metadata,
      issuer: template,
      authorization_response_iss_parameter_supported: false,
    });
    upstream.behaviour.answer = ({ iss: _iss, ...answer }) => answer;
    return connectOidc(server, upstream, {
      config: { issuer_template: template, allowed_tenant_ids: [mine] },
    });
  };
  const of = (tid: unknown, iss: string) => (claims: Claims) => ({ ...claims, tid, iss });

  it("is taken for a directory that may sign in", async () => {
    const manifold = await directories();
    upstream.behaviour.idToken = of(mine, `https://login.up.example/${mine}/v2.0`);
    await expectAccepted(manifold);
  });

  /** Guard: requireTenant in upstream/oidc.ts. */
  it.each<[string, unknown, string]>([
    ["of another directory", others, `https://login.up.example/${others}/v2.0`],
    ["whose issuer is another directory's", mine, `https://login.up.example/${others}/v2.0`],
    ["without a directory", undefined, "https://login.up.example/undefined/v2.0"],
    ["whose directory is none", "{tenantid}", template],
    ["whose directory is a list", [mine], `https://login.up.example/${mine}/v2.0`],
  ])("is refused a token %s", async (_what, tid, iss) => {
    const manifold = await directories();
    upstream.behaviour.idToken = of(tid, iss);
    await expectRefused(manifold);
  });
});
