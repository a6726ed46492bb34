import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { deriveKey, seal, unseal } from "../../lib/crypto.ts";
import { newId } from "../../lib/ids.ts";
import { matchesHash, newSecretToken, parseSecretToken } from "../../lib/secret-token.ts";
import { tokenBinding } from "../../protocol/oauth/dpop-binding.ts";
import { decideRefreshToken, invalidRefreshToken } from "../../protocol/oauth/grants/refresh-token.ts";
import { narrowedResources } from "../../protocol/oauth/resource.ts";
import { type TokenResponse, tokenResponse } from "../../protocol/oauth/token-response.ts";
import { parseClaimsParameter } from "../../protocol/oidc/claims-parameter.ts";
import { keepLoneAccessToken } from "../access-tokens/access.ts";
import { toRow } from "../audit/service.ts";
import type { Client } from "../clients/service.ts";
import type { RequestContext } from "../request-context.ts";
import { isLiveSession, isTouchDue } from "../sessions/service.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";
import { mintUserTokens, refreshTokenLifetime } from "../access-tokens/mint.ts";
import * as repo from "./repo.ts";
import { revokeFamily } from "./revocation.ts";

/**
 * For so long a client that lost the answer to a rotation may ask again. Losing it is the most-reported bug of
 * rotating refresh tokens: without the window, a dropped connection signs the user out everywhere.
 */
export const RETRY_WINDOW_SECONDS = 10;

/** A race is lost to the one request that rotated; asking again finds its answer. Twice would mean a defect. */
const ATTEMPTS = 3;

/**
 * Exchanges a refresh token (RFC 6749 §6). It rotates: each works once, and one that comes back later ends its whole
 * family, since either its owner or a thief is then holding a copy (RFC 9700 §4.14.2).
 * @throws OAuthError invalid_grant, the same for every reason; invalid_scope
 */
export async function exchangeRefreshToken(
  deps: Deps,
  input: {
    tenant: Tenant;
    client: Client;
    refreshToken: string;
    /** Empty: what was granted. */
    scope: readonly string[];
    /** Empty: what was granted (RFC 8707 §2.2). */
    resources?: readonly string[];
    provenJkt?: string | undefined;
    context: RequestContext;
  },
): Promise<TokenResponse> {
  const { tenant, client, context } = input;
  const presented = parseSecretToken("refreshToken", input.refreshToken);
  if (!presented) throw invalidRefreshToken();

  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const now = deps.clock.now();
    const found = await repo.findRefreshToken(deps.db, tenant.id, presented.id);
    if (!found || !matchesHash(presented.secret, found.token.hash)) throw invalidRefreshToken();
    const decision = decideRefreshToken(
      {
        clientId: found.clientId,
        scope: found.token.scope.filter((one) => client.scopes.includes(one)),
        expiresAt: found.token.expiresAt,
        rotatedAt: found.token.rotatedAt,
        successorUsed: found.successorUsed,
        familyRevokedAt: found.family.revokedAt,
      },
      { scope: input.scope },
      { clientId: client.clientId, now, retryWindowSeconds: RETRY_WINDOW_SECONDS },
    );
    if (decision.kind === "reuse") {
      await revokeFamily(deps, found.family, "refresh_token_reused", {
        type: "token.reuse_detected",
        actor: { type: "client", id: client.id },
        context,
      });
      throw invalidRefreshToken();
    }
    requireLiveSignIn(tenant, found, now);
    const resources = narrowedResources(input.resources ?? [], registeredResources(deps, input, found));
    const dpopJkt = tokenBinding({
      client,
      provenJkt: input.provenJkt,
      boundJkt: found.family.dpopJkt,
    });
    const successor =
      decision.kind === "retry"
        ? openSuccessor(presented.secret, found)
        : await rotate(deps, { tenant, client, found, secret: presented.secret, context, now });
    if (successor)
      return respond(deps, {
        tenant,
        client,
        found,
        scope: decision.scope,
        resources,
        dpopJkt,
        refreshToken: successor,
      });
  }
  throw new Error("a refresh token was neither rotated nor found rotated");
}

/**
 * The resources that were granted and that the client may still have. What an administrator takes away from a client, scope
 * or resource, ends with the next refresh: the tokens by which it was granted may be renewed for ever.
 * @throws OAuthError invalid_grant when none is left, since no resource at all means this server itself
 */
