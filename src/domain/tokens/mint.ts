import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import { isSigningAlgorithm, type SigningAlgorithm } from "../../protocol/jose/algorithms.ts";
import { signJwt } from "../../protocol/jose/sign-jwt.ts";
import {
  ACCESS_TOKEN_TYP,
  accessTokenClaims,
  type AccessTokenUser,
} from "../../protocol/oauth/access-token.ts";
import { userClaims, type UserClaimsSource } from "../../protocol/oidc/claims.ts";
import { idTokenClaims } from "../../protocol/oidc/id-token.ts";
import { type Client, NATIVE_CLIENT_ID } from "../clients/service.ts";
import { keyRingOf } from "../keys/service.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";

/** How a user proved who they are, as their tokens tell it. */
export interface Authentication {
  readonly sessionId: Id<"session">;
  readonly authTime: Date;
  readonly acr: string;
  readonly amr: readonly string[];
}

export interface UserTokens {
  readonly accessToken: string;
  readonly accessTokenLifetimeSeconds: number;
  /** For scope `openid`. */
  readonly idToken: string | undefined;
}

export const accessTokenLifetime = (tenant: Tenant, client: Client) =>
  client.accessTokenLifetimeSeconds ?? tenant.settings.access_token_lifetime;

export const refreshTokenLifetime = (tenant: Tenant, client: Client) =>
  client.refreshTokenLifetimeSeconds ?? tenant.settings.refresh_token_lifetime;

/** Signs what a user's client gets. Touches the database only when the tenant's keys are not cached. */
export async function mintUserTokens(
  deps: Deps,
  input: {
    tenant: Tenant;
    client: Client;
    user: User;
    authentication: Authentication;
    familyId: Id<"tokenFamily">;
    scope: readonly string[];
    nonce?: string | null;
  },
): Promise<UserTokens> {
  const { tenant, client, user, authentication, scope } = input;
  const now = deps.clock.now();
  const issuer = issuerOf(tenant, deps.config.publicUrl);
  const ring = await keyRingOf(deps, tenant.id);
  const lifetimeSeconds = accessTokenLifetime(tenant, client);
  const accessToken = await signJwt(
    accessTokenClaims({
      issuer,
      audience: [issuer],
      clientId: client.clientId,
      scope,
      issuedAt: now,
      lifetimeSeconds,
      jwtId: Bun.randomUUIDv7(),
      user: accessTokenUser(input),
    }),
    { typ: ACCESS_TOKEN_TYP, key: ring.signingKey(requireAlgorithm(client.accessTokenSigningAlg), now) },
  );
  if (!scope.includes("openid"))
    return { accessToken, accessTokenLifetimeSeconds: lifetimeSeconds, idToken: undefined };

  const alg = requireAlgorithm(client.idTokenSignedResponseAlg);
  const idToken = await signJwt(
    idTokenClaims({
      issuer,
      subject: user.id,
      clientId: client.clientId,
      issuedAt: now,
      lifetimeSeconds: tenant.settings.id_token_lifetime,
      alg,
      accessToken,
      nonce: input.nonce ?? null,
      authTime: authentication.authTime,
      acr: authentication.acr,
      amr: authentication.amr,
      sessionId: authentication.sessionId,
      userClaims: userClaims(claimsSource(user), scope),
    }),
    { typ: "JWT", key: ring.signingKey(alg, now) },
  );
  return { accessToken, accessTokenLifetimeSeconds: lifetimeSeconds, idToken };
}

/** An access token of a client that acts for itself (RFC 6749 §4.4). No database when client and keys are cached. */
export async function mintClientToken(
  deps: Deps,
  input: { tenant: Tenant; client: Client; scope: readonly string[] },
): Promise<{ accessToken: string; accessTokenLifetimeSeconds: number; jwtId: string }> {
  const { tenant, client, scope } = input;
  const now = deps.clock.now();
  const issuer = issuerOf(tenant, deps.config.publicUrl);
  const lifetimeSeconds = accessTokenLifetime(tenant, client);
  const jwtId = Bun.randomUUIDv7();
  const ring = await keyRingOf(deps, tenant.id);
  const accessToken = await signJwt(
    accessTokenClaims({
      issuer,
      audience: [issuer],
      clientId: client.clientId,
      scope,
      issuedAt: now,
      lifetimeSeconds,
      jwtId,
    }),
    { typ: ACCESS_TOKEN_TYP, key: ring.signingKey(requireAlgorithm(client.accessTokenSigningAlg), now) },
  );
  return { accessToken, accessTokenLifetimeSeconds: lifetimeSeconds, jwtId };
}

/**
 * A client may read its access tokens, so they tell it of the user no more than its scope does. Roles are for resource
 * servers to decide by (RFC 9068 §2.2.3.1), and in every token.
 */
function accessTokenUser(input: Parameters<typeof mintUserTokens>[1]): AccessTokenUser {
  const { user, authentication, scope, client } = input;
  const native = client.clientId === NATIVE_CLIENT_ID;
  const profile = native || scope.includes("profile");
  const email = native || scope.includes("email");
  return {
    subject: user.id,
    authTime: authentication.authTime,
    acr: authentication.acr,
    amr: authentication.amr,
    sessionId: authentication.sessionId,
    familyId: input.familyId,
    organizationId: user.tenantId,
    preferredUsername: profile ? user.username : null,
    email: email ? user.email : null,
    emailVerified: user.emailVerified,
    givenName: profile ? user.givenName : null,
    familyName: profile ? user.familyName : null,
    roles: user.roles,
  };
}

/** A user as the claims of OpenID Connect Core §5.1 are made from one. */
export function claimsSource(user: User): UserClaimsSource {
  return { ...user, preferredUsername: user.username };
}

function requireAlgorithm(alg: string): SigningAlgorithm {
  if (!isSigningAlgorithm(alg)) throw new Error(`a client is registered for the unknown algorithm ${alg}`);
  return alg;
}
