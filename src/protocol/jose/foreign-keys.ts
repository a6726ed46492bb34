import { createPublicKey, type KeyObject } from "node:crypto";
import type { SigningAlgorithm } from "./algorithms.ts";
import { publicMembers } from "./keys.ts";

/** A public key that somebody else published. Its type, not a token, says which algorithms it may be used with. */
export interface ForeignKey {
  readonly kid: string | undefined;
  readonly algs: readonly SigningAlgorithm[];
  readonly publicKey: KeyObject;
}

/** What the header of a JWS says about its key. */
export interface KeyHint {
  readonly alg: SigningAlgorithm;
  readonly kid: string | undefined;
}

/** A set of more keys than this is none that we want to search. */
const MAX_KEYS = 50;

/** Symmetric and private members (RFC 7518 §6.2.2, §6.3.2, §6.4; RFC 8037 §2). */
const SECRET_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/**
 * The usable signature keys of a JWK Set (RFC 7517 §5: others are to be ignored). A key whose private half is published
 * is not used: anybody can sign with it.
 * @param jwks what a stranger sent; anything but a JWK Set has no keys
 */
export function importForeignKeys(jwks: unknown): ForeignKey[] {
  return entriesOf(jwks)
    .slice(0, MAX_KEYS)
    .flatMap((jwk) => importForeignKey(jwk) ?? []);
}

/**
 * A public key for signatures: RSA of 2048 to 8192 bits, P-256 or Ed25519 (RFC 7518 §3.3-3.5, RFC 8037 §3.1), meant for
 * signatures as far as `use`, `key_ops` and `alg` say (RFC 7517 §4.2-4.4).
 * @returns undefined for every other
 */
export function importForeignKey(jwk: unknown): ForeignKey | undefined {
  if (!isObject(jwk) || SECRET_MEMBERS.some((name) => Object.hasOwn(jwk, name))) return undefined;
  if (jwk["use"] !== undefined && jwk["use"] !== "sig") return undefined;
  if (jwk["key_ops"] !== undefined && !includes(jwk["key_ops"], "verify")) return undefined;
  const { kid } = jwk;
  if (kid !== undefined && typeof kid !== "string") return undefined;
  const publicKey = readKey(jwk);
  if (!publicKey) return undefined;
  const algs = algorithmsOf(publicKey).filter(
    (alg) => jwk["alg"] === undefined || canonicalAlgorithm(jwk["alg"]) === alg,
  );
  return algs.length > 0 ? { kid, algs, publicKey } : undefined;
}

/**
 * The one key that a header means: of its `kid` and fit for its `alg`. Without a `kid` there has to be exactly one that
 * fits (OpenID Connect Core §10.1); a guess among several would let a signer choose which of them is trusted.
 */
export function selectForeignKey(keys: readonly ForeignKey[], { alg, kid }: KeyHint): ForeignKey | undefined {
  const fitting = keys.filter((key) => key.algs.includes(alg) && (kid === undefined || key.kid === kid));
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** `Ed25519` is what RFC 9864 §2.2 calls the algorithm that clients also know as `EdDSA`. */
export function canonicalAlgorithm(alg: unknown): unknown {
  return alg === "Ed25519" ? "EdDSA" : alg;
}

function readKey(jwk: Readonly<Record<string, unknown>>): KeyObject | undefined {
  try {
    return createPublicKey({ key: publicMembers(jwk), format: "jwk" });
  } catch {
    return undefined;
  }
}

/** The exponent is bounded as well: verifying with a huge one takes seconds. */
function algorithmsOf(key: KeyObject): readonly SigningAlgorithm[] {
  const { modulusLength = 0, publicExponent = 0n, namedCurve } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "rsa": {
      const sound = modulusLength >= 2048 && modulusLength <= 8192;
      return sound && publicExponent >= 3n && publicExponent < 2n ** 33n ? ["RS256", "PS256"] : [];
    }
    case "ec":
      return namedCurve === "prime256v1" ? ["ES256"] : [];
    case "ed25519":
      return ["EdDSA"];
    default:
      return [];
  }
}

function entriesOf(jwks: unknown): readonly unknown[] {
  return isObject(jwks) && Array.isArray(jwks["keys"]) ? jwks["keys"] : [];
}

function includes(value: unknown, wanted: string): boolean {
  return Array.isArray(value) && value.includes(wanted);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
