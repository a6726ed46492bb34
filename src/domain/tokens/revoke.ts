import type { Deps } from "../../deps.ts";
import { ANY_AUDIENCE } from "../../protocol/jose/verify-jwt.ts";
import { revocableToken } from "../../protocol/oauth/revocation.ts";
import { findLiveAccessToken } from "../access-tokens/access.ts";
import { endAccessToken } from "../access-tokens/revocation.ts";
import * as audit from "../audit/service.ts";
import type { Client } from "../clients/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import { findLiveRefreshToken } from "./refresh.ts";
import { revokeFamily } from "./revocation.ts";

interface Revocation {
  readonly tenant: Tenant;
  readonly client: Client;
  readonly token: string;
  readonly context: RequestContext;
}

/**
 * Ends a token that its client needs no more (RFC 7009 §2.1): of a refresh token, all that descends from the same
 * authorization; an access token alone. Of what is unknown or over already, nothing happens (§2.2). Each of our tokens
 * says by itself what it is, so no hint is needed.
 * @throws OAuthError invalid_grant for a token of another client
 */
export async function revokeToken(deps: Deps, revocation: Revocation): Promise<void> {
  const { tenant, client, token, context } = revocation;
  const refresh = revocableToken(await findLiveRefreshToken(deps, tenant, token), client.clientId);
  if (refresh) {
    const actor = { type: "client", id: client.id } as const;
    return revokeFamily(deps, refresh.family, "revoked", { type: "token.revoked", actor, context });
  }
  return revokeAccessToken(deps, revocation);
}

async function revokeAccessToken(deps: Deps, { tenant, client, token, context }: Revocation): Promise<void> {
  const found = await findLiveAccessToken(deps, tenant, token, ANY_AUDIENCE);
  const live = revocableToken(found, client.clientId);
  if (!live) return;
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    if (!(await endAccessToken(tx, { tenantId: tenant.id, token, live, now }))) return;
    await audit.record(tx, {
      tenantId: tenant.id,
      type: "token.revoked",
      actor: { type: "client", id: client.id },
      target: { type: "access_token", id: live.jwtId },
      details: live.onBehalfOf ? { user: live.onBehalfOf.user.id, family: live.onBehalfOf.familyId } : {},
      context,
      now,
    });
  });
}
