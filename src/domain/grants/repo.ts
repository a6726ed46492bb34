import { and, desc, eq, inArray, isNull, sql } from "drizzle-orm";
import type { Database, Executor } from "../../db/client.ts";
import {
  authorizationCodes,
  clients,
  deviceAuthorizations,
  grants,
  tokenFamilies,
} from "../../db/schema/index.ts";
import { type Id, newId } from "../../lib/ids.ts";

export async function findGrant(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  clientId: Id<"client">,
): Promise<{ scopes: string[]; resources: string[] } | undefined> {
  const [grant] = await executor
    .select({ scopes: grants.scopes, resources: grants.resources })
    .from(grants)
    .where(and(eq(grants.tenantId, tenantId), eq(grants.userId, userId), eq(grants.clientId, clientId)));
  return grant;
}

/** Adds scopes and resources to what the user granted before, or makes the grant. */
export async function upsertGrant(
  executor: Executor,
  grant: {
    tenantId: Id<"tenant">;
    userId: Id<"user">;
    clientId: Id<"client">;
    scopes: readonly string[];
    resources: readonly string[];
    now: Date;
  },
): Promise<void> {
  const { now, scopes, resources, ...key } = grant;
  await executor
    .insert(grants)
    .values({
      ...key,
      id: newId("grant"),
      scopes: [...scopes],
      resources: [...resources],
      createdAt: now,
      updatedAt: now,
    })
    .onConflictDoUpdate({
      target: [grants.tenantId, grants.userId, grants.clientId],
      set: {
        scopes: sql`array(select distinct unnest(${grants.scopes} || excluded.scopes) order by 1)`,
        resources: sql`array(select distinct unnest(${grants.resources} || excluded.resources) order by 1)`,
        updatedAt: now,
      },
    });
}

export interface GrantRow {
  readonly id: Id<"grant">;
  readonly clientName: string;
  readonly clientUri: string | null;
  readonly logoUri: string | null;
  readonly scopes: readonly string[];
  readonly createdAt: Date;
  /** When the client last got a token by it; null when it never did, or too long ago to be known. */
  readonly lastUsedAt: Date | null;
}

/** The newest first. */
export async function findGrants(
  db: Database,
  user: { tenantId: Id<"tenant">; id: Id<"user"> },
  limit: number,
): Promise<GrantRow[]> {
  const rows = await db
    .select({
      id: grants.id,
      clientName: clients.name,
      clientUri: clients.clientUri,
      logoUri: clients.logoUri,
      scopes: grants.scopes,
      createdAt: grants.createdAt,
      lastUsedAt: sql<string | null>`(select max(greatest(family.created_at,
          (select max(token.issued_at) from refresh_tokens token
            where token.tenant_id = family.tenant_id and token.family_id = family.id)))
        from token_families family
        where family.tenant_id = ${grants}.tenant_id and family.user_id = ${grants}.user_id
          and family.client_id = ${grants}.client_id)`,
    })
    .from(grants)
    .innerJoin(clients, and(eq(clients.tenantId, grants.tenantId), eq(clients.id, grants.clientId)))
    .where(and(eq(grants.tenantId, user.tenantId), eq(grants.userId, user.id)))
    .orderBy(desc(grants.createdAt), desc(grants.id))
    .limit(limit);
  return rows.map((row) => ({ ...row, lastUsedAt: row.lastUsedAt ? new Date(row.lastUsedAt) : null }));
}

/** @returns the client it was given to; undefined when the user has no such grant. */
export async function deleteGrant(
  executor: Executor,
  grant: { tenantId: Id<"tenant">; userId: Id<"user">; id: Id<"grant"> },
): Promise<Id<"client"> | undefined> {
  const [deleted] = await executor
    .delete(grants)
    .where(and(eq(grants.tenantId, grant.tenantId), eq(grants.userId, grant.userId), eq(grants.id, grant.id)))
    .returning({ clientId: grants.clientId });
  return deleted?.clientId;
}

interface OfUserAndClient {
  readonly tenantId: Id<"tenant">;
  readonly userId: Id<"user">;
  readonly clientId: Id<"client">;
}

/**
 * Takes away what the client could still exchange for tokens: codes on their way, and devices that were approved. An
 * exchange that is under way either loses its row here, or has made its family by the time this returns.
 */
export async function withdrawPending(executor: Executor, of: OfUserAndClient): Promise<void> {
  const { tenantId, userId, clientId } = of;
  await executor
    .delete(authorizationCodes)
    .where(
      and(
        eq(authorizationCodes.tenantId, tenantId),
        eq(authorizationCodes.clientId, clientId),
        eq(authorizationCodes.userId, userId),
        isNull(authorizationCodes.consumedAt),
      ),
    );
  await executor
    .update(deviceAuthorizations)
    .set({ status: "denied" })
    .where(
      and(
        eq(deviceAuthorizations.tenantId, tenantId),
        eq(deviceAuthorizations.clientId, clientId),
        eq(deviceAuthorizations.userId, userId),
        eq(deviceAuthorizations.status, "approved"),
        isNull(deviceAuthorizations.consumedAt),
      ),
    );
}

/** Ends every token that the client has of the user. @returns how many families it was. */
export async function revokeFamilies(executor: Executor, of: OfUserAndClient, now: Date): Promise<number> {
  const { tenantId, userId, clientId } = of;
  // In one order, whoever else revokes several at once.
  const live = executor
    .select({ id: tokenFamilies.id })
    .from(tokenFamilies)
    .where(
      and(
        eq(tokenFamilies.tenantId, tenantId),
        eq(tokenFamilies.userId, userId),
        eq(tokenFamilies.clientId, clientId),
        isNull(tokenFamilies.revokedAt),
      ),
    )
    .orderBy(tokenFamilies.id)
    .for("update");
  const revoked = await executor
    .update(tokenFamilies)
    .set({ revokedAt: now, revokedReason: "grant_revoked" })
    .where(and(eq(tokenFamilies.tenantId, tenantId), inArray(tokenFamilies.id, live)))
    .returning({ id: tokenFamilies.id });
  return revoked.length;
}
