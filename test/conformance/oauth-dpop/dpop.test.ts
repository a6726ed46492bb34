/** RFC 9449 (DPoP): our reading of it, driven by openid-client where it can, and by raw proofs where it never would. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import * as client from "openid-client";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser } from "../../support/browser.ts";
import { postForm, startTestServer, type TestServer } from "../../support/server.ts";
import { dpopProof, fetchNonce, newTestKey, type TestKey } from "../../support/signed.ts";
import { addUser, type Application, fillSignIn, refusal, registerApplication } from "../support.ts";

let server: TestServer;
let ada: User;
let key: TestKey;
let token: string;
let userinfo: string;

beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_ALLOWED_ORIGINS: "https://spa.example.com" } });
  ada = await addUser(server, "ada");
  key = await newTestKey();
  token = `${server.url}/oauth/token`;
  userinfo = `${server.url}/oauth/userinfo`;
});
afterAll(() => server.stop());

const handleOf = ({ config }: Application, by = key) =>
  ({ DPoP: client.getDPoPHandle(config, by.pair) }) as const;

/** A sign-in whose code is exchanged with a proof of the key. */
async function boundLogin(app: Application, parameters: Record<string, string> = {}, by = key) {
  const pending = await app.begin(parameters);
  const browser = createHttpBrowser(server.url);
  const page = await browser.open(pending.url);
  const { url } = await fillSignIn(browser, page, ada.username);
  const tokens = await client.authorizationCodeGrant(
    app.config,
    url,
    pending.checks,
    undefined,
    handleOf(app, by),
  );
  return tokens;
}

const claimsOf = (jwt: string) => JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());

describe("RFC 9449 §5: a token request with a proof", () => {
  let app: Application;
  beforeEach(async () => {
    app = await registerApplication(server, { public: true });
  });

  it("gets a token of type DPoP, bound by cnf.jkt (§6.1), and the client's library uses it", async () => {
    const tokens = await boundLogin(app);
    expect(tokens.token_type).toBe("dpop");
    expect(claimsOf(tokens.access_token).cnf).toEqual({ jkt: key.jkt });
    const claims = await client.fetchUserInfo(app.config, tokens.access_token, ada.id, handleOf(app));
    expect(claims.email).toBe(ada.email ?? "");
  });

  it.each(["RS256", "PS256", "EdDSA"] as const)("may be by an %s key", async (alg) => {
    const other = await newTestKey(alg);
    const tokens = await boundLogin(app, {}, other);
    expect(claimsOf(tokens.access_token).cnf).toEqual({ jkt: other.jkt });
  });

  it("binds a public client's refresh token, whose rotation needs the same key", async () => {
    const { refresh_token = "" } = await boundLogin(app);
    expect(await refusal(client.refreshTokenGrant(app.config, refresh_token))).toBe("invalid_dpop_proof");
    const other = handleOf(app, await newTestKey());
    expect(await refusal(client.refreshTokenGrant(app.config, refresh_token, {}, other))).toBe(
      "invalid_grant",
    );
    const next = await client.refreshTokenGrant(app.config, refresh_token, {}, handleOf(app));
    expect([next.token_type, claimsOf(next.access_token).cnf]).toEqual(["dpop", { jkt: key.jkt }]);
  });

  it("leaves a confidential client's refresh token to its credentials: another key may follow", async () => {
    const confidential = await registerApplication(server);
    const { refresh_token = "" } = await boundLogin(confidential);
    const other = await newTestKey();
    const next = await client.refreshTokenGrant(
      confidential.config,
      refresh_token,
      {},
      handleOf(confidential, other),
    );
    expect(claimsOf(next.access_token).cnf).toEqual({ jkt: other.jkt });
  });

  it("binds a client's own token", async () => {
    const machine = await registerApplication(server, { grantTypes: ["client_credentials"], scopes: ["a"] });
    const issued = await client.clientCredentialsGrant(machine.config, {}, handleOf(machine));
    expect([issued.token_type, claimsOf(issued.access_token).cnf]).toEqual(["dpop", { jkt: key.jkt }]);
  });

  it("is what a client that is registered for bound tokens always has to make (§5.2)", async () => {
    const machine = await registerApplication(server, {
      grantTypes: ["client_credentials"],
      scopes: ["a"],
      row: { dpopBoundAccessTokens: true },
    });
    expect(await refusal(client.clientCredentialsGrant(machine.config))).toBe("invalid_dpop_proof");
    const issued = await client.clientCredentialsGrant(machine.config, {}, handleOf(machine));
    expect(issued.token_type).toBe("dpop");
  });
});

