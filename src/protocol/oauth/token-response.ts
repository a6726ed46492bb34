import { formatScope } from "./scope.ts";

/** RFC 6749 §5.1, and `id_token` of OpenID Connect Core §3.1.3.3. */
export interface TokenResponse {
  access_token: string;
  token_type: "Bearer" | "DPoP";
  /** Seconds. */
  expires_in: number;
  refresh_token?: string;
  id_token?: string;
  scope?: string;
  /** RFC 8693 §2.2.1. */
  issued_token_type?: string;
}

/** Answers that hold tokens must not be cached (RFC 6749 §5.1). */
export const tokenResponseHeaders = { "cache-control": "no-store", pragma: "no-cache" } as const;

/** The scope is always told, whether or not it is the one that was asked for (RFC 6749 §3.3). */
export function tokenResponse(issued: {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly scope: readonly string[];
  /** The token is bound to a key (RFC 9449 §5). */
  readonly bound?: boolean;
  readonly refreshToken?: string;
  readonly idToken?: string;
  /** Of a token exchange. */
  readonly issuedTokenType?: string;
}): TokenResponse {
  const response: TokenResponse = {
    access_token: issued.accessToken,
    token_type: issued.bound ? "DPoP" : "Bearer",
    expires_in: issued.expiresInSeconds,
  };
  if (issued.refreshToken !== undefined) response.refresh_token = issued.refreshToken;
  if (issued.idToken !== undefined) response.id_token = issued.idToken;
  if (issued.scope.length > 0) response.scope = formatScope(issued.scope);
  if (issued.issuedTokenType !== undefined) response.issued_token_type = issued.issuedTokenType;
  return response;
}
