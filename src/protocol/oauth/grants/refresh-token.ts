import { OAuthError } from "../../../lib/errors.ts";
import { type RequestParameters, requireParameter } from "../parameters.ts";
import { narrowedScope, parseScope } from "../scope.ts";

export interface RefreshTokenRequest {
  readonly refreshToken: string;
  /** Empty: what was granted. */
  readonly scope: readonly string[];
}

/** What is stored of a refresh token and its family, as far as the decision goes. */
export interface RefreshTokenRecord {
  readonly clientId: string;
  readonly scope: readonly string[];
  readonly expiresAt: Date;
  /** When it was exchanged for its successor. */
  readonly rotatedAt: Date | null;
  /** Whether that successor has been rotated itself, or used in any other way. */
  readonly successorUsed: boolean;
  readonly familyRevokedAt: Date | null;
}

/**
 * - `rotate`: issue a successor and an access token of this scope.
 * - `retry`: give the answer of the last rotation again, issuing no second successor.
 * - `reuse`: someone else holds a copy: revoke the family and answer `invalidRefreshToken`.
 */
export type RefreshTokenDecision =
  | { readonly kind: "rotate"; readonly scope: readonly string[] }
  | { readonly kind: "retry"; readonly scope: readonly string[] }
  | { readonly kind: "reuse" };

/** @throws OAuthError invalid_request or invalid_scope (RFC 6749 §6) */
export function readRefreshTokenRequest(parameters: RequestParameters): RefreshTokenRequest {
  return {
    refreshToken: requireParameter(parameters, "refresh_token"),
    scope: parseScope(parameters.get("scope")),
  };
}

/**
 * Whether a refresh token may be rotated (RFC 6749 §6, RFC 9700 §4.14.2, OAuth 2.1 §4.3.1).
 * A token that was rotated before is a sign of theft, with one exception: the same client repeats the newest
 * rotation within `retryWindowSeconds`, its successor yet unused, since it lost the answer. Past the window, or once
 * the successor shows that the answer arrived, it is reuse, also when the token has expired meanwhile.
 *
 * The decision is made on a record as read: the caller rotates in one atomic statement (`… WHERE rotated_at IS
 * NULL`) and decides anew on the record it then finds when it lost the race.
 * @param clientId of the authenticated client, in the same form as the record's
 * @throws OAuthError invalid_grant or invalid_scope
 */
export function decideRefreshToken(
  record: RefreshTokenRecord | undefined,
  request: { readonly scope: readonly string[] },
  context: { readonly clientId: string; readonly now: Date; readonly retryWindowSeconds: number },
): RefreshTokenDecision {
  const { clientId, now, retryWindowSeconds } = context;
  if (!record || record.clientId !== clientId || record.familyRevokedAt) throw invalidRefreshToken();
  if (record.rotatedAt) {
    const withinWindow = now.getTime() - record.rotatedAt.getTime() <= retryWindowSeconds * 1000;
    if (!withinWindow || record.successorUsed) return { kind: "reuse" };
  }
  if (now >= record.expiresAt) throw invalidRefreshToken();
  const scope = narrowedScope(request.scope, record.scope);
  return { kind: record.rotatedAt ? "retry" : "rotate", scope };
}

/** The same answer for a token that never was, has expired, was revoked or reused, or is another client's. */
export function invalidRefreshToken(): OAuthError {
  return new OAuthError("invalid_grant", "The refresh token is invalid, expired or revoked.");
}
