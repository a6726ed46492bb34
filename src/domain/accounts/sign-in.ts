import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { AppError, OAuthError } from "../../lib/errors.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { enqueue } from "../../queue/outbox.ts";
import * as audit from "../audit/service.ts";
import { type Client, findClient, NATIVE_CLIENT_ID } from "../clients/service.ts";
import { isCurrentHash, replaceHash } from "../passwords/service.ts";
import type { RequestContext } from "../request-context.ts";
import {
  endSession,
  hasSignedInFrom,
  renewSession,
  type Session,
  type StartedSession,
  startSession,
} from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { openFamily } from "../tokens/families.ts";
import { mintUserTokens, refreshTokenLifetime } from "../tokens/mint.ts";
import { exchangeRefreshToken, findLiveRefreshToken } from "../tokens/refresh.ts";
import { type TokenResponse, tokenResponse } from "../../protocol/oauth/token-response.ts";
import { findUserByIdentifier, touchLastLogin, type User } from "../users/service.ts";

export interface Credentials {
  /** An email address or a username. */
  identifier: string;
  password: string;
}

/** One answer for a wrong password, an unknown user, a user without a password and a disabled one. */
const invalidCredentials = () => new AppError(401, "unauthorized", "The credentials are not valid.");

/**
 * Checks a password. Takes as long for a user who does not exist as for one who does.
 * @throws AppError 401 for whatever is wrong; 403 `email_not_verified`, only to who knows the password
 */
export async function authenticateByPassword(
  deps: Deps,
  tenant: Tenant,
  credentials: Credentials,
  context: RequestContext,
): Promise<{ user: User; hash: string }> {
  const user = await findUserByIdentifier(deps, tenant.id, credentials.identifier);
  const hash = user?.enabled ? (user.passwordHash ?? undefined) : undefined;
  const matches = await deps.passwords.verify(credentials.password, hash);
  if (!user || !hash || !matches) {
    await audit.record(deps.db, {
      tenantId: tenant.id,
      type: "user.login_failed",
      actor: { type: "anonymous" },
      ...(user ? { target: { type: "user", id: user.id } } : {}),
      details: { method: "password", reason: failureReason(user) },
      context,
      now: deps.clock.now(),
    });
    throw invalidCredentials();
  }
  let current = hash;
  if (deps.passwords.isOutdated(hash)) {
    current = await deps.passwords.hash(credentials.password);
    // Another sign-in was quicker, or the password is another one now: look again.
    if (!(await replaceHash(deps.db, tenant.id, user.id, hash, current))) {
      return authenticateByPassword(deps, tenant, credentials, context);
    }
  }
  if (tenant.settings.email_verification_required && !user.emailVerified) {
    throw new AppError(403, "email_not_verified", "Please confirm your email address before you sign in.");
  }
  return { user, hash: current };
}

function failureReason(user: User | undefined): string {
  if (!user) return "unknown_user";
  return user.enabled ? "wrong_password" : "disabled";
}

/**
 * A sign-in on the hosted pages: a session that the browser keeps in a cookie.
 * @param before the browser's session: renewed for the same user, ended for another
 */
export async function signInBrowser(
  deps: Deps,
  tenant: Tenant,
  credentials: Credentials & { rememberMe: boolean },
  before: Session | undefined,
  context: RequestContext,
): Promise<{ cookie: string; expiresAt: Date; remembered: boolean }> {
  const { user, hash } = await authenticateByPassword(deps, tenant, credentials, context);
  const { settings } = tenant;
  const remembered = credentials.rememberMe && settings.remember_me_enabled;
  const session = await openSession(
    deps,
    tenant,
    user,
    {
      lifetimeSeconds: remembered ? settings.remembered_session_lifetime : settings.session_lifetime,
      withCookie: true,
      renewing: before?.user.id === user.id ? before.id : undefined,
      hash,
      context,
    },
    (_tx, opened) => Promise.resolve(opened),
  );
  if (!session.cookie) throw new Error("a browser session has no cookie");
  if (before && before.user.id !== user.id) {
    await endSession(
      deps,
      { tenantId: tenant.id, id: before.id, userId: before.user.id },
      { actor: { type: "user", id: before.user.id }, context, includingOffline: false },
    );
  }
  return { cookie: session.cookie, expiresAt: session.expiresAt, remembered };
}

