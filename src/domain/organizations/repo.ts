import { and, asc, eq } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import { organizations } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";

export type Organization = typeof organizations.$inferSelect;

export async function insertOrganization(
  executor: Executor,
  organization: typeof organizations.$inferInsert,
): Promise<void> {
  await executor.insert(organizations).values(organization);
}

export async function findOrganization(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"organization">,
): Promise<Organization | undefined> {
  const [row] = await executor
    .select()
    .from(organizations)
    .where(and(eq(organizations.tenantId, tenantId), eq(organizations.id, id)));
  return row;
}

/** By slug. */
export async function listOrganizations(
  executor: Executor,
  tenantId: Id<"tenant">,
  limit: number,
): Promise<Organization[]> {
  return executor
    .select()
    .from(organizations)
    .where(eq(organizations.tenantId, tenantId))
    .orderBy(asc(organizations.slug))
    .limit(limit);
}

export async function setScimMapping(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"organization">,
  mapping: Record<string, string>,
  now: Date,
): Promise<void> {
  await executor
    .update(organizations)
    .set({ scimAttributeMappings: mapping, updatedAt: now })
    .where(and(eq(organizations.tenantId, tenantId), eq(organizations.id, id)));
}
