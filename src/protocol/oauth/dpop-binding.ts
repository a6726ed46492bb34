import { OAuthError } from "../../lib/errors.ts";

/**
 * The key that new tokens are bound to (RFC 9449 §5). A client that is registered for bound tokens gets no others
 * (§5.2), and what is bound already, a code by `dpop_jkt` (§10) or a public client's refresh token (§5), is given out
 * to its own key alone.
 * @param provenJkt thumbprint of the key of a DPoP proof that was checked; undefined when the request had none
 * @param boundJkt what the presented code or refresh token is bound to
 * @returns undefined: Bearer tokens
 * @throws OAuthError invalid_dpop_proof where a proof is missing; invalid_grant for one of another key
 */
export function tokenBinding(input: {
  readonly client: { readonly dpopBoundAccessTokens: boolean };
  readonly provenJkt: string | undefined;
  readonly boundJkt?: string | null;
}): string | undefined {
  const { client, provenJkt, boundJkt } = input;
  if (provenJkt === undefined && (client.dpopBoundAccessTokens || boundJkt))
    throw new OAuthError("invalid_dpop_proof", "The request needs a DPoP proof.");
  if (boundJkt && boundJkt !== provenJkt)
    throw new OAuthError("invalid_grant", "The DPoP proof is of another key than the grant is bound to.");
  return provenJkt;
}

/** Whether refresh tokens are bound too: a public client has nothing else to prove itself with (RFC 9449 §5). */
export function bindsRefreshTokens(client: { readonly tokenEndpointAuthMethod: string }): boolean {
  return client.tokenEndpointAuthMethod === "none";
}
