import type { Deps } from "../../deps.ts";
import { addSeconds, toEpochSeconds } from "../../lib/clock.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { newSecretToken } from "../../lib/secret-token.ts";
import { isSigningAlgorithm, type SigningAlgorithm } from "../../protocol/jose/algorithms.ts";
import { signJwt } from "../../protocol/jose/sign-jwt.ts";
import {
  ACCESS_TOKEN_TYP,
  type AccessTokenClaims,
  accessTokenClaims,
  type AccessTokenUser,
} from "../../protocol/oauth/access-token.ts";
import type { ClaimsParameter } from "../../protocol/oidc/claims-parameter.ts";
import { userClaims, type UserClaimsSource } from "../../protocol/oidc/claims.ts";
import { idTokenClaims } from "../../protocol/oidc/id-token.ts";
import { type Client, NATIVE_CLIENT_ID } from "../clients/service.ts";
import { signingKeyOf } from "../keys/service.ts";
import { PERMISSIONS_SCOPE, permissionsOf, rolesOfClient } from "../roles/permissions.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import type { AccessTokenRow } from "./repo.ts";
import { sessionIdOf, subjectOf } from "./subject.ts";

/** How a user proved who they are, as their tokens tell it. */
export interface Authentication {
  /** Null where nobody signed in (RFC 7523 §2.1). */
  readonly sessionId: Id<"session"> | null;
  readonly authTime: Date;
  readonly acr: string;
  readonly amr: readonly string[];
}

/** Everything that a user's client gets tokens by. */
export interface UserIssuance {
  readonly tenant: Tenant;
  readonly client: Client;
  readonly user: User;
  readonly authentication: Authentication;
  readonly familyId: Id<"tokenFamily">;
  readonly scope: readonly string[];
  /** RFC 8707; empty or absent: a token for this server itself. */
  readonly resources?: readonly string[];
  readonly claims?: ClaimsParameter | undefined;
  /** Thumbprint of the key that the access token is bound to (RFC 9449 §6). */
  readonly dpopJkt?: string | null;
  readonly nonce?: string | null;
  /** Who is signed in as the user, and until when at most. */
  readonly impersonation?: { readonly impersonatorId: Id<"user">; readonly notAfter: Date } | undefined;
}

export interface MintedAccessToken {
  readonly accessToken: string;
  readonly accessTokenLifetimeSeconds: number;
  readonly jwtId: string;
  /** Of an opaque token: to be kept by `keepAccessToken`, without which nobody can look it up. */
  readonly record: AccessTokenRow | undefined;
}

export interface UserTokens extends MintedAccessToken {
  /** For scope `openid`. */
  readonly idToken: string | undefined;
}

export const accessTokenLifetime = (tenant: Tenant, client: Client) =>
  client.accessTokenLifetimeSeconds ?? tenant.settings.access_token_lifetime;

export const refreshTokenLifetime = (tenant: Tenant, client: Client) =>
  client.refreshTokenLifetimeSeconds ?? tenant.settings.refresh_token_lifetime;

/** Signs what a user's client gets. Touches the database only when the tenant's keys are not cached. */
export async function mintUserTokens(deps: Deps, input: UserIssuance): Promise<UserTokens> {
  const { tenant, client, user, authentication, scope, impersonation } = input;
  const actor = impersonation && { sub: subjectOf(tenant, client, impersonation.impersonatorId) };
  const access = await mintAccessToken(deps, {
    tenant,
    client,
    scope,
    audience: input.resources ?? [],
    dpopJkt: input.dpopJkt,
    user: accessTokenUser(input),
    familyId: input.familyId,
    ...(impersonation && actor ? { actor, notAfter: impersonation.notAfter } : {}),
  });
  if (!scope.includes("openid")) return { ...access, idToken: undefined };

  const now = deps.clock.now();
  const alg = requireAlgorithm(client.idTokenSignedResponseAlg);
  const key = await signingKeyOf(deps, tenant.id, alg);
  const idToken = await signJwt(
    idTokenClaims({
      issuer: issuerOf(tenant, deps.config.publicUrl),
      subject: subjectOf(tenant, client, user.id),
      clientId: client.clientId,
      issuedAt: now,
      lifetimeSeconds: client.idTokenLifetimeSeconds ?? tenant.settings.id_token_lifetime,
      alg,
      accessToken: access.accessToken,
      nonce: input.nonce ?? null,
      authTime: authentication.authTime,
      acr: authentication.acr,
      amr: authentication.amr,
      ...(authentication.sessionId
        ? { sessionId: sessionIdOf(tenant, client, authentication.sessionId) }
        : {}),
      userClaims: {
        ...userClaims(claimsSource(user), scope, input.claims?.idToken),
        // RFC 8693 §4.1: an application that shows who is signed in can say so.
        ...(actor ? { act: actor } : {}),
      },
    }),
    { typ: "JWT", key },
  );
  return { ...access, idToken };
}

