import { and, eq, inArray, sql } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import { roles } from "../../db/schema/index.ts";
import { type Id, uuidFromId } from "../../lib/ids.ts";

/** Lets one change at a time say who administers the tenant: until the transaction ends. */
export async function lockAdministration(executor: Executor, tenantId: Id<"tenant">): Promise<void> {
  await executor
    .select({ id: roles.id })
    .from(roles)
    .where(and(eq(roles.tenantId, tenantId), inArray(roles.name, ["admin", "super_admin"])))
    .orderBy(roles.name)
    .for("no key update");
}

/** Which of the roles some enabled user has: itself, or through a group, however deep. */
export async function findRolesHeld(executor: Executor, tenantId: Id<"tenant">): Promise<string[]> {
  const tenant = uuidFromId("tenant", tenantId);
  const rows = await executor.execute<{ name: string }>(sql`
    with recursive giving(role_id, group_id) as (
      select gr.role_id, gr.group_id from group_roles gr
        join roles r on r.tenant_id = gr.tenant_id and r.id = gr.role_id and r.name in ('admin', 'super_admin')
        where gr.tenant_id = ${tenant}::uuid
      union
      select giving.role_id, gg.member_id from group_groups gg join giving on giving.group_id = gg.group_id
        where gg.tenant_id = ${tenant}::uuid)
    select r.name from roles r
    where r.tenant_id = ${tenant}::uuid and r.name in ('admin', 'super_admin') and (
      exists (select 1 from user_roles ur join users u on u.tenant_id = ur.tenant_id and u.id = ur.user_id
        where ur.tenant_id = r.tenant_id and ur.role_id = r.id and u.enabled)
      or exists (select 1 from giving
        join group_users gu on gu.tenant_id = r.tenant_id and gu.group_id = giving.group_id
        join users u on u.tenant_id = gu.tenant_id and u.id = gu.user_id
        where giving.role_id = r.id and u.enabled))`);
  return rows.map(({ name }) => name);
}

/** @returns whether the user has the role: itself, or through a group, however deep. */
export async function holdsRole(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  role: string,
): Promise<boolean> {
  const tenant = uuidFromId("tenant", tenantId);
  const user = uuidFromId("user", userId);
  const rows = await executor.execute(sql`
    with recursive held(id) as (
      select group_id from group_users where tenant_id = ${tenant}::uuid and user_id = ${user}::uuid
      union
      select gg.group_id from group_groups gg join held on held.id = gg.member_id
        where gg.tenant_id = ${tenant}::uuid)
    select 1 from roles r where r.tenant_id = ${tenant}::uuid and r.name = ${role} and (
      exists (select 1 from user_roles ur
        where ur.tenant_id = r.tenant_id and ur.user_id = ${user}::uuid and ur.role_id = r.id)
      or exists (select 1 from group_roles gr join held on held.id = gr.group_id
        where gr.tenant_id = r.tenant_id and gr.role_id = r.id))`);
  return rows.length > 0;
}

/** @returns whether the group's members have the role by being in it: from the group, or from one that it is in. */
export async function givesRole(
  executor: Executor,
  tenantId: Id<"tenant">,
  groupId: Id<"group">,
  role: string,
): Promise<boolean> {
  const tenant = uuidFromId("tenant", tenantId);
  const rows = await executor.execute(sql`
    with recursive holders(id) as (
      select ${uuidFromId("group", groupId)}::uuid
      union
      select gg.group_id from group_groups gg join holders h on gg.member_id = h.id
        where gg.tenant_id = ${tenant}::uuid)
    select 1 from roles r join group_roles gr on gr.tenant_id = r.tenant_id and gr.role_id = r.id
    where r.tenant_id = ${tenant}::uuid and r.name = ${role} and gr.group_id in (select id from holders) limit 1`);
  return rows.length > 0;
}
