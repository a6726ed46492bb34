import { createHash } from "node:crypto";
import { toEpochSeconds } from "../../lib/clock.ts";
import { hashOfAlgorithm, type SigningAlgorithm } from "../jose/algorithms.ts";

export interface IdTokenInput {
  readonly issuer: string;
  readonly subject: string;
  readonly clientId: string;
  readonly issuedAt: Date;
  readonly lifetimeSeconds: number;
  /** The algorithm it will be signed with, on which at_hash depends. */
  readonly alg: SigningAlgorithm;
  readonly accessToken?: string;
  readonly nonce?: string | null;
  readonly authTime: Date;
  readonly acr: string;
  readonly amr: readonly string[];
  readonly sessionId?: string;
  /** Claims about the person: they never replace a claim of the protocol. */
  readonly userClaims?: Readonly<Record<string, unknown>>;
}

/** Claims of an ID token (OpenID Connect Core §2, §3.1.3.6; `sid`: Back-Channel Logout §2.1). Times: NumericDate. */
export function idTokenClaims(input: IdTokenInput): Record<string, unknown> {
  const issuedAt = toEpochSeconds(input.issuedAt);
  return {
    ...input.userClaims,
    iss: input.issuer,
    sub: input.subject,
    aud: input.clientId,
    azp: input.clientId,
    exp: issuedAt + input.lifetimeSeconds,
    iat: issuedAt,
    auth_time: toEpochSeconds(input.authTime),
    acr: input.acr,
    amr: input.amr,
    ...(input.nonce ? { nonce: input.nonce } : {}),
    ...(input.accessToken === undefined ? {} : { at_hash: halfHash(input.accessToken, input.alg) }),
    ...(input.sessionId === undefined ? {} : { sid: input.sessionId }),
  };
}

/**
 * The left half of a hash, base64url: at_hash and c_hash (OpenID Connect Core §3.1.3.6, §3.3.2.11). The hash is that
 * of the signature algorithm; for Ed25519 it is SHA-512, which it uses inside (RFC 8032 §5.1).
 */
export function halfHash(value: string, alg: SigningAlgorithm): string {
  const digest = createHash(hashOfAlgorithm(alg)).update(value, "ascii").digest();
  return digest.subarray(0, digest.length / 2).toString("base64url");
}
