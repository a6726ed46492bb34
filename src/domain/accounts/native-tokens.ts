/** The tokens of the native API: first ones, the next ones, and the end of them. */
import type { Deps } from "../../deps.ts";
import { AppError, OAuthError } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import { type TokenResponse, tokenResponse } from "../../protocol/oauth/token-response.ts";
import { mintUserTokens, refreshTokenLifetime } from "../access-tokens/mint.ts";
import { type Client, findClient, NATIVE_CLIENT_ID } from "../clients/service.ts";
import type { RequestContext } from "../request-context.ts";
import { endSession, type StartedSession } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { type FamilyRecord, newFamily } from "../tokens/families.ts";
import { exchangeRefreshToken, findLiveRefreshToken } from "../tokens/refresh.ts";
import type { User } from "../users/service.ts";

/** How long a session lives that nobody refreshes, in seconds. */
export async function nativeLifetimeSeconds(deps: Deps, tenant: Tenant): Promise<number> {
  return refreshTokenLifetime(tenant, await nativeClient(deps, tenant));
}

/** The tokens of a session that begins, and what is to be stored of them by the statement that begins it. */
export async function newNativeTokens(
  deps: Deps,
  tenant: Tenant,
  user: User,
  session: StartedSession,
): Promise<{ record: FamilyRecord; tokens: NativeTokens }> {
  const client = await nativeClient(deps, tenant);
  const familyId = newId("tokenFamily");
  // Not `openid`: an ID token is for the client of an OpenID Connect flow, and this is none.
  const scope = ["profile", "email"];
  const authentication = { ...session, sessionId: session.id };
  const minted = await mintUserTokens(deps, { tenant, client, user, authentication, familyId, scope });
  const { family, refreshToken, token } = newFamily({
    tenantId: tenant.id,
    id: familyId,
    userId: user.id,
    clientId: client.id,
    sessionId: session.id,
    scope,
    offline: false,
    withRefreshToken: true,
    lifetimeSeconds: refreshTokenLifetime(tenant, client),
    now: session.authTime,
  });
  const { accessToken, accessTokenLifetimeSeconds: expiresInSeconds } = minted;
  const response = tokenResponse({ accessToken, expiresInSeconds, scope: [], refreshToken: token });
  return { record: { family, refreshToken }, tokens: nativeTokens(response) };
}

/** @throws AppError 401 when the refresh token does not work (any more) */
export async function refreshNative(
  deps: Deps,
  tenant: Tenant,
  refreshToken: string,
  context: RequestContext,
): Promise<NativeTokens> {
  const client = await nativeClient(deps, tenant);
  try {
    return nativeTokens(
      await exchangeRefreshToken(deps, { tenant, client, refreshToken, scope: [], context }),
    );
  } catch (cause) {
    if (!(cause instanceof OAuthError)) throw cause;
    throw new AppError(401, "unauthorized", "The refresh token is not valid. Please sign in again.", {
      cause,
    });
  }
}

/** The answer of the native surface: a token response without the members that only OAuth clients know. */
export interface NativeTokens {
  access_token: string;
  refresh_token: string;
  token_type: "Bearer";
  expires_in: number;
}

function nativeTokens(response: TokenResponse): NativeTokens {
  const { access_token, refresh_token, expires_in } = response;
  if (refresh_token === undefined) throw new Error("the native client got no refresh token");
  return { access_token, refresh_token, token_type: "Bearer", expires_in };
}

async function nativeClient(deps: Deps, tenant: Tenant): Promise<Client> {
  const client = await findClient(deps, tenant.id, NATIVE_CLIENT_ID);
  if (!client) throw new Error(`tenant ${tenant.id} has no native client`);
  return client;
}

/**
 * Ends the session that a refresh token of the native API belongs to. A token that is not ours, or no longer works,
 * changes nothing and is no error: the caller wanted to be signed out, and is.
 */
export async function signOutNative(
  deps: Deps,
  tenant: Tenant,
  refreshToken: string,
  context: RequestContext,
): Promise<void> {
  const found = await findLiveRefreshToken(deps, tenant, refreshToken);
  if (found?.clientId !== NATIVE_CLIENT_ID) return;
  await endSession(
    deps,
    { tenantId: tenant.id, id: found.session.id, userId: found.user.id },
    { actor: { type: "user", id: found.user.id }, context, includingOffline: true },
  );
}