/**
 * An access token in the client's format: signed (RFC 9068), or opaque and looked up. Without a user the client acts
 * for itself (RFC 6749 §4.4) and, with a JWT and warm caches, no database is touched.
 */
export async function mintAccessToken(
  deps: Deps,
  input: {
    tenant: Tenant;
    client: Client;
    scope: readonly string[];
    /** Empty: this server itself. */
    audience: readonly string[];
    dpopJkt?: string | null | undefined;
    user?: AccessTokenUser;
    familyId?: Id<"tokenFamily">;
    /** RFC 8693 §4.1: who acts for the subject. */
    actor?: Readonly<Record<string, unknown>>;
    /** Never longer than this, whatever client and tenant say. */
    notAfter?: Date;
  },
): Promise<MintedAccessToken> {
  const { tenant, client, scope, audience } = input;
  const now = deps.clock.now();
  const issuer = issuerOf(tenant, deps.config.publicUrl);
  const lifetimeSeconds = boundedLifetime(accessTokenLifetime(tenant, client), now, input.notAfter);
  const jwtId = Bun.randomUUIDv7();
  const clientRoles = input.user ? [] : await rolesOfClient(deps, tenant.id, client.id);
  const roles = input.user?.roles ?? clientRoles;
  const claims = accessTokenClaims({
    issuer,
    audience: audience.length > 0 ? audience : [issuer],
    clientId: client.clientId,
    scope,
    issuedAt: now,
    lifetimeSeconds,
    jwtId,
    ...(input.user ? { user: input.user } : { clientRoles }),
    ...(tellsPermissions(client, scope) ? { permissions: await permissionsOf(deps, tenant.id, roles) } : {}),
    ...(input.dpopJkt ? { confirmation: { jkt: input.dpopJkt } } : {}),
    ...(input.actor ? { actor: input.actor } : {}),
  });
  const minted = { accessTokenLifetimeSeconds: lifetimeSeconds, jwtId };
  if (client.accessTokenFormat === "opaque") {
    const opaque = opaqueToken(input, claims, now, lifetimeSeconds);
    return { ...minted, accessToken: opaque.token, record: opaque.record };
  }
  const key = await signingKeyOf(deps, tenant.id, requireAlgorithm(client.accessTokenSigningAlg));
  return {
    ...minted,
    accessToken: await signJwt(claims, { typ: ACCESS_TOKEN_TYP, key }),
    record: undefined,
  };
}

/** They may be many, so a token holds them only where they are asked for. */
const tellsPermissions = (client: Client, scope: readonly string[]) =>
  client.clientId === NATIVE_CLIENT_ID || scope.includes(PERMISSIONS_SCOPE);

function boundedLifetime(seconds: number, now: Date, notAfter: Date | undefined): number {
  if (!notAfter) return seconds;
  return Math.max(1, Math.min(seconds, toEpochSeconds(notAfter) - toEpochSeconds(now)));
}

function opaqueToken(
  input: { tenant: Tenant; client: Client; familyId?: Id<"tokenFamily"> },
  claims: AccessTokenClaims,
  now: Date,
  lifetimeSeconds: number,
): { token: string; record: AccessTokenRow } {
  const id = newId("accessToken");
  const { token, hash } = newSecretToken(id);
  const record = {
    tenantId: input.tenant.id,
    id,
    hash,
    clientId: input.client.id,
    familyId: input.familyId ?? null,
    claims: { ...claims },
    issuedAt: now,
    expiresAt: addSeconds(now, lifetimeSeconds),
  };
  return { token, record };
}

/**
 * A client may read its access tokens, so they tell it of the user no more than its scope does. Roles are for resource
 * servers to decide by (RFC 9068 §2.2.3.1), and in every token.
 */
export function accessTokenUser(
  input: Pick<UserIssuance, "tenant" | "client" | "user" | "authentication" | "scope" | "familyId">,
): AccessTokenUser {
  const { tenant, user, authentication, scope, client } = input;
  const native = client.clientId === NATIVE_CLIENT_ID;
  const profile = native || scope.includes("profile");
  const email = native || scope.includes("email");
  return {
    subject: subjectOf(tenant, client, user.id),
    authTime: authentication.authTime,
    acr: authentication.acr,
    amr: authentication.amr,
    sessionId: authentication.sessionId && sessionIdOf(tenant, client, authentication.sessionId),
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

/** The claims that `claimsSource` can have values for: `claims_supported` (OpenID Connect Discovery §3). */
export const suppliedClaims = [
  "name",
  "given_name",
  "family_name",
  "preferred_username",
  "picture",
  "zoneinfo",
  "locale",
  "updated_at",
  "email",
  "email_verified",
] as const;

/** A user as the claims of OpenID Connect Core §5.1 are made from one. */
export function claimsSource(user: User): UserClaimsSource {
  return { ...user, preferredUsername: user.username };
}

export function requireAlgorithm(alg: string): SigningAlgorithm {
  if (!isSigningAlgorithm(alg)) throw new Error(`a client is registered for the unknown algorithm ${alg}`);
  return alg;
}
