import { OAuthError } from "../../../lib/errors.ts";
import { isTyp } from "../../jose/compact.ts";
import type { ForeignKey } from "../../jose/foreign-keys.ts";
import { readForeignJwt, type UnverifiedJwt, verifiedClaims } from "../../jose/foreign-jwt.ts";
import { isIdentifier, isNumericDate, timeProblem } from "../foreign-claims.ts";
import { type RequestParameters, requireParameter } from "../parameters.ts";
import { isScopeSubset, parseScope } from "../scope.ts";
import { type SingleUse, singleUse } from "../single-use.ts";

/** RFC 7523 §2.1. */
export const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** Seconds. */
const MAX_LIFETIME_SECONDS = 3600;

/** An assertion as it came. Whose it says it is serves to look the issuer up, and for nothing else yet. */
export interface JwtBearerRequest {
  readonly issuer: string;
  readonly jwt: UnverifiedJwt;
  readonly scope: readonly string[];
}

/** @throws OAuthError invalid_request, invalid_scope, or invalid_grant for what is no assertion (RFC 7521 §4.1.1) */
export function readJwtBearerRequest(parameters: RequestParameters): JwtBearerRequest {
  const jwt = readForeignJwt(requireParameter(parameters, "assertion"));
  const issuer = jwt?.claimed["iss"];
  if (!jwt || !isIdentifier(issuer)) throw refused("it is not a signed JWT with an iss.");
  return { issuer, jwt, scope: parseScope(parameters.get("scope")) };
}

/**
 * Whether the assertion is its issuer's, for us alone, now (RFC 7523 §3), and typed as nothing else.
 * @param key the one that the assertion's header means among the issuer's; undefined when we do not trust the issuer, or
 *   it has no such key
 * @returns whom it is about, in the issuer's words, and what has to be stored, so that it is used once
 * @throws OAuthError invalid_grant; what is wrong is told only to whoever has the issuer's assertion
 */
export function verifyJwtBearerAssertion(
  { issuer, jwt }: JwtBearerRequest,
  key: ForeignKey | undefined,
  expected: { readonly audience: string; readonly now: Date },
): { readonly subject: string; readonly use: SingleUse } {
  const claims = verifiedClaims(jwt, key);
  if (!claims) throw refused("it is not by an issuer that is trusted here.");
  if (jwt.typ !== undefined && !isTyp(jwt.typ, "JWT")) throw refused("its typ is that of something else.");
  const { aud, sub, jti, exp } = claims;
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (audiences.length !== 1 || audiences[0] !== expected.audience)
    throw refused("aud must be the issuer identifier of this server, and nothing else.");
  const problem = timeProblem(claims, { now: expected.now, maxLifetimeSeconds: MAX_LIFETIME_SECONDS });
  if (problem) throw refused(problem);
  if (!isIdentifier(sub) || !isNumericDate(exp)) throw refused("sub is missing.");
  const id = isIdentifier(jti) ? jti : jwt.jws.signingInput;
  return { subject: sub, use: singleUse("jwt_bearer", { owner: issuer, id, acceptedUntil: exp }) };
}

/**
 * The scope of what the assertion gets: within what its issuer may vouch for and what the client may have. No `openid` and
 * no `offline_access`: nobody has signed in here (RFC 7521 §4.1: no refresh token).
 * @throws OAuthError invalid_scope
 */
export function jwtBearerScope(
  requested: readonly string[],
  {
    issuerScopes,
    clientScopes,
  }: { readonly issuerScopes: readonly string[]; readonly clientScopes: readonly string[] },
): string[] {
  const allowed = issuerScopes.filter(
    (scope) => clientScopes.includes(scope) && scope !== "openid" && scope !== "offline_access",
  );
  if (requested.length === 0) return allowed;
  if (!isScopeSubset(requested, allowed))
    throw new OAuthError("invalid_scope", "The assertion cannot get a requested scope.");
  return [...requested];
}

/** For an assertion that was presented before, or whose subject is nobody here: the reason is not told apart. */
export function unusableAssertion(): OAuthError {
  return refused("it was used before, or its subject is not known here.");
}

function refused(description: string): OAuthError {
  return new OAuthError("invalid_grant", `The assertion cannot be used: ${description}`);
}
