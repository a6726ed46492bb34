import { X509Certificate } from "node:crypto";
import type { Deps } from "../../deps.ts";
import type { SignaturePolicy } from "../../protocol/saml/algorithms.ts";
import type { Clocks } from "../../protocol/saml/time.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";
import type { SamlClient } from "./model.ts";

/** What we are called by an application, and where we are found: of each application another. */
export interface IdentityProvider {
  /** Also the address of our metadata (SAML Metadata §4.1). */
  readonly entityId: string;
  readonly ssoUrl: string;
  readonly sloUrl: string;
  readonly launchUrl: string;
}

/** From the tenant's configured address, never from what a request says. */
export function identityProviderOf(
  deps: Pick<Deps, "config">,
  tenant: Tenant,
  { id }: Pick<SamlClient, "id">,
): IdentityProvider {
  const base = `${issuerOf(tenant, deps.config.publicUrl)}/saml/${id}`;
  return {
    entityId: `${base}/metadata`,
    ssoUrl: `${base}/sso`,
    sloUrl: `${base}/slo`,
    launchUrl: `${base}/launch`,
  };
}

/** How far the clocks of applications may be from ours. */
const SKEW_SECONDS = 60;

export const clocksOf = (deps: Pick<Deps, "clock">): Clocks => ({
  now: deps.clock.now(),
  skewSeconds: SKEW_SECONDS,
});

/** Whose signatures count: of the certificates that are registered, whatever a message brings along. */
export const signaturePolicyOf = ({ signingCertificates }: SamlClient): SignaturePolicy => ({
  keys: signingCertificates.map((pem) => new X509Certificate(pem).publicKey),
  allowSha1: false,
});
