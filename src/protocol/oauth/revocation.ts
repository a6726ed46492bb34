import { OAuthError } from "../../lib/errors.ts";

/**
 * Whether there is anything to revoke (RFC 7009 §2.1, §2.2). A token that nobody knows is one that cannot be used, which is
 * what the client wanted: it is told so. A token of another client is left alone, and the client is told why: it holds
 * the token, so it learns nothing by that.
 * @param token undefined when no token that is still good was found
 * @param clientId of the authenticated client, in the same form as the token's
 * @returns the token to revoke, if any
 * @throws OAuthError invalid_grant (RFC 6749 §5.2: issued to another client)
 */
export function revocableToken<T extends { readonly clientId: string }>(
  token: T | undefined,
  clientId: string,
): T | undefined {
  if (token && token.clientId !== clientId)
    throw new OAuthError("invalid_grant", "The token was issued to another client.");
  return token;
}
