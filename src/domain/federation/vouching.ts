import { emailDomain } from "../connections/domains.ts";
import type { Connection } from "../connections/model.ts";
import type { UpstreamIdentity } from "./identity.ts";
import { addressOf } from "./profile.ts";

/**
 * Whether the address counts as verified because this connection says so. For its own domains it is the authority, and
 * need not say it of each address; it may still say the contrary. An organization's connection is in the hands of that
 * organization, which could say anything of anybody: it is believed of its own domains alone.
 */
export function isVouchedFor(
  connection: Pick<Connection, "trustEmails" | "domains" | "organizationId">,
  identity: UpstreamIdentity,
): boolean {
  const address = addressOf(identity);
  if (address === null || connection.trustEmails === "never") return false;
  const domain = emailDomain(address);
  const own = domain !== undefined && connection.domains.includes(domain);
  if (connection.trustEmails === "own_domains") return own && !isDenied(identity);
  return identity.emailVerified && (own || connection.organizationId === null);
}

const isDenied = ({ claims }: UpstreamIdentity) =>
  claims["email_verified"] === false || claims["email_verified"] === "false";
