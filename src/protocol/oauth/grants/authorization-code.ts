import { OAuthError } from "../../../lib/errors.ts";
import { type RequestParameters, requireParameter } from "../parameters.ts";
import { verifyCodeVerifier } from "../pkce.ts";

export interface AuthorizationCodeRequest {
  readonly code: string;
  readonly redirectUri: string | undefined;
  readonly codeVerifier: string | undefined;
}

/** What is stored of an authorization code, as far as the decision goes. */
export interface AuthorizationCodeRecord {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly codeChallenge: string | null;
  readonly expiresAt: Date;
  readonly consumedAt: Date | null;
}

/**
 * `replayed`: the code was exchanged before, so someone holds a copy. Answer `invalidCode` and
 * revoke the tokens that the first exchange issued (RFC 6749 §4.1.2, §10.5).
 */
export type AuthorizationCodeDecision = { readonly kind: "exchange" } | { readonly kind: "replayed" };

/** @throws OAuthError invalid_request when there is no code (RFC 6749 §4.1.3) */
export function readAuthorizationCodeRequest(parameters: RequestParameters): AuthorizationCodeRequest {
  return {
    code: requireParameter(parameters, "code"),
    redirectUri: parameters.get("redirect_uri"),
    codeVerifier: parameters.get("code_verifier"),
  };
}

/**
 * Whether a code may be exchanged (RFC 6749 §4.1.3, OpenID Connect Core §3.1.3.2).
 * A code of another client is refused before anything else about it is told or done. A replay is noticed even of a
 * code that has expired, and without a verifier: the copy matters, not whether it would have worked.
 * redirect_uri must be the one of the authorization request; it may be left out (OAuth 2.1 §10.2), as PKCE
 * prevents the injection that it was there to prevent.
 *
 * The decision is made on a record as read: the caller consumes the code in one atomic statement
 * (`… SET consumed_at = now WHERE consumed_at IS NULL`) and takes a lost race for `replayed`.
 * @param clientId of the authenticated client, in the same form as the record's
 * @throws OAuthError invalid_grant
 */
export function decideAuthorizationCode(
  record: AuthorizationCodeRecord | undefined,
  request: AuthorizationCodeRequest,
  { clientId, now }: { readonly clientId: string; readonly now: Date },
): AuthorizationCodeDecision {
  if (!record || record.clientId !== clientId) throw invalidCode();
  if (record.consumedAt) return { kind: "replayed" };
  if (now >= record.expiresAt) throw invalidCode();
  if (request.redirectUri !== undefined && request.redirectUri !== record.redirectUri)
    throw new OAuthError("invalid_grant", "The redirect_uri is not the one of the authorization request.");
  verifyCodeVerifier(record.codeChallenge, request.codeVerifier);
  return { kind: "exchange" };
}

/** The same answer for a code that never was, has expired, was used, or is another client's. */
export function invalidCode(): OAuthError {
  return new OAuthError("invalid_grant", "The authorization code is invalid, expired or already used.");
}
