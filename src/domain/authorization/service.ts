import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { matchesHash, newSecretToken, parseSecretToken } from "../../lib/secret-token.ts";
import type { AuthorizationRequest } from "../../protocol/oauth/authorization-request.ts";
import {
  type AuthorizationCodeRequest,
  decideAuthorizationCode,
  invalidCode,
} from "../../protocol/oauth/grants/authorization-code.ts";
import { hasOfflineAccess } from "../../protocol/oauth/scope.ts";
import { type TokenResponse, tokenResponse } from "../../protocol/oauth/token-response.ts";
import * as audit from "../audit/service.ts";
import type { Client } from "../clients/service.ts";
import type { RequestContext } from "../request-context.ts";
import { lockLiveSession, type Session } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { openFamily } from "../tokens/families.ts";
import { mintUserTokens, refreshTokenLifetime } from "../tokens/mint.ts";
import { revokeFamily } from "../tokens/revocation.ts";
import * as repo from "./repo.ts";

/** OAuth 2.1 §4.1.2 recommends ten minutes at most; a code travels through one redirect. */
export const CODE_LIFETIME_SECONDS = 60;

/** Issues the code of a granted request. The code is bound to all that its exchange must repeat or prove. */
export async function issueCode(
  deps: Deps,
  input: {
    tenant: Tenant;
    client: Client;
    session: Session;
    request: AuthorizationRequest;
    context: RequestContext;
  },
): Promise<string> {
  const { tenant, client, session, request, context } = input;
  const now = deps.clock.now();
  const id = newId("authorizationCode");
  const { token, hash } = newSecretToken(id);
  await repo.insertCode(deps.db, {
    tenantId: tenant.id,
    id,
    hash,
    clientId: client.id,
    userId: session.user.id,
    sessionId: session.id,
    redirectUri: request.redirectUri,
    scope: [...request.scope],
    nonce: request.nonce ?? null,
    codeChallenge: request.codeChallenge,
    authTime: session.authTime,
    acr: session.acr,
    amr: [...session.amr],
    maxAge: request.maxAge ?? null,
    createdAt: now,
    expiresAt: addSeconds(now, CODE_LIFETIME_SECONDS),
  });
  deps.log.debug({ requestId: context.requestId, client: client.id }, "authorization code issued");
  return token;
}

/**
 * Exchanges a code for tokens (RFC 6749 §4.1.3). A code that comes a second time ends what the first time issued
 * (§4.1.2): somebody else has it too.
 * @throws OAuthError invalid_grant
 */
export async function exchangeCode(
  deps: Deps,
  input: { tenant: Tenant; client: Client; request: AuthorizationCodeRequest; context: RequestContext },
): Promise<TokenResponse> {
  const { tenant, client, request, context } = input;
  const now = deps.clock.now();
  const presented = parseSecretToken("authorizationCode", request.code);
  const found = presented && (await repo.findCode(deps.db, tenant.id, presented.id));
  if (!found || !matchesHash(presented.secret, found.code.hash)) throw invalidCode();
  const { code, user } = found;
  const decision = decideAuthorizationCode({ ...code, clientId: found.clientId }, request, {
    clientId: client.clientId,
    now,
  });
  if (decision.kind === "replayed") return refuseReplay(deps, input, code);
  // Disabled, signed out everywhere or given a new password within the last minute.
  if (!user.enabled || found.sessionRevokedAt) throw invalidCode();

  const familyId = newId("tokenFamily");
  const authentication = { sessionId: code.sessionId, authTime: code.authTime, acr: code.acr, amr: code.amr };
  const minted = await mintUserTokens(deps, {
    tenant,
    client,
    user,
    authentication,
    familyId,
    scope: code.scope,
    nonce: code.nonce,
  });
  const refreshToken = await deps.db.transaction(async (tx) => {
    if (!(await repo.consumeCode(tx, tenant.id, code.id, familyId, now))) return "replayed" as const;
    if (!(await lockLiveSession(tx, tenant.id, code.sessionId))) throw invalidCode();
    const first = await openFamily(tx, {
      tenantId: tenant.id,
      id: familyId,
      userId: user.id,
      clientId: client.id,
      sessionId: code.sessionId,
      scope: code.scope,
      offline: hasOfflineAccess(code.scope),
      withRefreshToken: client.grantTypes.includes("refresh_token"),
      lifetimeSeconds: Math.max(refreshTokenLifetime(tenant, client), minted.accessTokenLifetimeSeconds),
      now,
    });
    await audit.record(tx, {
      tenantId: tenant.id,
      type: "token.issued",
      actor: { type: "client", id: client.id },
      target: { type: "user", id: user.id },
      details: { grant_type: "authorization_code", family: familyId, scope: code.scope },
      context,
      now,
    });
    return { first };
  });
  if (refreshToken === "replayed") {
    const again = await repo.findCode(deps.db, tenant.id, code.id);
    return refuseReplay(deps, input, again?.code ?? code);
  }
  return tokenResponse({
    accessToken: minted.accessToken,
    expiresInSeconds: minted.accessTokenLifetimeSeconds,
    scope: code.scope,
    refreshToken: refreshToken.first,
    idToken: minted.idToken,
  });
}

async function refuseReplay(
  deps: Deps,
  { tenant, client, context }: { tenant: Tenant; client: Client; context: RequestContext },
  code: { familyId: Id<"tokenFamily"> | null },
): Promise<never> {
  if (code.familyId) {
    await revokeFamily(deps, { tenantId: tenant.id, id: code.familyId }, "code_replayed", {
      type: "token.code_replayed",
      actor: { type: "client", id: client.id },
      context,
    });
  }
  throw invalidCode();
}
