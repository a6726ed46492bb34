import { addSeconds } from "../../lib/clock.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { newSecretToken } from "../../lib/secret-token.ts";

export { familyInserts, type FamilyRecord } from "./repo.ts";

export interface NewFamily {
  tenantId: Id<"tenant">;
  id: Id<"tokenFamily">;
  userId: Id<"user">;
  clientId: Id<"client">;
  sessionId: Id<"session"> | null;
  scope: readonly string[];
  resources?: readonly string[];
  claims?: string | null;
  dpopJkt?: string | null;
  offline: boolean;
  withRefreshToken: boolean;
  /** How long the family lives when nobody refreshes it. */
  lifetimeSeconds: number;
  now: Date;
}

/** What is stored of a family that an authorization's tokens descend from, and its first refresh token if it is to have one. */
export function newFamily({ withRefreshToken, lifetimeSeconds, now, ...record }: NewFamily) {
  const expiresAt = addSeconds(now, lifetimeSeconds);
  const id = newId("refreshToken");
  const refresh = withRefreshToken ? newSecretToken(id) : undefined;
  const scope = [...record.scope];
  return {
    family: { ...record, scope, resources: [...(record.resources ?? [])], createdAt: now, expiresAt },
    refreshToken: refresh && {
      tenantId: record.tenantId,
      id,
      familyId: record.id,
      hash: refresh.hash,
      scope,
      issuedAt: now,
      expiresAt,
    },
    token: refresh?.token,
  };
}
