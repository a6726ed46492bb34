import { and, eq, inArray } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import { groupRoles, groups, roles } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";

export async function lockGroup(
  executor: Executor,
  tenantId: Id<"tenant">,
  groupId: Id<"group">,
): Promise<boolean> {
  const rows = await executor
    .select({ id: groups.id })
    .from(groups)
    .where(and(eq(groups.tenantId, tenantId), eq(groups.id, groupId)))
    .for("no key update");
  return rows.length > 0;
}

export async function findRolesOfGroup(
  executor: Executor,
  tenantId: Id<"tenant">,
  groupId: Id<"group">,
): Promise<{ id: Id<"role">; name: string }[]> {
  return executor
    .select({ id: roles.id, name: roles.name })
    .from(groupRoles)
    .innerJoin(roles, and(eq(roles.tenantId, groupRoles.tenantId), eq(roles.id, groupRoles.roleId)))
    .where(and(eq(groupRoles.tenantId, tenantId), eq(groupRoles.groupId, groupId)))
    .orderBy(roles.name);
}

export async function changeRolesOfGroup(
  executor: Executor,
  group: { tenantId: Id<"tenant">; groupId: Id<"group"> },
  changes: { added: readonly Id<"role">[]; removed: readonly Id<"role">[]; now: Date },
): Promise<void> {
  const { tenantId, groupId } = group;
  const { added, removed, now } = changes;
  if (removed.length > 0)
    await executor
      .delete(groupRoles)
      .where(
        and(
          eq(groupRoles.tenantId, tenantId),
          eq(groupRoles.groupId, groupId),
          inArray(groupRoles.roleId, [...removed]),
        ),
      );
  if (added.length > 0)
    await executor
      .insert(groupRoles)
      .values(added.map((roleId) => ({ tenantId, groupId, roleId, createdAt: now })));
}
