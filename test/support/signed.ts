/** What a client or an issuer of assertions signs: keys of theirs, JWTs of any shape, DPoP proofs. */
import { createHash } from "node:crypto";
import * as jose from "jose";
import type { SigningAlgorithm } from "../../src/protocol/jose/algorithms.ts";
import { postForm, type TestServer } from "./server.ts";

export interface TestKey {
  readonly alg: SigningAlgorithm;
  readonly kid: string;
  readonly pair: CryptoKeyPair;
  /** As it is registered and published. */
  readonly publicJwk: jose.JWK;
  /** Thumbprint (RFC 7638). */
  readonly jkt: string;
}

let made = 0;

export async function newTestKey(alg: SigningAlgorithm = "ES256"): Promise<TestKey> {
  const pair = await jose.generateKeyPair(alg === "EdDSA" ? "Ed25519" : alg, { extractable: true });
  const kid = `key-${++made}`;
  const jwk = await jose.exportJWK(pair.publicKey);
  return {
    alg,
    kid,
    pair,
    publicJwk: { ...jwk, kid, alg, use: "sig" },
    jkt: await jose.calculateJwkThumbprint(jwk),
  };
}

export const jwksOf = (...keys: readonly TestKey[]): { keys: Record<string, unknown>[] } => ({
  keys: keys.map(({ publicJwk }) => ({ ...publicJwk })),
});

/** A JWT by this key. `header` and `claims` may say anything; what is undefined is left out. */
export function signTestJwt(
  key: TestKey,
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
): Promise<string> {
  return new jose.SignJWT(withoutUndefined(claims))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, ...withoutUndefined(header) })
    .sign(key.pair.privateKey);
}

const withoutUndefined = (members: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

const seconds = (server: TestServer) => Math.floor(server.clock.now().getTime() / 1000);

/** Claims of a sound client assertion (RFC 7523 §3), for this server. */
export function assertionClaims(server: TestServer, clientId: string): Record<string, unknown> {
  const now = seconds(server);
  return { iss: clientId, sub: clientId, aud: server.url, jti: crypto.randomUUID(), iat: now, exp: now + 60 };
}

/** The form fields by which a client authenticates with an assertion (RFC 7523 §2.2). */
export const assertionFields = (assertion: string) => ({
  client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
  client_assertion: assertion,
});

export interface ProofOptions {
  readonly method?: string;
  readonly url: string;
  readonly nonce?: string | undefined;
  readonly accessToken?: string;
  readonly claims?: Record<string, unknown>;
  readonly header?: Record<string, unknown>;
}

/** A DPoP proof (RFC 9449 §4.2) by the server's clock. */
export function dpopProof(server: TestServer, key: TestKey, options: ProofOptions): Promise<string> {
  const { kty, crv, x, y, n, e } = key.publicJwk;
  const ath = options.accessToken && createHash("sha256").update(options.accessToken).digest("base64url");
  const claims = {
    jti: crypto.randomUUID(),
    htm: options.method ?? "POST",
    htu: options.url,
    iat: seconds(server),
    nonce: options.nonce,
    ath,
    ...options.claims,
  };
  const jwk = withoutUndefined({ kty, crv, x, y, n, e });
  return signTestJwt(key, claims, { typ: "dpop+jwt", kid: undefined, jwk, ...options.header });
}

/** A nonce of the server's, as a client gets one: by a request that needs it (RFC 9449 §8). */
export async function fetchNonce(server: TestServer, key: TestKey): Promise<string> {
  const url = `${server.url}/oauth/token`;
  const refused = await postForm(url, {}, { dpop: await dpopProof(server, key, { url }) });
  const nonce = refused.headers.get("dpop-nonce");
  if (nonce === null) throw new Error(`no nonce: ${refused.status} ${await refused.text()}`);
  return nonce;
}
