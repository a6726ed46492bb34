import { and, eq, inArray } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import { roles, userRoles } from "../../db/schema/index.ts";
import { type Id, newId } from "../../lib/ids.ts";

export async function insertRoles(
  executor: Executor,
  tenantId: Id<"tenant">,
  described: Readonly<Record<string, string>>,
  now: Date,
): Promise<void> {
  await executor.insert(roles).values(
    Object.entries(described).map(([name, description]) => ({
      tenantId,
      id: newId("role"),
      name,
      description,
      createdAt: now,
    })),
  );
}

/** Roles that the user has already, or that do not exist, change nothing. */
export async function insertUserRoles(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  names: readonly string[],
  now: Date,
): Promise<void> {
  const found = await executor
    .select({ roleId: roles.id })
    .from(roles)
    .where(and(eq(roles.tenantId, tenantId), inArray(roles.name, [...names])));
  if (found.length === 0) return;
  await executor
    .insert(userRoles)
    .values(found.map(({ roleId }) => ({ tenantId, userId, roleId, createdAt: now })))
    .onConflictDoNothing();
}
