import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import type { OAuthError } from "../../lib/errors.ts";
import { bindsRefreshTokens } from "../../protocol/oauth/dpop-binding.ts";
import { hasOfflineAccess } from "../../protocol/oauth/scope.ts";
import { type TokenResponse, tokenResponse } from "../../protocol/oauth/token-response.ts";
import { keepAccessToken } from "../access-tokens/access.ts";
import { mintUserTokens, refreshTokenLifetime, type UserIssuance } from "../access-tokens/mint.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import { lockLiveSession } from "../sessions/service.ts";
import { openFamily } from "./families.ts";

export interface UserGrant extends UserIssuance {
  /** All that was granted, where this first access token is for less of it (RFC 8707 §2.2). */
  readonly grantedResources?: readonly string[];
  /** The `claims` parameter as it was sent. */
  readonly claimsParameter?: string | null;
}

/**
 * Exchanges something that a user allowed (a code, a device code) for a family's first tokens. What is exchanged is
 * consumed in the same transaction that opens the family, so that neither happens alone.
 * @returns undefined when it had been consumed already: nothing was issued
 * @throws OAuthError as `refusal` makes it, when the session has ended meanwhile
 */
export async function issueToUser(
  deps: Deps,
  grant: UserGrant,
  options: {
    grantType: string;
    context: RequestContext;
    consume: (tx: Executor) => Promise<boolean>;
    refusal: () => OAuthError;
    /** Whether the client gets a refresh token, if it may use one at all (RFC 7521 §4.1: not for an assertion). */
    refreshable?: boolean;
  },
): Promise<TokenResponse | undefined> {
  const { tenant, client, user, scope, familyId } = grant;
  const { sessionId } = grant.authentication;
  const now = deps.clock.now();
  const minted = await mintUserTokens(deps, grant);
  const opened = await deps.db.transaction(async (tx) => {
    if (!(await options.consume(tx))) return undefined;
    if (sessionId !== null && !(await lockLiveSession(tx, tenant.id, sessionId))) throw options.refusal();
    const refreshToken = await openFamily(tx, {
      tenantId: tenant.id,
      id: familyId,
      userId: user.id,
      clientId: client.id,
      sessionId,
      scope,
      resources: grant.grantedResources ?? grant.resources ?? [],
      claims: grant.claimsParameter ?? null,
      dpopJkt: bindsRefreshTokens(client) ? (grant.dpopJkt ?? null) : null,
      offline: hasOfflineAccess(scope),
      withRefreshToken: (options.refreshable ?? true) && client.grantTypes.includes("refresh_token"),
      lifetimeSeconds: Math.max(refreshTokenLifetime(tenant, client), minted.accessTokenLifetimeSeconds),
      now,
    });
    await keepAccessToken(tx, minted);
    await audit.record(tx, {
      tenantId: tenant.id,
      type: "token.issued",
      actor: { type: "client", id: client.id },
      target: { type: "user", id: user.id },
      details: { grant_type: options.grantType, family: familyId, scope },
      context: options.context,
      now,
    });
    return { refreshToken };
  });
  return (
    opened &&
    tokenResponse({
      accessToken: minted.accessToken,
      expiresInSeconds: minted.accessTokenLifetimeSeconds,
      scope,
      bound: Boolean(grant.dpopJkt),
      refreshToken: opened.refreshToken,
      idToken: minted.idToken,
    })
  );
}