describe("RFC 9449 §6.2: introspection", () => {
  it("tells the token_type DPoP and the confirmation", async () => {
    const app = await registerApplication(server);
    const tokens = await boundLogin(app);
    expect(await client.tokenIntrospection(app.config, tokens.access_token)).toMatchObject({
      active: true,
      token_type: "DPoP",
      cnf: { jkt: key.jkt },
    });
  });
});

describe("RFC 9449 §8: nonces at the token endpoint", () => {
  const request = async (proof: { nonce?: string }, extra: Record<string, string> = {}) => {
    const machine = await registerApplication(server, { grantTypes: ["client_credentials"], scopes: ["a"] });
    return postForm(
      token,
      {
        grant_type: "client_credentials",
        client_id: machine.registered.client.clientId,
        client_secret: machine.registered.clientSecret ?? "",
      },
      { dpop: await dpopProof(server, key, { url: token, ...proof }), ...extra },
    );
  };

  it("a proof without one is refused with 400 use_dpop_nonce, and is told the one to use", async () => {
    const refused = await request({});
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: "use_dpop_nonce" }]);
    expect(refused.headers.get("dpop-nonce")).toMatch(/^[\w-]{22}$/);
    expect(refused.headers.get("cache-control")).toBe("no-store");
  });

  it("a proof with it is accepted, and the answer tells the next one (§8.2)", async () => {
    const nonce = await fetchNonce(server, key);
    const accepted = await request({ nonce });
    expect(accepted.status).toBe(200);
    expect(accepted.headers.get("dpop-nonce")).toMatch(/^[\w-]{22}$/);
  });

  it("is good for five minutes at least and ten at most", async () => {
    const nonce = await fetchNonce(server, key);
    server.clock.advance(300);
    expect((await request({ nonce })).status).toBe(200);
    server.clock.advance(300);
    expect((await request({ nonce })).status).toBe(400);
  });

  it("are not asked for where the tenant does not want them", async () => {
    await server.configure({ dpop_nonce_required: false });
    expect((await request({})).status).toBe(200);
    const wrong = await request({ nonce: "of-somebody-else" });
    expect(await wrong.json()).toMatchObject({ error: "use_dpop_nonce" });
    await server.configure({ dpop_nonce_required: true });
  });

  it("can be read by an application in a browser (CORS)", async () => {
    const refused = await request({}, { origin: "https://spa.example.com" });
    expect(refused.headers.get("access-control-expose-headers")).toContain("DPoP-Nonce");
    const preflight = await fetch(token, {
      method: "OPTIONS",
      headers: { origin: "https://spa.example.com", "access-control-request-method": "POST" },
    });
    expect(preflight.headers.get("access-control-allow-headers")).toContain("DPoP");
  });
});

