import { eq } from "drizzle-orm";
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

export async function findRoles(
  executor: Executor,
  tenantId: Id<"tenant">,
): Promise<{ id: Id<"role">; name: string }[]> {
  return executor
    .select({ id: roles.id, name: roles.name })
    .from(roles)
    .where(eq(roles.tenantId, tenantId))
    .orderBy(roles.name);
}

/** Roles that the user has already change nothing. */
export async function insertUserRoles(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  roleIds: readonly Id<"role">[],
  now: Date,
): Promise<void> {
  await executor
    .insert(userRoles)
    .values(roleIds.map((roleId) => ({ tenantId, userId, roleId, createdAt: now })))
    .onConflictDoNothing();
}
