/** API keys as Bearer tokens (RFC 6750). */
import type { Deps } from "../deps.ts";
import { findLiveApiKey, type LiveApiKey } from "../domain/api-keys/service.ts";
import type { Tenant } from "../domain/tenants/service.ts";
import { forbidden, unauthorized } from "../lib/errors.ts";
import { bearerChallenge, insufficientScope } from "../protocol/oauth/bearer.ts";

/** Tells our API keys from access tokens by their prefix. */
export function apiKeyOf(request: Request): string | undefined {
  return /^Bearer +(apikey_\S+) *$/i.exec(request.headers.get("authorization") ?? "")?.[1];
}

/**
 * The key that a request came by, if it is good for that.
 * @param scopes of which it needs one; none: no key does this
 * @throws AppError 401, the same for whatever the key lacks; 403 for what keys never do; OAuthError 403 for another scope's
 */
export async function requireApiKey(
  deps: Deps,
  tenant: Tenant,
  presented: string,
  scopes: readonly string[],
): Promise<LiveApiKey> {
  const key = await findLiveApiKey(deps, tenant.id, presented);
  if (!key)
    throw unauthorized("The API key is invalid, expired or revoked.", {
      headers: { "www-authenticate": bearerChallenge({ error: "invalid_token" }) },
    });
  if (scopes.length === 0) throw forbidden("This is only for people, who sign in: no API key does it.");
  if (!scopes.some((scope) => key.scopes.includes(scope))) throw insufficientScope(scopes.slice(0, 1));
  return key;
}