function registeredResources(
  deps: Deps,
  { tenant, client }: { tenant: Tenant; client: Client },
  { family }: repo.FoundRefreshToken,
): readonly string[] {
  const registered = [issuerOf(tenant, deps.config.publicUrl), ...client.resources];
  const left = family.resources.filter((resource) => registered.includes(resource));
  if (left.length === 0 && family.resources.length > 0) throw invalidRefreshToken();
  return left;
}

/** A disabled user gets nothing, nor does a session that has ended, unless the grant was for offline access. */
function requireLiveSignIn(tenant: Tenant, found: repo.FoundRefreshToken, now: Date): void {
  const { session, family, user } = found;
  const signedIn = isLiveSession(session, tenant.settings.session_idle_timeout, now);
  if (!user.enabled || (!signedIn && !family.offline)) throw invalidRefreshToken();
}

async function rotate(
  deps: Deps,
  input: {
    tenant: Tenant;
    client: Client;
    found: repo.FoundRefreshToken;
    secret: string;
    context: RequestContext;
    now: Date;
  },
): Promise<string | undefined> {
  const { tenant, client, found, secret, context, now } = input;
  const lifetimeSeconds = refreshTokenLifetime(tenant, client);
  const idleSeconds = tenant.settings.session_idle_timeout;
  const id = newId("refreshToken");
  const successor = newSecretToken(id);
  const expiresAt = addSeconds(now, lifetimeSeconds);
  const rotated = await repo.rotate(deps.db, {
    tenantId: tenant.id,
    id: found.token.id,
    familyId: found.family.id,
    sessionId: found.session.id,
    successor: {
      id,
      hash: successor.hash,
      sealed: seal(successorKey(secret), successor.token, found.token.id),
      // The whole grant goes on: a request for less narrows its access token, not the next ones (RFC 6749 §6).
      scope: found.token.scope,
      expiresAt,
    },
    // For some time ahead, since clean-up alone goes by it.
    familyExpiresAt:
      found.family.expiresAt < expiresAt ? addSeconds(expiresAt, lifetimeSeconds / 8) : undefined,
    touchesSession: isTouchDue(found.session, idleSeconds, now, lifetimeSeconds),
    audit: toRow({
      tenantId: tenant.id,
      type: "token.refreshed",
      actor: { type: "client", id: client.id },
      target: { type: "user", id: found.user.id },
      details: { family: found.family.id },
      context,
      now,
    }),
    now,
  });
  return rotated ? successor.token : undefined;
}

function openSuccessor(secret: string, found: repo.FoundRefreshToken): string {
  const { successorSealed, id } = found.token;
  const successor = successorSealed && unseal(successorKey(secret), successorSealed, id);
  if (!successor) throw invalidRefreshToken();
  return successor.toString();
}

const successorKey = (secret: string) =>
  deriveKey(Buffer.from(secret, "base64url"), "refresh-token-successor");

async function respond(
  deps: Deps,
  input: {
    tenant: Tenant;
    client: Client;
    found: repo.FoundRefreshToken;
    scope: readonly string[];
    resources: readonly string[];
    dpopJkt: string | undefined;
    refreshToken: string;
  },
): Promise<TokenResponse> {
  const { tenant, client, found, scope, resources, dpopJkt, refreshToken } = input;
  const { session, user, family } = found;
  const minted = await mintUserTokens(deps, {
    tenant,
    client,
    user,
    authentication: { ...session, sessionId: session.id },
    familyId: family.id,
    scope,
    resources,
    claims: parseClaimsParameter(family.claims ?? undefined),
    dpopJkt: dpopJkt ?? null,
  });
  await keepLoneAccessToken(deps.db, minted);
  return tokenResponse({
    accessToken: minted.accessToken,
    expiresInSeconds: minted.accessTokenLifetimeSeconds,
    scope,
    bound: dpopJkt !== undefined,
    refreshToken,
    idToken: minted.idToken,
  });
}

/**
 * The refresh token that a caller presents for another purpose than exchanging it, such as signing out. Whether it is the
 * caller's is theirs to compare.
 * @returns undefined when it is forged, or of a family that has ended
 */
export async function findLiveRefreshToken(
  deps: Deps,
  tenant: Tenant,
  refreshToken: string,
): Promise<repo.FoundRefreshToken | undefined> {
  const presented = parseSecretToken("refreshToken", refreshToken);
  const found = presented && (await repo.findRefreshToken(deps.db, tenant.id, presented.id));
  if (!found || !matchesHash(presented.secret, found.token.hash)) return undefined;
  return found.family.revokedAt ? undefined : found;
}
