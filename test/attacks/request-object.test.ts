/** Attacks on signed request objects (RFC 9101 §10, RFC 8725). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT, UnsecuredJWT } from "jose";
import { eq } from "drizzle-orm";
import { clients } from "../../src/db/schema/index.ts";
import { s256Challenge } from "../../src/protocol/oauth/pkce.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  authorizationParameters,
  type Browser,
  createApp,
  errorOf,
  exchangeCode,
  newVerifier,
  signedIn,
} from "./support.ts";

interface KeyedApp extends App {
  readonly key: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

let server: TestServer;
let app: KeyedApp;
let otherApp: KeyedApp;
let browser: Browser;

beforeAll(async () => {
  server = await startTestServer();
  app = await createKeyedApp();
  otherApp = await createKeyedApp();
  ({ browser } = await signedIn(server.url));
});
afterAll(() => server.stop());

async function createKeyedApp(): Promise<KeyedApp> {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const created = await createApp(server);
  const jwk = { ...(await exportJWK(publicKey)), kid: "k1" };
  await server.deps.db
    .update(clients)
    .set({ jwks: { keys: [jwk] } })
    .where(eq(clients.id, created.client.id));
  return { ...created, key: privateKey, publicKey, jwk };
}

const seconds = () => Math.floor(server.clock.now().getTime() / 1000);

const claimsOf = (changes: Record<string, unknown> = {}): Record<string, unknown> =>
  JSON.parse(
    JSON.stringify({
      ...Object.fromEntries(authorizationParameters(app)),
      iss: app.client.clientId,
      aud: server.url,
      nbf: seconds(),
      exp: seconds() + 60,
      jti: Bun.randomUUIDv7(),
      ...changes,
    }),
  );

const signed = (
  changes: Record<string, unknown> = {},
  options: { alg?: string; key?: CryptoKey | Uint8Array; header?: Record<string, unknown> } = {},
) =>
  new SignJWT(claimsOf(changes))
    .setProtectedHeader({
      alg: options.alg ?? "RS256",
      kid: "k1",
      typ: "oauth-authz-req+jwt",
      ...options.header,
    })
    .sign(options.key ?? app.key);

const open = (request: string, more: Record<string, string> = {}) =>
  browser.get(
    `/oauth/authorize?${new URLSearchParams({ client_id: app.client.clientId, request, ...more })}`,
  );

const codeOf = (response: Response) =>
  URL.parse(response.headers.get("location") ?? "")?.searchParams.get("code");

async function expectRefused(request: string): Promise<void> {
  const response = await open(request);
  expect([response.status, response.headers.get("location")]).toEqual([400, null]);
  expect(await response.text()).toContain("invalid_request_object");
}

describe("a request object that was seen before", () => {
  /** RFC 9101 §10.2. Guard: domain/authorization/request-objects.ts, openRequestObject (useOnce). */
  it("is refused, and so is the same one with another signature", async () => {
    const jti = "one-and-the-same";
    expect(codeOf(await open(await signed({ jti })))).toBeString();
    await expectRefused(await signed({ jti }));
    await expectRefused(await signed({ jti, state: "other" }));
  });

  /** CWE-367. Guard: domain/replay/repo.ts, insertUse (one atomic statement). */
  it("that races with 19 others works once", async () => {
    const request = await signed();
    const answers = await Promise.all(Array.from({ length: 20 }, () => open(request)));
    expect(answers.filter((answer) => codeOf(answer)).length).toBe(1);
  });

  /** Guard: protocol/oauth/request-object.ts, verifyRequestObject (an id for objects without jti). */
  it("is noticed without a jti", async () => {
    const request = await signed({ jti: undefined });
    expect(codeOf(await open(request))).toBeString();
    await expectRefused(request);
  });
});

