import type { Deps } from "../../deps.ts";
import type { AuthorizationClient } from "../../protocol/oauth/authorization-request.ts";
import type { Client } from "../clients/service.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";

/** A client as the rules of the authorization request know it, with what its tenant adds. */
export function authorizationClient(deps: Deps, tenant: Tenant, client: Client): AuthorizationClient {
  return {
    ...client,
    resources: [issuerOf(tenant, deps.config.publicUrl), ...client.resources],
    requirePushedAuthorizationRequests:
      client.requirePushedAuthorizationRequests || tenant.settings.require_pushed_authorization_requests,
  };
}
