import type { Deps } from "../../deps.ts";
import { type Id, isId } from "../../lib/ids.ts";
import { verifyJwt } from "../../protocol/jose/verify-jwt.ts";
import { ACCESS_TOKEN_TYP } from "../../protocol/oauth/access-token.ts";
import { invalidToken } from "../../protocol/oauth/bearer.ts";
import { parseScope } from "../../protocol/oauth/scope.ts";
import { keyRingOf } from "../keys/service.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import * as repo from "./repo.ts";

/** A valid access token of a user whose authorization still stands. */
export interface Access {
  readonly user: User;
  readonly clientId: string;
  readonly scope: readonly string[];
  readonly sessionId: Id<"session">;
  readonly familyId: Id<"tokenFamily">;
}

/**
 * Verifies a user's access token as a resource server does (RFC 9068 §4), and that its family was not revoked and its
 * user not disabled. The user is read anew, so roles and profile are those of now.
 * @throws OAuthError invalid_token
 */
export async function requireUserAccess(deps: Deps, tenant: Tenant, token: string): Promise<Access> {
  const issuer = issuerOf(tenant, deps.config.publicUrl);
  const ring = await keyRingOf(deps, tenant.id);
  const verified = verifyJwt(token, {
    keyOf: (kid) => ring.verificationKey(kid),
    issuer,
    audience: issuer,
    typ: ACCESS_TOKEN_TYP,
    now: deps.clock.now(),
  });
  if (!verified.ok) throw invalidToken();
  const { sub, fam, sid, client_id: clientId, scope } = verified.claims;
  // A client's own token (its subject is the client) belongs to no user and opens nothing here.
  if (
    !isId("user", sub) ||
    !isId("tokenFamily", fam) ||
    !isId("session", sid) ||
    typeof clientId !== "string"
  ) {
    throw invalidToken();
  }
  const user = await repo.findLiveSubject(deps.db, { tenantId: tenant.id, userId: sub, familyId: fam });
  if (!user) throw invalidToken();
  return {
    user,
    clientId,
    scope: parseScope(typeof scope === "string" ? scope : undefined),
    sessionId: sid,
    familyId: fam,
  };
}
