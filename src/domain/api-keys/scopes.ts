/** What an API key may be good for: never more than its owner, and of that what its scopes name. */

/** Parts of the administration, each with its paths. What is in none of them takes the general scopes alone. */
const areas = {
  users: ["/api/v1/admin/users"],
  groups: ["/api/v1/admin/groups"],
  roles: ["/api/v1/admin/roles"],
  clients: ["/api/v1/admin/clients", "/api/v1/admin/saml-clients"],
  organizations: ["/api/v1/admin/organizations", "/v1/organizations"],
  webhooks: ["/api/v1/admin/webhooks"],
  audit: ["/api/v1/admin/audit-events", "/api/v1/compliance"],
  service_accounts: ["/api/v1/admin/service-accounts"],
} as const;

/** Every scope, and what it opens. A `:write` scope does not include the `:read` of the same name. */
export const apiKeyScopes = {
  "account:read": "The owner's own profile",
  "admin:read": "All that administrators read",
  "admin:write": "All that administrators change, but for what only people do",
  "users:read": "Users, their roles and where they are signed in",
  "users:write": "Creates, changes and removes users, other than administrators",
  "groups:read": "Groups, their members and what roles they give",
  "groups:write": "Creates, changes and removes groups",
  "roles:read": "Roles and their permissions",
  "roles:write": "Creates, changes and removes roles, other than those of administrators",
  "clients:read": "Applications",
  "clients:write": "Registers, changes and removes applications, and makes their secrets",
  "organizations:read": "Tenants, their settings and configuration, and organizations",
  "organizations:write": "Changes tenants, their settings and organizations",
  "webhooks:read": "Webhooks and their deliveries",
  "webhooks:write": "Creates, changes, removes and replays webhooks",
  "audit:read": "The audit trail and compliance reports",
  "service_accounts:read": "Service accounts and what keys they have",
  "service_accounts:write": "Creates, changes and removes service accounts, and revokes their keys",
} as const;

export type ApiKeyScope = keyof typeof apiKeyScopes;
export const allApiKeyScopes = Object.keys(apiKeyScopes).filter(isApiKeyScope);

export function isApiKeyScope(name: string): name is ApiKeyScope {
  return Object.hasOwn(apiKeyScopes, name);
}

/** The scope that whoever administers nothing can use. */
export const ACCOUNT_SCOPE = "account:read" satisfies ApiKeyScope;

/**
 * What a key never does, whatever its scopes: it makes no credentials that would outlive it, and opens no account. A key
 * that was stolen, and noticed, is over when it is revoked.
 */
const forPeople: readonly RegExp[] = [
  /^POST .*\/api-keys$/,
  /^POST \/api\/v1\/admin\/(?:scim|initial-access)-tokens$/,
  /^POST \/v1\/organizations\/[^/]+\/scim\/tokens$/,
  /^POST \/api\/v1\/admin\/users\/[^/]+\/(?:reset-password|impersonate)$/,
  // What a connection says of people opens their accounts, for as long as it is there.
  /^(?:POST|PATCH) \/api\/v1\/admin\/connections(?:\/[^/]+)?$/,
  // And so does what an issuer's assertions say (RFC 7523 §2.1).
  /^(?:POST|PUT) \/api\/v1\/admin\/trusted-issuers(?:\/[^/]+)?$/,
];

/** A whole configuration has clients, roles and groups in it: more than the name of any one part. */
const IMPORT = /^POST \/api\/v1\/admin\/organizations\/[^/]+\/import$/;

/**
 * The scopes of which a key needs one for a request of the administration; none that exists for what only people do.
 * @param path as it is routed, without `/t/{slug}`
 */
export function scopesFor(method: string, path: string): readonly ApiKeyScope[] {
  if (forPeople.some((pattern) => pattern.test(`${method} ${path}`))) return [];
  if (IMPORT.test(`${method} ${path}`)) return ["admin:write"];
  const kind = method === "GET" || method === "HEAD" ? "read" : "write";
  const [area] =
    Object.entries(areas).find(([, prefixes]) =>
      prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)),
    ) ?? [];
  const special = `${area ?? "admin"}:${kind}`;
  return isApiKeyScope(special) && area ? [special, `admin:${kind}`] : [`admin:${kind}`];
}
