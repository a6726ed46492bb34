import type { Executor } from "../../db/client.ts";
import { addSeconds } from "../../lib/clock.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { newSecretToken } from "../../lib/secret-token.ts";
import * as repo from "./repo.ts";

/**
 * Opens the family that an authorization's tokens descend from, in the caller's transaction.
 * @returns its first refresh token, if it is to have one
 */
export async function openFamily(
  executor: Executor,
  family: {
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
  },
): Promise<string | undefined> {
  const { withRefreshToken, lifetimeSeconds, now, ...record } = family;
  const expiresAt = addSeconds(now, lifetimeSeconds);
  const id = newId("refreshToken");
  const refresh = withRefreshToken ? newSecretToken(id) : undefined;
  const scope = [...family.scope];
  await repo.insertFamily(
    executor,
    { ...record, scope, resources: [...(family.resources ?? [])], createdAt: now, expiresAt },
    refresh && {
      tenantId: family.tenantId,
      id,
      familyId: family.id,
      hash: refresh.hash,
      scope,
      issuedAt: now,
      expiresAt,
    },
  );
  return refresh?.token;
}
