import { toEpochSeconds } from "../../lib/clock.ts";
import type { ClaimRequests, ClaimsParameter } from "./claims-parameter.ts";

/** What we may know of a person. Null and undefined alike: we do not. */
export interface UserClaimsSource {
  readonly name?: string | null;
  readonly givenName?: string | null;
  readonly familyName?: string | null;
  readonly middleName?: string | null;
  readonly nickname?: string | null;
  readonly preferredUsername?: string | null;
  readonly profile?: string | null;
  readonly picture?: string | null;
  readonly website?: string | null;
  readonly gender?: string | null;
  readonly birthdate?: string | null;
  readonly zoneinfo?: string | null;
  readonly locale?: string | null;
  readonly updatedAt?: Date | null;
  readonly email?: string | null;
  readonly emailVerified?: boolean | null;
  readonly phoneNumber?: string | null;
  readonly phoneNumberVerified?: boolean | null;
  readonly address?: AddressClaim | null;
}

/** OpenID Connect Core §5.1.1. */
export interface AddressClaim {
  formatted?: string;
  street_address?: string;
  locality?: string;
  region?: string;
  postal_code?: string;
  country?: string;
}

/** The claims that each scope stands for (OpenID Connect Core §5.4), and where their values come from (§5.1). */
const CLAIMS_OF_SCOPE = {
  profile: {
    name: (user) => user.name ?? fullName(user),
    given_name: (user) => user.givenName,
    family_name: (user) => user.familyName,
    middle_name: (user) => user.middleName,
    nickname: (user) => user.nickname,
    preferred_username: (user) => user.preferredUsername,
    profile: (user) => user.profile,
    picture: (user) => user.picture,
    website: (user) => user.website,
    gender: (user) => user.gender,
    birthdate: (user) => user.birthdate,
    zoneinfo: (user) => user.zoneinfo,
    locale: (user) => user.locale,
    updated_at: (user) => (user.updatedAt ? toEpochSeconds(user.updatedAt) : undefined),
  },
  email: {
    email: (user) => user.email,
    email_verified: (user) => (user.email ? (user.emailVerified ?? false) : undefined),
  },
  phone: {
    phone_number: (user) => user.phoneNumber,
    phone_number_verified: (user) => (user.phoneNumber ? (user.phoneNumberVerified ?? false) : undefined),
  },
  address: { address: (user) => user.address },
} satisfies Record<string, Record<string, (user: UserClaimsSource) => unknown>>;

/** Every claim about a person that there are rules for here, whether or not anybody has a value. */
export const userClaimNames: readonly string[] = Object.values(CLAIMS_OF_SCOPE).flatMap(Object.keys);

/** Claims of the protocol itself, such as `acr`, belong to no scope. */
const scopeOfClaim = new Map(
  Object.entries(CLAIMS_OF_SCOPE).flatMap(([scope, values]) =>
    Object.keys(values).map((name) => [name, scope] as const),
  ),
);

/**
 * A `claims` parameter without what its client is not registered for: asking for the claims of a scope one by one is no
 * way to more than the scope itself. What is left out is not refused, since no claim has to be answered (OpenID Connect
 * Core §5.5.1).
 * @param scopes those that the client may have
 */
export function registeredClaims(
  { userinfo, idToken }: ClaimsParameter,
  scopes: readonly string[],
): ClaimsParameter {
  const registered = (requests: ClaimRequests): ClaimRequests =>
    Object.fromEntries(
      Object.entries(requests).filter(([name]) => {
        const scope = scopeOfClaim.get(name);
        return scope === undefined || scopes.includes(scope);
      }),
    );
  return { userinfo: registered(userinfo), idToken: registered(idToken) };
}

/** The scopes that stand for the claims which a `claims` parameter asks for (OpenID Connect Core §5.4). */
export function scopesOfClaims(claims: ClaimsParameter | undefined): string[] {
  const names = Object.keys({ ...claims?.userinfo, ...claims?.idToken });
  return [...new Set(names.flatMap((name) => scopeOfClaim.get(name) ?? []))];
}

/**
 * The claims about a person that the scope, or a `claims` parameter, lets out (OpenID Connect Core §5.4, §5.5).
 * A claim without a value is left out, never null or empty (§5.3.2).
 * @param requested the member of the claims parameter for the place where they will stand
 */
export function userClaims(
  user: UserClaimsSource,
  scope: readonly string[],
  requested: ClaimRequests = {},
): Record<string, unknown> {
  const claims: Record<string, unknown> = {};
  for (const [scopeToken, values] of Object.entries(CLAIMS_OF_SCOPE)) {
    for (const [name, valueOf] of Object.entries(values)) {
      if (!scope.includes(scopeToken) && !Object.hasOwn(requested, name)) continue;
      const value = valueOf(user);
      if (value !== undefined && value !== null && value !== "") claims[name] = value;
    }
  }
  return claims;
}

function fullName({ givenName, familyName }: UserClaimsSource): string {
  return [givenName, familyName].filter(Boolean).join(" ");
}