/** A sign-in on the native API: the tokens of a family of their own, and the session behind them. */
export async function signInNative(
  deps: Deps,
  tenant: Tenant,
  credentials: Credentials,
  context: RequestContext,
): Promise<{ user: User; tokens: NativeTokens }> {
  const { user, hash } = await authenticateByPassword(deps, tenant, credentials, context);
  const client = await nativeClient(deps, tenant);
  const lifetimeSeconds = refreshTokenLifetime(tenant, client);
  const familyId = newId("tokenFamily");
  // Not `openid`: an ID token is for the client of an OpenID Connect flow, and this is none.
  const scope = ["profile", "email"];
  const tokens = await openSession(
    deps,
    tenant,
    user,
    { lifetimeSeconds, withCookie: false, hash, context },
    async (tx, session) => {
      const authentication = { ...session, sessionId: session.id };
      const minted = await mintUserTokens(deps, { tenant, client, user, authentication, familyId, scope });
      const refreshToken = await openFamily(tx, {
        tenantId: tenant.id,
        id: familyId,
        userId: user.id,
        clientId: client.id,
        sessionId: session.id,
        scope,
        offline: false,
        withRefreshToken: true,
        lifetimeSeconds,
        now: session.authTime,
      });
      const { accessToken, accessTokenLifetimeSeconds: expiresInSeconds } = minted;
      return nativeTokens(tokenResponse({ accessToken, expiresInSeconds, scope: [], refreshToken }));
    },
  );
  return { user, tokens };
}

/** Session, audit row, last sign-in, the notice of a new device, and what `then` adds: in one transaction. */
async function openSession<Result>(
  deps: Deps,
  tenant: Tenant,
  user: User,
  options: {
    lifetimeSeconds: number;
    withCookie: boolean;
    renewing?: Id<"session"> | undefined;
    hash: string;
    context: RequestContext;
  },
  then: (tx: Executor, session: StartedSession) => Promise<Result>,
): Promise<Result> {
  const now = deps.clock.now();
  return deps.db.transaction(async (tx) => {
    // The password may have been changed while it was checked: whoever knew the old one is to be shut out.
    if (!(await isCurrentHash(tx, tenant.id, user.id, options.hash))) throw invalidCredentials();
    const known = await hasSignedInFrom(tx, user, options.context.userAgent);
    const start = { tenantId: tenant.id, userId: user.id, amr: ["pwd"], ...options, now };
    const renewed = options.renewing && (await renewSession(tx, options.renewing, start));
    const session = renewed || (await startSession(tx, start));
    await touchLastLogin(tx, tenant.id, user.id, now);
    await audit.record(tx, {
      tenantId: tenant.id,
      type: "user.login",
      actor: { type: "user", id: user.id },
      target: { type: "session", id: session.id },
      details: { method: "password", acr: session.acr },
      context: options.context,
      now,
    });
    if (!known) {
      await enqueue(tx, {
        tenantId: tenant.id,
        queue: "email",
        name: "new_sign_in",
        payload: { user_id: user.id, session_id: session.id },
        now,
      });
    }
    return then(tx, session);
  });
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
  const { access_token, refresh_token, token_type, expires_in } = response;
  if (refresh_token === undefined) throw new Error("the native client got no refresh token");
  return { access_token, refresh_token, token_type, expires_in };
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
  const found = await findLiveRefreshToken(deps, tenant, NATIVE_CLIENT_ID, refreshToken);
  if (!found) return;
  await endSession(
    deps,
    { tenantId: tenant.id, id: found.session.id, userId: found.user.id },
    { actor: { type: "user", id: found.user.id }, context, includingOffline: true },
  );
}
