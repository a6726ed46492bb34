/** What an introspection endpoint answers (RFC 7662 §2.2). */
import { toEpochSeconds } from "../../lib/clock.ts";
import { formatScope } from "./scope.ts";

export type IntrospectionResponse =
  { readonly active: false } | ({ readonly active: true } & Readonly<Record<string, unknown>>);

/**
 * The claims of an access token that whoever receives it may have: what RFC 7662 §2.2 lists, with the confirmation
 * (RFC 9449 §6.2), the actor (RFC 8693 §7.3) and how strong and old the sign-in is (RFC 9470 §6.2). No email or name:
 * a resource server that is to know them is given the scope for UserInfo.
 */
const TOLD_CLAIMS = [
  "iss",
  "sub",
  "aud",
  "exp",
  "iat",
  "nbf",
  "jti",
  "client_id",
  "scope",
  "auth_time",
  "acr",
  "amr",
  "sid",
  "org_id",
  "roles",
  "permissions",
  "cnf",
  "act",
];

/** Unknown, malformed, expired, revoked, or nothing of the asker's business: the same, and no more (RFC 7662 §2.2). */
export const inactiveToken: IntrospectionResponse = { active: false };

/**
 * @param claims of a token that holds at this moment
 * @param username of its user, when it has one
 */
export function activeAccessToken(
  claims: Readonly<Record<string, unknown>>,
  username?: string | null,
): IntrospectionResponse {
  const told: { active: true } & Record<string, unknown> = { active: true };
  for (const name of TOLD_CLAIMS) if (claims[name] !== undefined) told[name] = claims[name];
  if (username) told["username"] = username;
  told["token_type"] = claims["cnf"] === undefined ? "Bearer" : "DPoP";
  return told;
}

/** A refresh token is no token_type of RFC 6749 §7.1, so none is told. */
export function activeRefreshToken(token: {
  readonly issuer: string;
  readonly subject: string;
  readonly clientId: string;
  readonly scope: readonly string[];
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}): IntrospectionResponse {
  return {
    active: true,
    iss: token.issuer,
    sub: token.subject,
    client_id: token.clientId,
    ...(token.scope.length > 0 ? { scope: formatScope(token.scope) } : {}),
    iat: toEpochSeconds(token.issuedAt),
    exp: toEpochSeconds(token.expiresAt),
  };
}