describe("a request object that the client did not sign for us", () => {
  /** RFC 9101 §10.2, §5.2. Guard: verifyRequestObject (aud). */
  it("but for another server is refused", async () => {
    await expectRefused(await signed({ aud: "https://elsewhere.example" }));
    await expectRefused(await signed({ aud: `${server.url}/` }));
    await expectRefused(await signed({ aud: undefined }));
  });

  /** RFC 8725 §3.2, CVE-2015-9235. Guard: protocol/jose/foreign-jwt.ts, readForeignJwt and verifiedClaims, each by itself. */
  it("with alg none is refused", async () => {
    await expectRefused(new UnsecuredJWT(claimsOf()).encode());
    const [, payload] = (await signed()).split(".");
    for (const alg of ["none", "None", "NONE", "nOnE"]) {
      const header = Buffer.from(JSON.stringify({ alg, kid: "k1" })).toString("base64url");
      await expectRefused(`${header}.${payload}.`);
      await expectRefused(`${header}.${payload}.AAAA`);
    }
  });

  /** RFC 8725 §2.1, CVE-2016-10555. Guard: the same: nothing symmetric, and the key says what it is for. */
  it("with HS256 under its public key or its secret is refused", async () => {
    const encode = (text: string) => new TextEncoder().encode(text);
    for (const key of [await exportSPKI(app.publicKey), JSON.stringify(app.jwk), app.secret ?? ""])
      await expectRefused(await signed({}, { alg: "HS256", key: encode(key) }));
  });

  /** RFC 8725 §3.10, CVE-2018-0114. Guard: protocol/jose/compact.ts, hasForbiddenHeader. */
  it("with a key of its own in the header is refused", async () => {
    const attacker = await generateKeyPair("RS256", { extractable: true });
    const jwk = await exportJWK(attacker.publicKey);
    for (const header of [
      { jwk },
      { jwk, kid: undefined },
      { jku: "https://evil.example/jwks.json" },
      { x5u: "https://evil.example/cert.pem" },
    ])
      await expectRefused(await signed({}, { key: attacker.privateKey, header }));
    // Even beside a signature that holds: a header that brings a key is one that no client of ours sends.
    await expectRefused(await signed({}, { header: { jwk: app.jwk } }));
  });

  /** Guard: domain/authorization/request-objects.ts (the keys of the client that the request names). */
  it("but another client did is refused", async () => {
    await expectRefused(await signed({}, { key: otherApp.key }));
    await expectRefused(await signed({ iss: otherApp.client.clientId }, { key: otherApp.key }));
  });

  /** Cross-JWT confusion, RFC 9101 §10.8, RFC 8725 §2.8. Guard: verifyRequestObject (sub, typ). */
  it("but a client assertion or another kind of JWT is refused", async () => {
    await expectRefused(await signed({ sub: app.client.clientId }));
    for (const typ of ["at+jwt", "client-authentication+jwt", "dpop+jwt", "logout+jwt"])
      await expectRefused(await signed({}, { header: { typ } }));
  });

  /** Guard: protocol/oauth/foreign-claims.ts, timeProblem; request-object.ts, startProblem. */
  it("or signed too long ago, or for too long, is refused", async () => {
    await expectRefused(await signed({ exp: seconds() - 1, nbf: seconds() - 60 }));
    await expectRefused(await signed({ exp: undefined }));
    await expectRefused(await signed({ exp: seconds() + 86_400 }));
    await expectRefused(await signed({ nbf: seconds() + 600, exp: seconds() + 660 }));
  });
});

describe("parameters beside the object", () => {
  /** RFC 9101 §6.3, §10.4. Guard: domain/authorization/begin.ts, unpack (the object's parameters alone). */
  it("are not mixed in, neither over those inside nor where it has none", async () => {
    const verifier = newVerifier();
    const request = await signed({ nonce: undefined, prompt: "none" });
    const response = await open(request, {
      redirect_uri: "https://evil.example/",
      state: "injected",
      nonce: "injected",
      prompt: "login",
      response_mode: "fragment",
      code_challenge: s256Challenge(verifier),
      code_challenge_method: "S256",
    });
    const location = new URL(response.headers.get("location") ?? "");
    expect([location.origin, location.hash, location.searchParams.get("state")]).toEqual([
      "https://app.example",
      "",
      "state-1",
    ]);
    const code = location.searchParams.get("code") ?? "";
    expect(await errorOf(exchangeCode(app, { code, verifier }))).toEqual([400, "invalid_grant"]);
  });

  /** PKCE downgrade. Guard: begin.ts, unpack; protocol/oauth/pkce.ts, requireCodeChallenge. */
  it("do not bring the PKCE that the object has not", async () => {
    const request = await signed({ code_challenge: undefined, code_challenge_method: undefined });
    const response = await open(request, {
      code_challenge: s256Challenge(newVerifier()),
      code_challenge_method: "S256",
    });
    expect(response.headers.get("location")).toContain("error=invalid_request");
    expect(codeOf(response)).toBeNull();
  });

  /** RFC 9101 §5. Guard: begin.ts and request-object.ts, readRequestObject (client_id). */
  it("name the same client", async () => {
    const request = await signed();
    const search = new URLSearchParams({ client_id: otherApp.client.clientId, request });
    const response = await browser.get(`/oauth/authorize?${search}`);
    expect([response.status, codeOf(response)]).toEqual([400, undefined]);
  });

  /** RFC 9101 §7: an error tells the client, at a redirect_uri of its own. Guard: begin.ts, refuse (findResponseTarget). */
  it("do not make an error a redirect to anywhere", async () => {
    const response = await open("nonsense", { redirect_uri: "https://evil.example/", state: "s" });
    expect([response.status, response.headers.get("location")]).toEqual([400, null]);
  });
});

describe("a request object from elsewhere", () => {
  /** RFC 9101 §10.4: SSRF. Guard: protocol/oauth/authorization-request.ts, refuseReferences: nothing fetches it. */
  it("is never fetched", async () => {
    let fetched = 0;
    const elsewhere = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => new Response(String(++fetched)),
    });
    try {
      const search = authorizationParameters(app, { request_uri: `http://127.0.0.1:${elsewhere.port}/` });
      const response = await browser.get(`/oauth/authorize?${search}`);
      expect(response.headers.get("location")).toContain("error=request_uri_not_supported");
      expect(fetched).toBe(0);
    } finally {
      await elsewhere.stop(true);
    }
  });
});