describe("RFC 9449 §7, §9: protected resources", () => {
  let accessToken: string;
  beforeAll(async () => {
    // A server of its own time: the library makes its proofs by the real one.
    await server.stop();
    server = await startTestServer();
    ada = await addUser(server, "ada");
    token = `${server.url}/oauth/token`;
    userinfo = `${server.url}/oauth/userinfo`;
    accessToken = (await boundLogin(await registerApplication(server, { public: true }))).access_token;
  });

  const call = async (url: string, proof: Partial<Parameters<typeof dpopProof>[2]> = {}, method = "GET") =>
    fetch(url, {
      method,
      headers: {
        authorization: `DPoP ${accessToken}`,
        dpop: await dpopProof(server, key, { method, url, accessToken, ...proof }),
      },
    });

  it.each(["/oauth/userinfo", "/me"])(
    "%s asks for a nonce by 401, and answers a proof that has it",
    async (path) => {
      const refused = await call(server.url + path);
      expect(refused.status).toBe(401);
      const challenge = refused.headers.get("www-authenticate");
      expect(challenge).toStartWith("DPoP ");
      expect(challenge).toContain('error="use_dpop_nonce"');
      const nonce = refused.headers.get("dpop-nonce") ?? "";
      const accepted = await call(server.url + path, { nonce });
      expect([accepted.status, accepted.headers.get("dpop-nonce")]).toEqual([200, nonce]);
    },
  );

  it("the UserInfo endpoint takes a proof of POST as well", async () => {
    const nonce = await fetchNonce(server, key);
    expect((await call(userinfo, { nonce }, "POST")).status).toBe(200);
  });

  it("a request without a token is challenged with both schemes, and the algorithms (§7.1, §7.2)", async () => {
    for (const path of ["/oauth/userinfo", "/me"]) {
      const challenge = (await fetch(server.url + path)).headers.get("www-authenticate");
      expect(challenge).toBe('Bearer, DPoP algs="RS256 PS256 ES256 EdDSA Ed25519"');
    }
  });

  it("a bound token is refused under Bearer, and a Bearer token under DPoP (§7.2)", async () => {
    const asBearer = await fetch(userinfo, { headers: { authorization: `Bearer ${accessToken}` } });
    expect([asBearer.status, await asBearer.json()]).toMatchObject([401, { error: "invalid_token" }]);
    const app = await registerApplication(server, { public: true });
    const pending = await app.begin();
    const browser = createHttpBrowser(server.url);
    const { url } = await fillSignIn(browser, await browser.open(pending.url), ada.username);
    const unbound = (await client.authorizationCodeGrant(app.config, url, pending.checks)).access_token;
    const nonce = await fetchNonce(server, key);
    const asDpop = await fetch(userinfo, {
      headers: {
        authorization: `DPoP ${unbound}`,
        dpop: await dpopProof(server, key, { method: "GET", url: userinfo, accessToken: unbound, nonce }),
      },
    });
    expect([asDpop.status, await asDpop.json()]).toMatchObject([401, { error: "invalid_token" }]);
    expect(asDpop.headers.get("www-authenticate")).toStartWith("DPoP ");
  });

  it("one without its proof is refused", async () => {
    const answer = await fetch(userinfo, { headers: { authorization: `DPoP ${accessToken}` } });
    expect([answer.status, await answer.json()]).toMatchObject([401, { error: "invalid_dpop_proof" }]);
  });

  it("the URL of a proof is that of the tenant's issuer, without query", async () => {
    const nonce = await fetchNonce(server, key);
    const withQuery = await fetch(`${userinfo}?a=b`, {
      headers: {
        authorization: `DPoP ${accessToken}`,
        dpop: await dpopProof(server, key, { method: "GET", url: userinfo, accessToken, nonce }),
      },
    });
    expect(withQuery.status).toBe(200);
  });
});

describe("RFC 9449 §10: an authorization code that is bound by dpop_jkt", () => {
  it("is exchanged with that key alone", async () => {
    const app = await registerApplication(server, { public: true });
    const browser = createHttpBrowser(server.url);
    const pending = await app.begin({ dpop_jkt: key.jkt });
    const { url } = await fillSignIn(browser, await browser.open(pending.url), ada.username);
    const exchange = (options?: client.DPoPOptions) =>
      client.authorizationCodeGrant(app.config, url, pending.checks, undefined, options);
    expect(await refusal(exchange())).toBe("invalid_dpop_proof");
    expect(await refusal(exchange(handleOf(app, await newTestKey())))).toBe("invalid_grant");
    expect((await exchange(handleOf(app))).token_type).toBe("dpop");
  });
});

describe("RFC 9449 §5.1: metadata", () => {
  it("names the algorithms that proofs may have", async () => {
    const app = await registerApplication(server);
    const { dpop_signing_alg_values_supported: algs } = app.config.serverMetadata();
    expect(algs?.toSorted()).toEqual(["ES256", "Ed25519", "EdDSA", "PS256", "RS256"]);
  });
});
