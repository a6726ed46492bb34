import type { Deps } from "../../../deps.ts";
import type { Connection } from "../../connections/model.ts";
import type { UpstreamTokens } from "../identity.ts";
import { oauth2Configuration, oidcConfiguration } from "./configuration.ts";
import { refusing } from "./errors.ts";
import { tokensOf } from "./tokens.ts";

/**
 * New tokens for a refresh token (RFC 6749 §6), which stays where the provider gives no other.
 * @throws FederationRefusal
 */
export function refreshUpstream(
  deps: Deps,
  connection: Connection,
  refreshToken: string,
): Promise<UpstreamTokens> {
  return refusing(async () => {
    const client = await import("openid-client");
    if (connection.kind !== "oidc" && connection.kind !== "oauth2")
      throw new Error("a connection of this kind has no tokens");
    const configuration =
      connection.kind === "oidc"
        ? await oidcConfiguration(deps, connection)
        : await oauth2Configuration(deps, connection);
    const tokens = tokensOf(deps, await client.refreshTokenGrant(configuration, refreshToken));
    return { ...tokens, refreshToken: tokens.refreshToken ?? refreshToken };
  });
}
