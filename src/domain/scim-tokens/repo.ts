import { and, desc, eq, isNull, lt, or, type SQL } from "drizzle-orm";
import { type Database, type Executor, parameter, prepared } from "../../db/client.ts";
import { organizations, scimTokens } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";

export type ScimTokenRow = typeof scimTokens.$inferSelect;

const byId = prepared((db) =>
  db
    .select({ token: scimTokens, mapping: organizations.scimAttributeMappings })
    .from(scimTokens)
    .leftJoin(
      organizations,
      and(eq(organizations.tenantId, scimTokens.tenantId), eq(organizations.id, scimTokens.organizationId)),
    )
    .where(
      and(
        eq(scimTokens.tenantId, parameter(scimTokens.tenantId, "tenantId")),
        eq(scimTokens.id, parameter(scimTokens.id, "id")),
      ),
    )
    .prepare("scim_token_by_id"),
);

export async function findToken(
  db: Database,
  tenantId: Id<"tenant">,
  id: Id<"scimToken">,
): Promise<{ token: ScimTokenRow; mapping: Record<string, string> | null } | undefined> {
  const [row] = await byId(db).execute({ tenantId, id });
  return row;
}

export async function insertToken(executor: Executor, row: typeof scimTokens.$inferInsert): Promise<void> {
  await executor.insert(scimTokens).values(row);
}

/** Those of the organization, or those of the tenant as a whole, newest first. */
export async function listTokens(
  executor: Executor,
  tenantId: Id<"tenant">,
  organizationId: Id<"organization"> | null,
): Promise<ScimTokenRow[]> {
  return executor
    .select()
    .from(scimTokens)
    .where(and(eq(scimTokens.tenantId, tenantId), ofOrganization(organizationId)))
    .orderBy(desc(scimTokens.createdAt), desc(scimTokens.id));
}

const ofOrganization = (organizationId: Id<"organization"> | null): SQL | undefined =>
  organizationId === null ? isNull(scimTokens.organizationId) : eq(scimTokens.organizationId, organizationId);

/** @returns the token as it is now; undefined when there is none of the organization's. */
export async function revokeToken(
  executor: Executor,
  token: { tenantId: Id<"tenant">; organizationId: Id<"organization"> | null; id: Id<"scimToken"> },
  now: Date,
): Promise<{ token: ScimTokenRow; changed: boolean } | undefined> {
  const own = and(
    eq(scimTokens.tenantId, token.tenantId),
    eq(scimTokens.id, token.id),
    ofOrganization(token.organizationId),
  );
  const [revoked] = await executor
    .update(scimTokens)
    .set({ revokedAt: now })
    .where(and(own, isNull(scimTokens.revokedAt)))
    .returning();
  if (revoked) return { token: revoked, changed: true };
  const [before] = await executor.select().from(scimTokens).where(own);
  return before && { token: before, changed: false };
}

/** Writes at most once in `everySeconds`: a provisioning client asks hundreds of times in a minute. */
export async function touchToken(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"scimToken">,
  moments: { now: Date; before: Date },
): Promise<void> {
  await executor
    .update(scimTokens)
    .set({ lastUsedAt: moments.now })
    .where(
      and(
        eq(scimTokens.tenantId, tenantId),
        eq(scimTokens.id, id),
        or(isNull(scimTokens.lastUsedAt), lt(scimTokens.lastUsedAt, moments.before)),
      ),
    );
}
