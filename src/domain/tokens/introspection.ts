import type { Deps } from "../../deps.ts";
import { type SecretToken, matchesHash, parseSecretToken } from "../../lib/secret-token.ts";
import {
  activeAccessToken,
  activeRefreshToken,
  inactiveToken,
  type IntrospectionResponse,
} from "../../protocol/oauth/introspection.ts";
import { isVouchedFor } from "../../protocol/oauth/client-identity.ts";
import { findStandingAccessToken, type LiveAccessToken } from "../access-tokens/access.ts";
import { subjectOf } from "../access-tokens/subject.ts";
import { type Client, findClient } from "../clients/service.ts";
import { isLiveSession } from "../sessions/service.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";
import * as repo from "./repo.ts";

/**
 * What a token is good for at this moment (RFC 7662 §2.2), in one round trip to the database: of a family that was
 * revoked, it says at once that it is over. Whose business a token is: the client's it was issued to, of an access token
 * also theirs whom it is meant for, and a first-party client's, which stands for the tenant's own resource servers. To
 * everybody else it is no token at all (RFC 7662 §4).
 */
export async function introspectToken(
  deps: Deps,
  input: { tenant: Tenant; client: Client; token: string },
): Promise<IntrospectionResponse> {
  const { tenant, client, token } = input;
  const refresh = parseSecretToken("refreshToken", token);
  if (refresh) return introspectRefreshToken(deps, tenant, client, refresh);
  const standing = await findStandingAccessToken(deps, tenant, token);
  if (!standing || !isConcerned(client, standing)) return inactiveToken;
  // The name is told where the token was given for it.
  const { preferred_username: username } = standing.claims;
  return activeAccessToken(standing.claims, typeof username === "string" ? username : undefined);
}

function isConcerned(
  client: Client,
  { clientId, claims }: Pick<LiveAccessToken, "clientId" | "claims">,
): boolean {
  const { aud } = claims;
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  // An administrator says of a client which resources it is. What whoever registers themselves may ask tokens for is the
  // same for all of them, and they are none of it.
  const own = [client.clientId, ...(isVouchedFor(client) ? client.resources : [])];
  return (
    client.firstParty ||
    clientId === client.clientId ||
    audiences.some((audience) => typeof audience === "string" && own.includes(audience))
  );
}

async function introspectRefreshToken(
  deps: Deps,
  tenant: Tenant,
  client: Client,
  presented: SecretToken<"refreshToken">,
): Promise<IntrospectionResponse> {
  const now = deps.clock.now();
  const found = await repo.findRefreshToken(deps.db, tenant.id, presented.id);
  if (!found || !matchesHash(presented.secret, found.token.hash)) return inactiveToken;
  const { token, family, session, user, clientId } = found;
  const signedIn = isLiveSession(session, tenant.settings.session_idle_timeout, now);
  const live = !token.rotatedAt && token.expiresAt > now && !family.revokedAt && user.enabled;
  if (!live || !(signedIn || family.offline)) return inactiveToken;
  const owner = clientId === client.clientId ? client : undefined;
  if (!owner && !client.firstParty) return inactiveToken;
  const issuedTo = owner ?? (await findClient(deps, tenant.id, clientId));
  if (!issuedTo) return inactiveToken;
  return activeRefreshToken({
    issuer: issuerOf(tenant, deps.config.publicUrl),
    subject: subjectOf(tenant, issuedTo, user.id),
    clientId,
    scope: token.scope,
    issuedAt: token.issuedAt,
    expiresAt: token.expiresAt,
  });
}
