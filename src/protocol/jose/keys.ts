import { constants, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { sha256 } from "../../lib/crypto.ts";
import type { SigningAlgorithm } from "./algorithms.ts";

/** A public key, bound to the one algorithm that it may be used with (RFC 8725 §3.1). */
export interface VerificationKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly publicKey: KeyObject;
}

export interface SigningKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly privateKey: KeyObject;
}

/** Any JWK, trusted or not, as far as its public members go. */
export interface JwkLike {
  readonly kty?: unknown;
  readonly n?: unknown;
  readonly e?: unknown;
  readonly crv?: unknown;
  readonly x?: unknown;
  readonly y?: unknown;
}

/** A public key as JWKS publish it (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2). */
export interface PublicJwk {
  kty: "RSA" | "EC" | "OKP";
  kid: string;
  alg: SigningAlgorithm;
  use: "sig";
  n?: string;
  e?: string;
  crv?: string;
  x?: string;
  y?: string;
  x5c?: string[];
  "x5t#S256"?: string;
}

/**
 * @param pkcs8 DER
 * @throws TypeError when the key cannot be used with `alg`
 */
export function importSigningKey(kid: string, alg: SigningAlgorithm, pkcs8: Uint8Array): SigningKey {
  const privateKey = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  assertFits(privateKey, alg);
  return { kid, alg, privateKey };
}

/**
 * @param jwk one of ours, from our own database: not for keys that strangers present
 * @throws TypeError when the key cannot be used with `alg`
 */
export function importVerificationKey(kid: string, alg: SigningAlgorithm, jwk: JwkLike): VerificationKey {
  const publicKey = createPublicKey({ key: publicMembers(jwk), format: "jwk" });
  assertFits(publicKey, alg);
  return { kid, alg, publicKey };
}

/** The public half of a signing key, as it is stored and published. */
export function publicJwkOf({ kid, alg, privateKey }: SigningKey): PublicJwk {
  return publicJwk(kid, alg, createPublicKey(privateKey).export({ format: "jwk" }));
}

/**
 * Members are taken one by one, so that a private one cannot slip through whatever the key holds (RFC 7517 §9.2).
 * @param certificate DER of a certificate for this key: published as `x5c` and `x5t#S256`
 */
export function publicJwk(
  kid: string,
  alg: SigningAlgorithm,
  jwk: JwkLike,
  certificate?: Uint8Array,
): PublicJwk {
  const key: PublicJwk = { ...publicMembers(jwk), kid, alg, use: "sig" };
  return certificate ? { ...key, ...certificateMembers(certificate) } : key;
}

/** RFC 7517 §4.7 (base64, with padding) and §4.9 (base64url). */
function certificateMembers(der: Uint8Array): Required<Pick<PublicJwk, "x5c" | "x5t#S256">> {
  return {
    x5c: [Buffer.from(der).toString("base64")],
    "x5t#S256": sha256(der).toString("base64url"),
  };
}

/** RFC 7517 §5. */
export function jwkSet(keys: readonly PublicJwk[]): { keys: PublicJwk[] } {
  return {
    keys: keys.map((key) => {
      const [certificate] = key.x5c ?? [];
      return publicJwk(key.kid, key.alg, key, certificate ? Buffer.from(certificate, "base64") : undefined);
    }),
  };
}

/** JWK thumbprint with SHA-256 (RFC 7638 §3): the required members in lexicographic order, without spaces. */
export function jwkThumbprint(jwk: JwkLike): string {
  const members = publicMembers(jwk);
  const sorted = Object.entries(members).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return sha256(JSON.stringify(Object.fromEntries(sorted))).toString("base64url");
}

const MEMBERS_OF_TYPE = { RSA: ["n", "e"], EC: ["crv", "x", "y"], OKP: ["crv", "x"] } as const;

/**
 * The members of which a public key consists, and no others.
 * @throws TypeError when one is missing
 */
export function publicMembers(jwk: JwkLike): Pick<PublicJwk, "kty"> & Record<string, string> {
  const { kty } = jwk;
  if (kty !== "RSA" && kty !== "EC" && kty !== "OKP") throw new TypeError("a JWK of an unsupported kty");
  const members = MEMBERS_OF_TYPE[kty].map((name): [string, string] => {
    const value = jwk[name];
    if (typeof value !== "string") throw new TypeError(`a JWK without its member ${name}`);
    return [name, value];
  });
  return { ...Object.fromEntries(members), kty };
}

/** RFC 7518 §3.3, §3.4, §3.5; RFC 8037 §3.1. */
function assertFits(key: KeyObject, alg: SigningAlgorithm): void {
  const details = key.asymmetricKeyDetails;
  const fits = {
    RS256: key.asymmetricKeyType === "rsa" && (details?.modulusLength ?? 0) >= 2048,
    PS256: key.asymmetricKeyType === "rsa" && (details?.modulusLength ?? 0) >= 2048,
    ES256: key.asymmetricKeyType === "ec" && details?.namedCurve === "prime256v1",
    EdDSA: key.asymmetricKeyType === "ed25519",
  }[alg];
  if (!fits) throw new TypeError(`a key that cannot be used with ${alg}`);
}

/** How node:crypto is told to sign and verify: raw r||s for ECDSA (RFC 7518 §3.4), salt as long as the hash for PSS (§3.5). */
export function signatureOptions(alg: SigningAlgorithm, key: KeyObject) {
  switch (alg) {
    case "RS256":
      return { digest: "sha256", key: { key, padding: constants.RSA_PKCS1_PADDING } };
    case "PS256":
      return { digest: "sha256", key: { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } };
    case "ES256":
      return { digest: "sha256", key: { key, dsaEncoding: "ieee-p1363" as const } };
    case "EdDSA":
      return { digest: null, key: { key } };
  }
}
