/** The public keys that a client registers (RFC 7591 §2 `jwks`, RFC 7517). */
import type { SigningAlgorithm } from "../jose/algorithms.ts";
import { importVerificationKey } from "../jose/keys.ts";

/** A JWK set as it is stored: what a client gave, checked and never changed. */
export interface ClientJwks {
  readonly keys: readonly Record<string, unknown>[];
}

const MAX_KEYS = 10;
const MAX_LENGTH = 16_384;

/** RFC 7518 §6.2.2, §6.3.2, §6.4.1; RFC 8037 §2: members that are nobody's but the client's. */
const SECRET_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/** The algorithm that a key of each kind is tried with; an RSA key is good for PS256 whenever it is for RS256. */
const ALGORITHM_OF_TYPE = new Map<unknown, SigningAlgorithm>([
  ["RSA", "RS256"],
  ["EC", "ES256"],
  ["OKP", "EdDSA"],
]);

/**
 * What is wrong with a `jwks` value, or undefined. Only public keys, at least one of which verifies signatures with an
 * algorithm of ours. A private or symmetric key is refused, not stored: its owner has to know that it was sent away.
 */
export function jwksProblem(value: unknown): string | undefined {
  if (!isRecord(value) || !Array.isArray(value["keys"])) return "must be a JWK set (RFC 7517 §5)";
  const keys: unknown[] = value["keys"];
  const text = JSON.stringify(value);
  if (keys.length === 0 || keys.length > MAX_KEYS || text.length > MAX_LENGTH)
    return `must hold 1 to ${MAX_KEYS} keys, in at most ${MAX_LENGTH} characters`;
  // NUL, and halves of surrogate pairs: no database stores them in JSON.
  if (/\\u(?:0000|d[89a-f])/i.test(text)) return "must hold texts that can be stored";
  const records = keys.filter(isRecord);
  if (records.length < keys.length) return "must be a JWK set (RFC 7517 §5)";
  if (records.some((key) => key["kty"] === "oct" || SECRET_MEMBERS.some((name) => Object.hasOwn(key, name))))
    return "must hold public keys only: a private or symmetric key belongs to nobody but its owner";
  const ids = records.flatMap(({ kid }) => (kid === undefined ? [] : [kid]));
  if (ids.some((kid) => typeof kid !== "string") || new Set(ids).size < ids.length)
    return "must give each key a kid of its own";
  return records.some(isUsable)
    ? undefined
    : "must hold a key for RS256 or PS256 (RSA, 2048 bits or more), ES256 (P-256) or EdDSA (Ed25519)";
}

/** The keys of a value without a `jwksProblem`. */
export function readJwks(value: unknown): ClientJwks | undefined {
  return isRecord(value) && Array.isArray(value["keys"])
    ? { keys: value["keys"].filter(isRecord) }
    : undefined;
}

function isUsable(key: Record<string, unknown>): boolean {
  const alg = ALGORITHM_OF_TYPE.get(key["kty"]);
  if (!alg || (key["use"] !== undefined && key["use"] !== "sig")) return false;
  try {
    importVerificationKey("candidate", alg, key);
    return true;
  } catch {
    return false;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
