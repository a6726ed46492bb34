import { OAuthError } from "../../lib/errors.ts";
import type { RequestParameters } from "./parameters.ts";

/** `b64token` of RFC 6750 §2.1. */
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * The access token of a request to a protected resource: from the Authorization header (RFC 6750 §2.1) or, where
 * the endpoint takes forms, from the body (§2.2). One in the query is not looked at (RFC 9700 §4.3.2).
 * @returns undefined when the request carries none, or uses another authentication scheme
 * @throws OAuthError invalid_request when it is malformed or two methods are used at once (§2, §3.1)
 */
export function extractBearerToken(
  authorization: string | null | undefined,
  form?: RequestParameters,
): string | undefined {
  const inForm = form?.get("access_token");
  const inHeader = /^bearer(?: +(.*))?$/i.exec(authorization ?? "");
  if (inHeader && inForm !== undefined) throw malformed("The access token was sent by more than one method.");
  const token = inHeader ? (inHeader[1] ?? "").trim() : inForm;
  if (token !== undefined && !B64TOKEN.test(token)) throw malformed("The access token is malformed.");
  return token;
}

export interface BearerChallenge {
  readonly realm?: string;
  readonly error?: string;
  readonly errorDescription?: string;
  /** What the resource needs (RFC 6750 §3). */
  readonly scope?: readonly string[];
}

/**
 * A WWW-Authenticate value (RFC 6750 §3). A request that carried no token at all is answered without an error (§3.1),
 * so `bearerChallenge()` is plain `Bearer`.
 */
export function bearerChallenge(challenge: BearerChallenge = {}): string {
  const attributes = [
    ["realm", challenge.realm],
    ["error", challenge.error],
    ["error_description", challenge.errorDescription],
    ["scope", challenge.scope?.join(" ")],
  ]
    .filter(([, value]) => value)
    .map(([name, value]) => `${name}="${quotable(value ?? "")}"`);
  return attributes.length > 0 ? `Bearer ${attributes.join(", ")}` : "Bearer";
}

/** Quotes, backslashes and control characters are not allowed in these attributes (RFC 6750 §3). */
function quotable(value: string): string {
  return value.replace(/[^\x20\x21\x23-\x5B\x5D-\x7E]/g, " ");
}

/** Expired, revoked, malformed or otherwise of no use: 401 (RFC 6750 §3.1). */
export function invalidToken(description = "The access token is invalid or expired."): OAuthError {
  return bearerError("invalid_token", description, 401);
}

/** A good token that may not do this: 403 (RFC 6750 §3.1). */
export function insufficientScope(scope: readonly string[]): OAuthError {
  return bearerError("insufficient_scope", "The access token lacks a scope that is needed here.", 403, scope);
}

function malformed(description: string): OAuthError {
  return bearerError("invalid_request", description, 400);
}

function bearerError(error: string, errorDescription: string, status: number, scope?: readonly string[]) {
  const headers = { "www-authenticate": bearerChallenge({ error, errorDescription, scope }) };
  return new OAuthError(error, errorDescription, { status, headers });
}
