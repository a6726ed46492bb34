import { OAuthError } from "../../lib/errors.ts";

/** `1*( %x21 / %x23-5B / %x5D-7E )` (RFC 6749 §3.3). */
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/**
 * Splits a scope parameter into its distinct tokens, in the order sent; an omitted one gives an empty list.
 * @throws OAuthError invalid_scope on anything outside the grammar of RFC 6749 §3.3
 */
export function parseScope(scope: string | undefined): string[] {
  if (scope === undefined) return [];
  const tokens = scope.split(" ").filter((token) => token !== "");
  if (tokens.length === 0 || !tokens.every((token) => SCOPE_TOKEN.test(token)))
    throw new OAuthError("invalid_scope", "The scope is malformed.");
  return [...new Set(tokens)];
}

/** Whether a client may register this as the name of a scope. */
export function isScopeToken(value: string): boolean {
  return SCOPE_TOKEN.test(value);
}

export function formatScope(scope: readonly string[]): string {
  return scope.join(" ");
}

export function isScopeSubset(scope: readonly string[], of: readonly string[]): boolean {
  return scope.every((token) => of.includes(token));
}

/**
 * The scope that an authorization request may lead to. Refused rather than silently narrowed, so that a client
 * learns at once that it lacks a registration (RFC 6749 §3.3, §4.1.2.1). offline_access alone is dropped instead,
 * where the client cannot use a refresh token (OpenID Connect Core §11: such a request must be ignored).
 * An omitted scope means the client's whole one without `openid` and `offline_access`, which are only ever asked for.
 * @throws OAuthError invalid_scope
 */
export function authorizableScope(
  requested: readonly string[],
  client: { readonly scopes: readonly string[]; readonly grantTypes: readonly string[] },
): string[] {
  if (requested.length === 0) return requireSome(withoutIdentity(client.scopes));
  const wanted = client.grantTypes.includes("refresh_token")
    ? requested
    : requested.filter((token) => token !== "offline_access");
  if (!isScopeSubset(wanted, client.scopes))
    throw new OAuthError("invalid_scope", "The client is not registered for a requested scope.");
  return requireSome([...wanted]);
}

/**
 * The scope of a client acting for itself: no `openid`, `offline_access` or other scope about a user, since there is
 * none (RFC 6749 §4.4.2; an omitted scope means all that the client has).
 * @throws OAuthError invalid_scope
 */
export function machineScope(requested: readonly string[], allowed: readonly string[]): string[] {
  if (requested.length === 0) return withoutUser(allowed);
  if (!isScopeSubset(requested, withoutUser(allowed)))
    throw new OAuthError("invalid_scope", "The client cannot have a requested scope without a user.");
  return [...requested];
}

/**
 * The scope of a refreshed access token: the request may narrow what was granted, never widen it (RFC 6749 §6).
 * @throws OAuthError invalid_scope
 */
export function narrowedScope(requested: readonly string[], granted: readonly string[]): string[] {
  if (requested.length === 0) return [...granted];
  if (!isScopeSubset(requested, granted))
    throw new OAuthError("invalid_scope", "The requested scope exceeds what was granted.");
  return [...requested];
}

/** Whether a grant of this scope comes with a refresh token that outlives the session (OpenID Connect Core §11). */
export function hasOfflineAccess(scope: readonly string[]): boolean {
  return scope.includes("offline_access");
}

const IDENTITY_SCOPES = ["openid", "offline_access"];
const USER_SCOPES = [...IDENTITY_SCOPES, "profile", "email", "phone", "address"];

function withoutIdentity(scopes: readonly string[]): string[] {
  return scopes.filter((token) => !IDENTITY_SCOPES.includes(token));
}

function withoutUser(scopes: readonly string[]): string[] {
  return scopes.filter((token) => !USER_SCOPES.includes(token));
}

function requireSome(scope: string[]): string[] {
  if (scope.length === 0) throw new OAuthError("invalid_scope", "The request asks for no scope.");
  return scope;
}
