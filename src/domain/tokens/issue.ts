import type { Deps } from "../../deps.ts";
import { bindsRefreshTokens } from "../../protocol/oauth/dpop-binding.ts";
import { hasOfflineAccess } from "../../protocol/oauth/scope.ts";
import { type TokenResponse, tokenResponse } from "../../protocol/oauth/token-response.ts";
import { mintUserTokens, refreshTokenLifetime, type UserIssuance } from "../access-tokens/mint.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import { newFamily } from "./families.ts";
import * as repo from "./repo.ts";

export interface UserGrant extends UserIssuance {
  /** All that was granted, where this first access token is for less of it (RFC 8707 §2.2). */
  readonly grantedResources?: readonly string[];
  /** The `claims` parameter as it was sent. */
  readonly claimsParameter?: string | null;
}

/**
 * Exchanges something that a user allowed (a code, a device code) for a family's first tokens. What is exchanged is
 * consumed by the same statement that opens the family, so that neither happens alone.
 * @returns undefined when it had been consumed already, or the session has ended meanwhile: nothing was issued
 */
export async function issueToUser(
  deps: Deps,
  grant: UserGrant,
  options: {
    grantType: string;
    context: RequestContext;
    consumption: repo.Issuance["consumption"];
    /** Whether the client gets a refresh token, if it may use one at all (RFC 7521 §4.1: not for an assertion). */
    refreshable?: boolean;
  },
): Promise<TokenResponse | undefined> {
  const { tenant, client, user, scope, familyId } = grant;
  const { sessionId } = grant.authentication;
  // Who is signed in as somebody else is so for a while, and gets nothing by which it would be for longer.
  const lasting = grant.impersonation === undefined;
  const now = deps.clock.now();
  const minted = await mintUserTokens(deps, grant);
  const { family, refreshToken, token } = newFamily({
    tenantId: tenant.id,
    id: familyId,
    userId: user.id,
    clientId: client.id,
    sessionId,
    scope,
    resources: grant.grantedResources ?? grant.resources ?? [],
    claims: grant.claimsParameter ?? null,
    dpopJkt: bindsRefreshTokens(client) ? (grant.dpopJkt ?? null) : null,
    offline: lasting && hasOfflineAccess(scope),
    withRefreshToken: lasting && (options.refreshable ?? true) && client.grantTypes.includes("refresh_token"),
    lifetimeSeconds: lasting
      ? Math.max(refreshTokenLifetime(tenant, client), minted.accessTokenLifetimeSeconds)
      : minted.accessTokenLifetimeSeconds,
    now,
  });
  const issued = await repo.issue(deps.db, {
    sessionId,
    consumption: options.consumption,
    family,
    refreshToken,
    accessToken: minted.record,
    audit: audit.toRow({
      tenantId: tenant.id,
      type: "token.issued",
      actor: { type: "client", id: client.id },
      target: { type: "user", id: user.id },
      details: {
        grant_type: options.grantType,
        family: familyId,
        scope,
        ...(grant.impersonation ? { impersonator: grant.impersonation.impersonatorId } : {}),
      },
      context: options.context,
      now,
    }),
  });
  if (!issued) return undefined;
  return tokenResponse({
    accessToken: minted.accessToken,
    expiresInSeconds: minted.accessTokenLifetimeSeconds,
    scope,
    bound: Boolean(grant.dpopJkt),
    refreshToken: token,
    idToken: minted.idToken,
  });
}
