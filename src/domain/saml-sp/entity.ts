import type { Deps } from "../../deps.ts";
import type { SamlConnection } from "../connections/service.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";

/** What we are called by an identity provider, and where we are found: of each connection another. */
export interface ServiceProvider {
  /** Also the address of our metadata (SAML Metadata §4.1). */
  readonly entityId: string;
  readonly acsUrl: string;
  readonly sloUrl: string;
  readonly loginUrl: string;
}

/** By the connection's id: its key may change, and these are written down elsewhere. */
export function serviceProviderOf(
  deps: Pick<Deps, "config">,
  tenant: Tenant,
  { id }: Pick<SamlConnection, "id">,
): ServiceProvider {
  const base = `${issuerOf(tenant, deps.config.publicUrl)}/saml/${id}`;
  return {
    entityId: `${base}/metadata`,
    acsUrl: `${base}/acs`,
    sloUrl: `${base}/slo`,
    loginUrl: `${base}/login`,
  };
}
