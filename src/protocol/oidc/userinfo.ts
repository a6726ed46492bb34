import { insufficientScope } from "../oauth/bearer.ts";
import type { ClaimRequests } from "./claims-parameter.ts";
import { userClaims, type UserClaimsSource } from "./claims.ts";

/**
 * The UserInfo response (OpenID Connect Core §5.3.2). `sub` is always there, so that the client can compare it with
 * the ID token's.
 * @param scope of the access token
 * @throws OAuthError insufficient_scope (403) when the token was not given for OpenID Connect
 */
export function userInfoResponse(input: {
  readonly subject: string;
  readonly scope: readonly string[];
  readonly user: UserClaimsSource;
  readonly requestedClaims?: ClaimRequests;
}): Record<string, unknown> {
  if (!input.scope.includes("openid")) throw insufficientScope(["openid"]);
  return { ...userClaims(input.user, input.scope, input.requestedClaims), sub: input.subject };
}
