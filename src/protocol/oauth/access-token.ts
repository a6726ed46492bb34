import { toEpochSeconds } from "../../lib/clock.ts";
import { formatScope } from "./scope.ts";

/** `typ` of an access token (RFC 9068 §2.1): what keeps an ID token from being taken for one. */
export const ACCESS_TOKEN_TYP = "at+jwt";

export interface AccessTokenInput {
  readonly issuer: string;
  /** The resources asked for or, without any, the default one (RFC 9068 §3). */
  readonly audience: readonly string[];
  readonly clientId: string;
  readonly scope: readonly string[];
  readonly issuedAt: Date;
  readonly lifetimeSeconds: number;
  /** Unique: by it a single token is named. */
  readonly jwtId: string;
  /** RFC 9449 §6.1. */
  readonly confirmation?: { readonly jkt: string };
  /** RFC 8693 §4.1: who acts for the subject, and for whom that one acts. */
  readonly actor?: Readonly<Record<string, unknown>>;
  /** Roles of a client that acts for itself. */
  readonly clientRoles?: readonly string[];
  /** What the roles allow, for a client that asks for it. */
  readonly permissions?: readonly string[];
  /** Absent for a client that acts for itself: then the client is the subject (RFC 9068 §2.2). */
  readonly user?: AccessTokenUser;
}

export interface AccessTokenUser {
  readonly subject: string;
  readonly authTime: Date;
  readonly acr: string;
  readonly amr: readonly string[];
  /** Null where nobody signed in (RFC 7523 §2.1). */
  readonly sessionId: string | null;
  /** The token family, by which an access token ends with the refresh tokens it came with. */
  readonly familyId: string;
  readonly organizationId: string;
  readonly preferredUsername?: string | null;
  readonly email?: string | null;
  readonly emailVerified?: boolean;
  readonly givenName?: string | null;
  readonly familyName?: string | null;
  readonly roles: readonly string[];
}

/** Claims of an access token (RFC 9068 §2.2), with `sid` and `fam` as private claims. Times: NumericDate. */
export interface AccessTokenClaims {
  iss: string;
  sub: string;
  aud: string | readonly string[];
  exp: number;
  iat: number;
  jti: string;
  client_id: string;
  scope?: string;
  auth_time?: number;
  acr?: string;
  amr?: readonly string[];
  sid?: string;
  fam?: string;
  org_id?: string;
  preferred_username?: string;
  email?: string;
  email_verified?: boolean;
  given_name?: string;
  family_name?: string;
  roles?: readonly string[];
  permissions?: readonly string[];
  cnf?: { readonly jkt: string };
  act?: Readonly<Record<string, unknown>>;
}

export function accessTokenClaims(input: AccessTokenInput): AccessTokenClaims {
  const issuedAt = toEpochSeconds(input.issuedAt);
  const [audience, ...others] = input.audience;
  const claims: AccessTokenClaims = {
    iss: input.issuer,
    sub: input.user?.subject ?? input.clientId,
    aud: audience !== undefined && others.length === 0 ? audience : input.audience,
    exp: issuedAt + input.lifetimeSeconds,
    iat: issuedAt,
    jti: input.jwtId,
    client_id: input.clientId,
  };
  if (input.scope.length > 0) claims.scope = formatScope(input.scope);
  if (input.confirmation) claims.cnf = input.confirmation;
  if (input.clientRoles && input.clientRoles.length > 0) claims.roles = input.clientRoles;
  if (input.permissions) claims.permissions = input.permissions;
  if (input.actor) claims.act = input.actor;
  return input.user ? { ...claims, ...userClaims(input.user) } : claims;
}

/** RFC 9068 §2.2.1 to §2.2.3. */
function userClaims(user: AccessTokenUser) {
  return {
    // Where nobody signed in there is nothing to tell of a sign-in.
    ...(user.sessionId === null
      ? {}
      : {
          auth_time: toEpochSeconds(user.authTime),
          acr: user.acr,
          amr: user.amr,
          sid: user.sessionId,
        }),
    fam: user.familyId,
    org_id: user.organizationId,
    ...(user.preferredUsername ? { preferred_username: user.preferredUsername } : {}),
    ...(user.email ? { email: user.email, email_verified: user.emailVerified ?? false } : {}),
    ...(user.givenName ? { given_name: user.givenName } : {}),
    ...(user.familyName ? { family_name: user.familyName } : {}),
    roles: user.roles,
  };
}
