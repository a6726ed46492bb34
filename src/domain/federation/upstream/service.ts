/** Sending somebody to an upstream provider, and learning from it who they are. */
import type { Deps } from "../../../deps.ts";
import type { Connection } from "../../connections/model.ts";
import { issuerOf, type Tenant } from "../../tenants/service.ts";
import { FederationRefusal } from "../refusals.ts";
import { refusing, UpstreamDenial } from "./errors.ts";
import type { UpstreamRequest, UpstreamResponse, UpstreamResult } from "./model.ts";
import { oauth2AuthorizationUrl, oauth2Exchange } from "./oauth2.ts";
import { oidcAuthorizationUrl, oidcExchange } from "./oidc.ts";

/**
 * The redirect URI of one connection. Each has its own, which is what tells the answers of two providers apart where they do
 * not say who they are (RFC 9700 §4.4.2.2).
 */
export function redirectUriOf(deps: Deps, tenant: Tenant, connection: Pick<Connection, "key">): string {
  return `${issuerOf(tenant, deps.config.publicUrl)}/oauth/social/${connection.key}/callback`;
}

/** @throws FederationRefusal */
export function upstreamAuthorizationUrl(
  deps: Deps,
  connection: Connection,
  request: UpstreamRequest,
): Promise<URL> {
  return refusing(async () => {
    switch (connection.kind) {
      case "oidc":
        return await oidcAuthorizationUrl(deps, connection, request);
      case "oauth2":
        return await oauth2AuthorizationUrl(deps, connection, request);
      default:
        throw new FederationRefusal("unavailable");
    }
  });
}

/** @throws FederationRefusal; UpstreamDenial for an error that it answered */
export function upstreamIdentity(
  deps: Deps,
  connection: Connection,
  response: UpstreamResponse,
): Promise<UpstreamResult> {
  return refusing(async () => {
    const error = response.parameters.get("error");
    if (error !== null) throw new UpstreamDenial(error);
    switch (connection.kind) {
      case "oidc":
        return await oidcExchange(deps, connection, response);
      case "oauth2":
        return await oauth2Exchange(deps, connection, response);
      default:
        throw new FederationRefusal("unavailable");
    }
  });
}
