import { OAuthError } from "../../../lib/errors.ts";
import type { RequestParameters } from "../parameters.ts";
import { machineScope, parseScope } from "../scope.ts";

/**
 * The scope of a token that a client gets for itself (RFC 6749 §4.4). Only a client that authenticated may have one
 * (§4.4.2); no refresh token is issued (§4.4.3), and no scope about a user is granted.
 * @throws OAuthError unauthorized_client or invalid_scope
 */
export function decideClientCredentials(
  parameters: RequestParameters,
  client: { readonly tokenEndpointAuthMethod: string; readonly scopes: readonly string[] },
): { readonly scope: readonly string[] } {
  if (client.tokenEndpointAuthMethod === "none")
    throw new OAuthError("unauthorized_client", "A public client may not use client_credentials.");
  return { scope: machineScope(parseScope(parameters.get("scope")), client.scopes) };
}
