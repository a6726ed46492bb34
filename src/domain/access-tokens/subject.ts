import type { Id } from "../../lib/ids.ts";
import { pairwiseSessionId, pairwiseSubject, sectorIdentifier } from "../../protocol/oidc/subject.ts";
import type { Client } from "../clients/service.ts";
import type { Tenant } from "../tenants/service.ts";

/** What a client knows the user as: `sub` in every token and answer that it gets (OpenID Connect Core §8). */
export function subjectOf(
  tenant: Pick<Tenant, "pairwiseSalt">,
  client: Pick<Client, "subjectType" | "sectorIdentifierUri" | "redirectUris">,
  userId: Id<"user">,
): string {
  if (client.subjectType === "public") return userId;
  return pairwiseSubject({ sector: sectorIdentifier(client), userId, salt: tenant.pairwiseSalt });
}

/**
 * What a client knows the session as: `sid` in its tokens and in what it is told of a logout (Back-Channel Logout §2.1).
 * One name for all would let pairwise clients find out that two of their users are one.
 */
export function sessionIdOf(
  tenant: Pick<Tenant, "pairwiseSalt">,
  client: Pick<Client, "subjectType" | "sectorIdentifierUri" | "redirectUris">,
  sessionId: Id<"session">,
): string {
  if (client.subjectType === "public") return sessionId;
  return pairwiseSessionId({ sector: sectorIdentifier(client), sessionId, salt: tenant.pairwiseSalt });
}
