/** Attacks on DPoP (RFC 9449 §11). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { configureClient } from "../support/client-row.ts";
import { postForm, startTestServer, type TestServer } from "../support/server.ts";
import { dpopProof, fetchNonce, newTestKey, type ProofOptions, type TestKey } from "../support/signed.ts";
import {
  type App,
  bearer,
  type Browser,
  createApp,
  createOtherTenant,
  errorOf,
  obtainCode,
  signedIn,
  type Tokens,
  tokensOf,
} from "./support.ts";

let server: TestServer;
let app: App;
let browser: Browser;
let key: TestKey;
let nonce: string;
let tokens: Tokens;
let token: string;
let userinfo: string;

beforeAll(async () => {
  server = await startTestServer();
  key = await newTestKey();
  token = `${server.url}/oauth/token`;
  userinfo = `${server.url}/oauth/userinfo`;
  nonce = await fetchNonce(server, key);
  app = await createApp(server, { public: true });
  ({ browser } = await signedIn(server.url));
  tokens = await tokensOf(exchange(await obtainCode(browser, app)));
});
afterAll(() => server.stop());

const tokenProof = (options: Partial<ProofOptions> = {}, by = key) =>
  dpopProof(server, by, { url: token, nonce, ...options });

async function post(fields: Record<string, string>, proof?: string): Promise<Response> {
  const identified = { client_id: app.client.clientId, ...fields };
  return postForm(token, identified, proof === undefined ? {} : { dpop: proof });
}

async function exchange({ code, verifier }: { code: string; verifier: string }, proof?: string) {
  return post(
    { grant_type: "authorization_code", code, code_verifier: verifier, redirect_uri: app.redirectUri },
    proof ?? (await tokenProof()),
  );
}

const resourceProof = (options: Partial<ProofOptions> = {}, by = key) =>
  dpopProof(server, by, {
    method: "GET",
    url: userinfo,
    nonce,
    accessToken: tokens.access_token,
    ...options,
  });

const call = (proof: string, accessToken = tokens.access_token, url = userinfo, method = "GET") =>
  fetch(url, { method, headers: { authorization: `DPoP ${accessToken}`, dpop: proof } });

const badProof: [number, string] = [401, "invalid_dpop_proof"];

describe("a stolen token that is bound to a key", () => {
  it("works with the key, or nothing below would prove anything", async () => {
    expect((await call(await resourceProof())).status).toBe(200);
  });

  /** RFC 9449 §7.2, the downgrade. Guard: protocol/oauth/dpop-resource.ts, requireBinding. */
  it("is worth nothing as a Bearer token, in the header or in a form, on either surface", async () => {
    const { access_token } = tokens;
    expect(await errorOf(fetch(userinfo, { headers: bearer(access_token) }))).toEqual([401, "invalid_token"]);
    expect(await errorOf(postForm(userinfo, { access_token }))).toEqual([401, "invalid_token"]);
    expect((await fetch(`${server.url}/me`, { headers: bearer(access_token) })).status).toBe(401);
  });

  /** A proof beside a Bearer token proves nothing. Guard: the same. */
  it("is worth nothing as a Bearer token with a proof beside it", async () => {
    const headers = { ...bearer(tokens.access_token), dpop: await resourceProof() };
    expect(await errorOf(fetch(userinfo, { headers }))).toEqual([401, "invalid_token"]);
  });

  /** RFC 9449 §7.1. Guard: requireBinding. */
  it("is worth nothing with the thief's own key", async () => {
    const thief = await newTestKey();
    expect(await errorOf(call(await resourceProof({}, thief)))).toEqual([401, "invalid_token"]);
  });

  /** RFC 9449 §5. Guard: protocol/oauth/dpop-binding.ts, tokenBinding. */
  it("and its refresh token are worth nothing without the key", async () => {
    const { refresh_token } = await tokensOf(exchange(await obtainCode(browser, app)));
    const fields = { grant_type: "refresh_token", refresh_token };
    expect(await errorOf(post(fields))).toEqual([400, "invalid_dpop_proof"]);
    const thief = await newTestKey();
    expect(await errorOf(post(fields, await tokenProof({}, thief)))).toEqual([400, "invalid_grant"]);
    expect((await post(fields, await tokenProof())).status).toBe(200);
  });
});

describe("a token that is not bound", () => {
  /** RFC 9449 §7.1: a thief would make a bound one of it. Guard: requireBinding. */
  it("is worth nothing under the scheme DPoP", async () => {
    const { code, verifier } = await obtainCode(browser, app);
    const unbound = await tokensOf(
      post({
        grant_type: "authorization_code",
        code,
        code_verifier: verifier,
        redirect_uri: app.redirectUri,
      }),
    );
    const proof = await resourceProof({ accessToken: unbound.access_token });
    expect(await errorOf(call(proof, unbound.access_token))).toEqual([401, "invalid_token"]);
  });
});

describe("a proof that was used", () => {
  /** RFC 9449 §11.1. Guard: http/dpop.ts, consumeProof. */
  it("is refused the second time, at a resource and at the token endpoint", async () => {
    const proof = await resourceProof();
    expect((await call(proof)).status).toBe(200);
    expect(await errorOf(call(proof))).toEqual(badProof);
    const atToken = await tokenProof();
    expect((await exchange(await obtainCode(browser, app), atToken)).status).toBe(200);
    const again = exchange(await obtainCode(browser, app), atToken);
    expect(await errorOf(again)).toEqual([400, "invalid_dpop_proof"]);
  });

  /** Guard: domain/replay/repo.ts, one statement. */
  it("by 20 requests at once opens for one", async () => {
    const proof = await resourceProof();
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(proof)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array(19).fill(401)]);
  });

  /** RFC 9449 §11.1: otherwise whoever fills our memory lets proofs be used again. Guard: MAX_AGE_SECONDS in dpop.ts. */
  it("is refused once it is old, and so is one from the future", async () => {
    const now = Math.floor(server.clock.now().getTime() / 1000);
    for (const iat of [now - 121, now + 61, "now", undefined])
      expect(await errorOf(call(await resourceProof({ claims: { iat } })))).toEqual(badProof);
  });
});

