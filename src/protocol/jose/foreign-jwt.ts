import { isSigningAlgorithm, type SigningAlgorithm } from "./algorithms.ts";
import { claimsOf, type CompactJws, hasForbiddenHeader, hasValidSignature, parseCompact } from "./compact.ts";
import { canonicalAlgorithm, type ForeignKey, type KeyHint } from "./foreign-keys.ts";

/** A JWT that somebody else signed, read as far as is needed to find the key. Its claims are not to be believed yet. */
export interface UnverifiedJwt {
  readonly jws: CompactJws;
  readonly hint: KeyHint;
  readonly typ: unknown;
  /** What it says about itself: only for looking up whose key to verify it with. */
  readonly claimed: Readonly<Record<string, unknown>>;
}

/** @returns undefined for what is no JWT signed with an algorithm of ours, or brings a key along */
export function readForeignJwt(token: string): UnverifiedJwt | undefined {
  const jws = parseCompact(token);
  if (!jws || hasForbiddenHeader(jws)) return undefined;
  const claimed = claimsOf(jws);
  const alg = canonicalAlgorithm(jws.header["alg"]);
  const { kid, typ } = jws.header;
  if (!claimed || !isSigningAlgorithm(alg) || (kid !== undefined && typeof kid !== "string"))
    return undefined;
  return { jws, hint: { alg, kid }, typ, claimed };
}

/**
 * The claims, once the signature holds.
 * @param key the one that `selectForeignKey` found among its issuer's
 * @param registeredAlg the only algorithm that the issuer may use, where it is registered for one
 * @returns undefined without a key, or when the key did not sign this
 */
export function verifiedClaims(
  { jws, hint, claimed }: UnverifiedJwt,
  key: ForeignKey | undefined,
  registeredAlg?: string | null,
): Readonly<Record<string, unknown>> | undefined {
  if (!key || !key.algs.includes(hint.alg)) return undefined;
  if (registeredAlg && canonicalAlgorithm(registeredAlg) !== hint.alg) return undefined;
  return hasValidSignature(jws, hint.alg, key.publicKey) ? claimed : undefined;
}

/** The algorithms that others may sign with, as our metadata lists them (RFC 8414 §2). */
export const acceptedAlgorithms: readonly (SigningAlgorithm | "Ed25519")[] = [
  "ES256",
  "EdDSA",
  "Ed25519",
  "PS256",
  "RS256",
];
