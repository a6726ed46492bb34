import { OAuthError } from "../../lib/errors.ts";
import { DEVICE_CODE } from "./grants/device-code.ts";
import { JWT_BEARER } from "./grants/jwt-bearer.ts";
import { TOKEN_EXCHANGE } from "./grants/token-exchange.ts";
import { type RequestParameters, requireParameter } from "./parameters.ts";

/** The grants that the token endpoint serves; each has its file in `grants/`. */
export const grantTypes = [
  "authorization_code",
  "refresh_token",
  "client_credentials",
  DEVICE_CODE,
  TOKEN_EXCHANGE,
  JWT_BEARER,
] as const;

export type GrantType = (typeof grantTypes)[number];

export function isGrantType(value: string): value is GrantType {
  return grantTypes.some((grantType) => grantType === value);
}

/**
 * Which grant a token request uses (RFC 6749 §4.1.3, §4.4.2, §6), and whether the client may (§5.2).
 * @throws OAuthError invalid_request (missing), unsupported_grant_type (unknown to the server) or
 *   unauthorized_client (not registered for this client)
 */
export function requestedGrantType(
  parameters: RequestParameters,
  client: { readonly grantTypes: readonly string[] },
): GrantType {
  const grantType = requireParameter(parameters, "grant_type");
  if (!isGrantType(grantType))
    throw new OAuthError("unsupported_grant_type", "The server does not support this grant type.");
  if (!client.grantTypes.includes(grantType))
    throw new OAuthError("unauthorized_client", "The client may not use this grant type.");
  return grantType;
}
