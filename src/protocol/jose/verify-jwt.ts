import { verify } from "node:crypto";
import { signatureOptions, type VerificationKey } from "./keys.ts";

export interface JwtVerification {
  /** The key of this kid, if we have it. The key, not the token, says which algorithm is used (RFC 8725 §3.1). */
  readonly keyOf: (kid: string) => VerificationKey | undefined;
  readonly issuer: string;
  readonly audience: string;
  /** RFC 8725 §3.11. Compared without case and without a leading `application/` (RFC 7515 §4.1.9). */
  readonly typ: string;
  readonly now: Date;
  readonly clockToleranceSeconds?: number;
  /** For an id_token_hint, which may be old (OpenID Connect Core §3.1.2.1). */
  readonly acceptExpired?: boolean;
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
  | { readonly ok: false; readonly reason: JwtRefusal };

/** Longer than any token of ours. Bounds what a stranger can make us parse. */
const MAX_LENGTH = 16_384;

const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/**
 * Header members by which a token would bring its own key, or change how it is to be read (RFC 7515 §4.1.2-4.1.8,
 * §4.1.11; RFC 8725 §3.10). We issue none of them.
 */
const FORBIDDEN_HEADERS = ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64", "zip", "cty"];

/**
 * Verifies a JWT that this server issued (RFC 7515 §5.2, RFC 7519 §7.2, RFC 8725 §3). Nothing in the claims is looked
 * at before the signature holds. `exp` and `aud` are required; `nbf` is honoured.
 */
export function verifyJwt(token: string, expected: JwtVerification): JwtResult {
  const [, header, payload, signature] = (token.length <= MAX_LENGTH && COMPACT.exec(token)) || [];
  if (!header || !payload || !signature) return refused("malformed");
  const signatureBytes = decodeStrictly(signature);
  const head = decodeJson(header);
  if (!head || !signatureBytes) return refused("malformed");
  if (FORBIDDEN_HEADERS.some((name) => Object.hasOwn(head, name))) return refused("header");
  if (!sameType(head.typ, expected.typ)) return refused("typ");
  const { kid } = head;
  const key = typeof kid === "string" ? expected.keyOf(kid) : undefined;
  if (!key || key.kid !== kid) return refused("key");
  if (head.alg !== key.alg) return refused("alg");
  const options = signatureOptions(key.alg, key.publicKey);
  if (!verify(options.digest, Buffer.from(`${header}.${payload}`), options.key, signatureBytes))
    return refused("signature");
  const claims = decodeJson(payload);
  if (!claims) return refused("malformed");
  return checkClaims(claims, key.kid, expected);
}

function checkClaims(claims: Record<string, unknown>, kid: string, expected: JwtVerification): JwtResult {
  const { iss, aud, exp, nbf } = claims;
  const tolerance = expected.clockToleranceSeconds ?? 0;
  const now = expected.now.getTime() / 1000;
  if (iss !== expected.issuer) return refused("issuer");
  if (!isAudience(aud) || !(typeof aud === "string" ? [aud] : aud).includes(expected.audience))
    return refused("audience");
  if (typeof exp !== "number" || (!expected.acceptExpired && now >= exp + tolerance))
    return refused("expired");
  if (nbf !== undefined && (typeof nbf !== "number" || now < nbf - tolerance))
    return refused("not_yet_valid");
  return { ok: true, claims: { ...claims, iss: expected.issuer, aud, exp }, kid };
}

function isAudience(aud: unknown): aud is string | readonly string[] {
  return typeof aud === "string" || (Array.isArray(aud) && aud.every((value) => typeof value === "string"));
}

function sameType(typ: unknown, expected: string): boolean {
  return (
    typeof typ === "string" && typ.toLowerCase().replace(/^application\//, "") === expected.toLowerCase()
  );
}

/** Refuses a text whose unused last bits are set: one signature has one spelling. */
function decodeStrictly(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}

function decodeJson(text: string): Record<string, unknown> | undefined {
  try {
    const bytes = decodeStrictly(text);
    const value: unknown = bytes && JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refused(reason: JwtRefusal): JwtResult {
  return { ok: false, reason };
}