describe("a proof for something else", () => {
  /** RFC 9449 §4.3 (8, 9). Guard: protocol/oauth/dpop.ts, checkClaims. */
  it.each([
    ["another method", { method: "POST" }],
    ["another path", { url: "/me" }],
    ["another server", { url: "https://evil.example/oauth/userinfo" }],
    ["another tenant's path", { url: "/t/acme/oauth/userinfo" }],
    ["a user in the URL", { url: "http://a:b@localhost/oauth/userinfo" }],
  ])("is refused: %s", async (_, { url, method }: { url?: string; method?: string }) => {
    const options = {
      ...(url ? { url: url.startsWith("/") ? server.url + url : url } : {}),
      ...(method ? { method } : {}),
    };
    expect(await errorOf(call(await resourceProof(options)))).toEqual(badProof);
  });

  /** The Host header is the caller's word. Guard: http/dpop.ts, dpopRequest (the issuer's URL). */
  it("is not for us because the request says so in its Host header", async () => {
    const proof = await resourceProof({ url: "http://evil.example/oauth/userinfo" });
    const answer = await fetch(userinfo, {
      headers: { authorization: `DPoP ${tokens.access_token}`, dpop: proof, host: "evil.example" },
    });
    expect(await errorOf(answer)).toEqual(badProof);
  });

  /** RFC 9449 §4.3 (11). Guard: checkClaims (ath). */
  it("is refused with another token's hash, or with none", async () => {
    const other = await resourceProof({ accessToken: "another" });
    expect(await errorOf(call(other))).toEqual(badProof);
    expect(await errorOf(call(await resourceProof({ claims: { ath: undefined } })))).toEqual(badProof);
  });

  /** RFC 9449 §8, §11.2: a proof made in advance. Guard: checkClaims (nonce). */
  it("is refused with a nonce that is not ours, is another tenant's, or with none", async () => {
    const other = await createOtherTenant(server, "nonces");
    const url = `${other.base}/oauth/token`;
    const refusedThere = await postForm(url, {}, { dpop: await dpopProof(server, key, { url }) });
    for (const wrong of ["guessed", refusedThere.headers.get("dpop-nonce") ?? "", undefined]) {
      const answer = await call(await resourceProof({ nonce: wrong }));
      expect(await errorOf(answer)).toEqual([401, "use_dpop_nonce"]);
    }
  });
});

describe("a proof that is forged", () => {
  /** RFC 8725 §2.1, RFC 9449 §4.3 (4-7). Guard: protocol/oauth/dpop.ts, verifyDpopProof. */
  it("by the confusion of algorithms, keys and types is refused", async () => {
    const [other, rsa] = [await newTestKey(), await newTestKey("RS256")];
    const secret = { kty: "oct", k: "AAAA" };
    const proofs = [
      await resourceProof({ header: { alg: "ES256", jwk: other.publicJwk } }),
      await resourceProof({ header: { jwk: secret } }),
      await resourceProof({ header: { jwk: { ...key.publicJwk, d: "AAAA" } } }),
      await resourceProof({ header: { jwk: undefined } }),
      await resourceProof({ header: { jwk: rsa.publicJwk } }),
      await resourceProof({ header: { typ: "JWT" } }),
      await resourceProof({ header: { typ: undefined } }),
      await resourceProof({ header: { x5c: ["AA=="] } }),
    ];
    const [header = "", payload] = (await resourceProof()).split(".");
    const unsigned = { ...JSON.parse(Buffer.from(header, "base64url").toString()), alg: "none" };
    proofs.push(`${Buffer.from(JSON.stringify(unsigned)).toString("base64url")}.${payload}.`, "x", "");
    for (const proof of proofs) expect(await errorOf(call(proof))).toEqual(badProof);
  });

  /** RFC 9449 §4.3 (1). Guard: verifyDpopProof (one JWT). */
  it("by sending two is refused", async () => {
    const two = `${await resourceProof()}, ${await resourceProof()}`;
    expect(await errorOf(call(two))).toEqual(badProof);
  });
});

describe("a stolen code", () => {
  /** RFC 9449 §10. Guard: code-exchange.ts, tokenBinding (boundJkt). */
  it("that is bound by dpop_jkt is worth nothing without its key, and not used up by the try", async () => {
    const code = await obtainCode(browser, app, { dpop_jkt: key.jkt });
    const thief = await newTestKey();
    const stolen = exchange(code, await tokenProof({}, thief));
    expect(await errorOf(stolen)).toEqual([400, "invalid_grant"]);
    expect((await exchange(code)).status).toBe(200);
  });
});

describe("a client that is registered for bound tokens", () => {
  /** RFC 9449 §5.2. Guard: tokenBinding (dpopBoundAccessTokens). */
  it("gets no Bearer token, whoever asks in its name", async () => {
    const bound = await createApp(server, { public: true });
    await configureClient(server, bound, { dpopBoundAccessTokens: true });
    const { code, verifier } = await obtainCode(browser, bound);
    const fields = {
      grant_type: "authorization_code",
      client_id: bound.client.clientId,
      code,
      code_verifier: verifier,
      redirect_uri: bound.redirectUri,
    };
    expect(await errorOf(postForm(token, fields))).toEqual([400, "invalid_dpop_proof"]);
  });
});
