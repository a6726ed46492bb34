import { equalInConstantTime, sha256 } from "../../lib/crypto.ts";
import { OAuthError } from "../../lib/errors.ts";
import { isSigningAlgorithm, signingAlgorithms } from "../jose/algorithms.ts";
import { claimsOf, hasForbiddenHeader, hasValidSignature, isTyp, parseCompact } from "../jose/compact.ts";
import { canonicalAlgorithm, importForeignKey } from "../jose/foreign-keys.ts";
import { jwkThumbprint } from "../jose/keys.ts";
import { CLOCK_SKEW_SECONDS, isIdentifier, isNumericDate } from "./foreign-claims.ts";
import { type SingleUse, singleUse } from "./single-use.ts";

/** Seconds for which a proof is accepted after it was made. */
const MAX_AGE_SECONDS = 120;

/** The `dpop_signing_alg_values_supported` of our metadata (RFC 9449 §5.1). */
export const dpopSigningAlgorithms = [...signingAlgorithms, "Ed25519"] as const;

export interface DpopRequest {
  readonly method: string;
  /** The URL that the client called, as its tenant's issuer spells it: never put together from a Host header. */
  readonly url: string;
  readonly now: Date;
  /** The access token that comes with the proof, at a protected resource. */
  readonly accessToken?: string;
  readonly nonce: DpopNoncePolicy;
}

/** RFC 9449 §8. */
export interface DpopNoncePolicy {
  /** Whether a proof without a nonce is refused. One with a nonce that is not ours, or too old, always is. */
  readonly required: boolean;
  readonly isFresh: (nonce: string) => boolean;
  /** What the client is to use instead. */
  readonly current: () => string;
}

/** A key that the request proved possession of. */
export interface DpopProof {
  /** JWK thumbprint: what tokens are bound to (RFC 9449 §6.1). */
  readonly jkt: string;
  /** What has to be stored, so that the proof is used once (§11.1). */
  readonly use: SingleUse;
}

/**
 * Checks a DPoP proof (RFC 9449 §4.3). Where it wants a nonce, the answer carries one in DPoP-Nonce (§8).
 * @param header the DPoP header, several joined by commas as `Headers.get` does: then it is none (§4.3, 1)
 * @returns undefined when the request has no such header
 * @throws OAuthError invalid_dpop_proof or use_dpop_nonce: 400 for the token endpoint; for a protected resource see
 *   `dpopResourceError` (src/protocol/oauth/dpop-resource.ts)
 */
export function verifyDpopProof(
  header: string | null | undefined,
  request: DpopRequest,
): DpopProof | undefined {
  if (header === null || header === undefined) return undefined;
  const jws = parseCompact(header);
  if (!jws || hasForbiddenHeader(jws, "jwk")) throw refused("it is not one JWT.");
  if (!isTyp(jws.header["typ"], "dpop+jwt")) throw refused("typ must be dpop+jwt.");
  const alg = canonicalAlgorithm(jws.header["alg"]);
  const { jwk } = jws.header;
  const key = importForeignKey(jwk);
  if (!key || !isSigningAlgorithm(alg) || !key.algs.includes(alg))
    throw refused("jwk must be a public key that fits alg.");
  if (!hasValidSignature(jws, alg, key.publicKey)) throw refused("its signature is wrong.");
  const claims = claimsOf(jws) ?? {};
  checkClaims(claims, request);
  const { jti, iat } = claims;
  if (!isIdentifier(jti) || !isNumericDate(iat)) throw refused("jti or iat is missing.");
  const jkt = jwkThumbprint(key.publicKey.export({ format: "jwk" }));
  return {
    jkt,
    use: singleUse("dpop_proof", { owner: jkt, id: jti, acceptedUntil: iat + MAX_AGE_SECONDS }),
  };
}

function checkClaims(claims: Readonly<Record<string, unknown>>, request: DpopRequest): void {
  const { htm, htu, iat, exp, nbf, ath, nonce } = claims;
  if (htm !== request.method) throw refused("htm is not the method of the request.");
  const target = typeof htu === "string" ? comparableUrl(htu) : undefined;
  if (target === undefined || target !== comparableUrl(request.url))
    throw refused("htu is not the URL of the request.");
  const now = request.now.getTime() / 1000;
  const age = isNumericDate(iat) ? now - iat : Infinity;
  if (age > MAX_AGE_SECONDS || age < -CLOCK_SKEW_SECONDS)
    throw refused("iat is missing or too far from now.");
  // A proof need not have them, but what it says of itself holds (RFC 7519 §4.1.4, §4.1.5).
  if (exp !== undefined && !(isNumericDate(exp) && now < exp)) throw refused("exp is past.");
  if (nbf !== undefined && !(isNumericDate(nbf) && nbf <= now + CLOCK_SKEW_SECONDS))
    throw refused("nbf is in the future.");
  const fresh =
    nonce === undefined ? !request.nonce.required : typeof nonce === "string" && request.nonce.isFresh(nonce);
  if (!fresh) throw nonceNeeded(request.nonce.current());
  if (request.accessToken !== undefined && !isHashOf(ath, request.accessToken))
    throw refused("ath is not the hash of the access token.");
}

/** RFC 9449 §4.2: base64url of the SHA-256 of the token's ASCII. */
function isHashOf(ath: unknown, accessToken: string): boolean {
  return (
    typeof ath === "string" &&
    equalInConstantTime(Buffer.from(ath), Buffer.from(sha256(accessToken).toString("base64url")))
  );
}

/**
 * Without query and fragment, normalised by syntax and scheme (RFC 9449 §4.3, RFC 3986 §6.2.2 and §6.2.3): a percent-encoded
 * letter is the letter.
 */
function comparableUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, host, username, password, pathname } = new URL(text);
  if (username !== "" || password !== "") return undefined;
  const path = pathname.replace(/%[0-9a-f]{2}/gi, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return /[\w.~-]/.test(character) ? character : encoded.toUpperCase();
  });
  return `${protocol}//${host}${path}`;
}

/** For a proof that was presented before (RFC 9449 §11.1). */
export function replayedDpopProof(): OAuthError {
  return refused("its jti was used before.");
}

function refused(description: string): OAuthError {
  return new OAuthError("invalid_dpop_proof", `DPoP proof: ${description}`);
}

/** RFC 9449 §8: the client tries again, with this nonce. */
function nonceNeeded(nonce: string): OAuthError {
  return new OAuthError("use_dpop_nonce", "The DPoP proof needs the nonce of the DPoP-Nonce header.", {
    headers: { "dpop-nonce": nonce, "cache-control": "no-store" },
  });
}
