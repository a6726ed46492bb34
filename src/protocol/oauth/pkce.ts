import { equalInConstantTime, sha256 } from "../../lib/crypto.ts";
import { OAuthError } from "../../lib/errors.ts";
import type { RequestParameters } from "./parameters.ts";

/** A SHA-256 in base64url: 43 characters (RFC 7636 §4.2), the last of which carries 4 bits. */
const S256_CHALLENGE = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** RFC 7636 §4.1: 43 to 128 unreserved characters. */
const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/;

/**
 * The code_challenge of an authorization request, which every client must send (OAuth 2.1 §4.1.1), with
 * code_challenge_method=S256. An absent method means `plain` (RFC 7636 §4.3), which protects nothing against
 * whoever reads the request (RFC 9700 §2.1.1), so it is refused like `plain` itself.
 * @throws OAuthError invalid_request (RFC 7636 §4.4.1)
 */
export function requireCodeChallenge(parameters: RequestParameters): string {
  const challenge = parameters.get("code_challenge");
  if (challenge === undefined) throw new OAuthError("invalid_request", "PKCE: code_challenge is required.");
  if (parameters.get("code_challenge_method") !== "S256")
    throw new OAuthError("invalid_request", "PKCE: code_challenge_method must be S256.");
  if (!S256_CHALLENGE.test(challenge))
    throw new OAuthError("invalid_request", "PKCE: code_challenge is not a base64url SHA-256 value.");
  return challenge;
}

/**
 * Checks the code_verifier of a token request (RFC 7636 §4.6), in constant time.
 * A code without a challenge is never exchanged: with a verifier it is the downgrade of RFC 9700 §4.8.2, where an
 * attacker took the challenge out of the authorization request; without one it was never bound to a client at all.
 * @throws OAuthError invalid_grant
 */
export function verifyCodeVerifier(
  codeChallenge: string | null | undefined,
  verifier: string | undefined,
): void {
  if (!codeChallenge)
    throw new OAuthError("invalid_grant", "PKCE: the authorization code has no code_challenge.");
  if (verifier === undefined) throw new OAuthError("invalid_grant", "PKCE: code_verifier is required.");
  const matches =
    VERIFIER.test(verifier) &&
    equalInConstantTime(Buffer.from(s256Challenge(verifier)), Buffer.from(codeChallenge));
  if (!matches) throw new OAuthError("invalid_grant", "PKCE: code_verifier does not match.");
}

/** BASE64URL(SHA256(ASCII(code_verifier))) (RFC 7636 §4.2). */
export function s256Challenge(verifier: string): string {
  return sha256(verifier).toString("base64url");
}
