import { claimsOf, hasForbiddenHeader, hasValidSignature, isTyp, parseCompact } from "./compact.ts";
import type { VerificationKey } from "./keys.ts";

/** For an introspection endpoint, which answers about tokens of every audience (RFC 7662 §2.2). */
export const ANY_AUDIENCE = Symbol("any audience");

export interface JwtVerification {
  /** The key of this kid, if we have it. The key, not the token, says which algorithm is used (RFC 8725 §3.1). */
  readonly keyOf: (kid: string) => VerificationKey | undefined;
  readonly issuer: string;
  readonly audience: string | typeof ANY_AUDIENCE;
  /** RFC 8725 §3.11. Compared without case and without a leading `application/` (RFC 7515 §4.1.9). */
  readonly typ: string;
  readonly now: Date;
  readonly clockToleranceSeconds?: number;
  /** For an id_token_hint, which may be old (OpenID Connect Core §3.1.2.1). */
  readonly acceptExpired?: boolean;
  /** Of tokens of this `typ` alone. */
  readonly verified?: VerifiedJwts;
}

/** A JWT whose signature held. */
export interface VerifiedJwt {
  readonly key: VerificationKey;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** JWTs whose signatures held before: each is asked for by the whole token. */
export interface VerifiedJwts {
  find(token: string): VerifiedJwt | undefined;
  keep(token: string, verified: VerifiedJwt): void;
}

export type JwtRefusal =
  | "malformed"
  | "header"
  | "typ"
  | "key"
  | "alg"
  | "signature"
  | "issuer"
  | "audience"
  | "expired"
  | "not_yet_valid";

export type JwtClaims = Readonly<Record<string, unknown>> & {
  readonly iss: string;
  readonly aud: string | readonly string[];
  readonly exp: number;
};

/** What a refusal means to the peer is the caller's to say; the reason is for our log, not for an answer. */
export type JwtResult =
  | { readonly ok: true; readonly claims: JwtClaims; readonly kid: string }
  | { readonly ok: false; readonly reason: JwtRefusal; /** With reason `key`. */ readonly kid?: string };

/**
 * Verifies a JWT that this server issued (RFC 7515 §5.2, RFC 7519 §7.2, RFC 8725 §3). Nothing in the claims is looked
 * at before the signature holds. `exp` and `aud` are required; `nbf` is honoured.
 */
export function verifyJwt(token: string, expected: JwtVerification): JwtResult {
  const known = expected.verified?.find(token);
  // The very key: one of the same name that is another, or none any more, has verified nothing.
  if (known && expected.keyOf(known.key.kid) === known.key)
    return checkClaims(known.claims, known.key.kid, expected);
  const jws = parseCompact(token);
  if (!jws) return refused("malformed");
  if (hasForbiddenHeader(jws)) return refused("header");
  if (!isTyp(jws.header["typ"], expected.typ)) return refused("typ");
  const { kid } = jws.header;
  const key = typeof kid === "string" ? expected.keyOf(kid) : undefined;
  if (!key || key.kid !== kid)
    return { ok: false, reason: "key", ...(typeof kid === "string" ? { kid } : {}) };
  if (jws.header["alg"] !== key.alg) return refused("alg");
  if (!hasValidSignature(jws, key.alg, key.publicKey)) return refused("signature");
  const claims = claimsOf(jws);
  if (!claims) return refused("malformed");
  expected.verified?.keep(token, { key, claims });
  return checkClaims(claims, key.kid, expected);
}

function checkClaims(
  claims: Readonly<Record<string, unknown>>,
  kid: string,
  expected: JwtVerification,
): JwtResult {
  const { iss, aud, nbf } = claims;
  const tolerance = expected.clockToleranceSeconds ?? 0;
  const now = expected.now.getTime() / 1000;
  if (iss !== expected.issuer) return refused("issuer");
  if (!isAudience(aud)) return refused("audience");
  const { audience } = expected;
  if (audience !== ANY_AUDIENCE && !(typeof aud === "string" ? [aud] : aud).includes(audience))
    return refused("audience");
  if (!isJwtClaims(claims) || (!expected.acceptExpired && now >= claims.exp + tolerance))
    return refused("expired");
  if (nbf !== undefined && (typeof nbf !== "number" || now < nbf - tolerance))
    return refused("not_yet_valid");
  return { ok: true, claims, kid };
}

/** Narrows what is checked one by one. */
function isJwtClaims(claims: Readonly<Record<string, unknown>>): claims is JwtClaims {
  return typeof claims["iss"] === "string" && isAudience(claims["aud"]) && typeof claims["exp"] === "number";
}

function isAudience(aud: unknown): aud is string | readonly string[] {
  return typeof aud === "string" || (Array.isArray(aud) && aud.every((value) => typeof value === "string"));
}

function refused(reason: JwtRefusal): JwtResult {
  return { ok: false, reason };
}
