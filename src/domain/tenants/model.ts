import type { Id } from "../../lib/ids.ts";
import type { TenantSettings } from "./settings.ts";

/** An isolated user pool with its own issuer, keys, clients and settings. */
export interface Tenant {
  readonly id: Id<"tenant">;
  readonly slug: string;
  readonly name: string;
  readonly isDefault: boolean;
  /** Host names that lead to this tenant; the first is its issuer's. */
  readonly domains: readonly string[];
  readonly settings: TenantSettings;
  /** What pairwise subjects are made with. */
  readonly pairwiseSalt: Buffer;
}

/**
 * The tenant's issuer identifier (RFC 8414 §2), from what is configured and never from a request's Host header.
 * The default tenant's is PUBLIC_URL; another's is its own domain, or a path under PUBLIC_URL.
 */
export function issuerOf(tenant: Pick<Tenant, "isDefault" | "slug" | "domains">, publicUrl: string): string {
  if (tenant.isDefault) return publicUrl;
  const domain = tenant.domains[0];
  return domain ? `https://${domain}` : `${publicUrl}/t/${tenant.slug}`;
}

/** Words that a slug may not be, because a path of ours says something else there. */
const RESERVED_SLUGS = new Set([
  "t",
  "api",
  "admin",
  "oauth",
  "saml",
  "scim",
  "docs",
  "dev",
  "assets",
  "default-tenant",
]);

/** Lower-case letters, digits and inner hyphens; at most 63 characters, as in a host name's label. */
export function isValidSlug(slug: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(slug) && !RESERVED_SLUGS.has(slug);
}

export function isHostName(text: string): boolean {
  return /^(?=.{1,253}$)[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(text);
}

/** A host name as it is compared: lower case, without port and trailing dot. */
export function normalizeHost(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, "").replace(/\.$/, "");
}
