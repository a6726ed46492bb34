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

/**
 * Which of the roles some user has who is enabled and stays: itself, or through a group, however deep. Who has asked for
 * their account to be deleted is not to be counted on.
 */
export async function findRolesHeld(executor: Executor, tenantId: Id<"tenant">): Promise<string[]> {
  const tenant = uuidFromId("tenant", tenantId);
  const stays = sql`u.enabled and not exists (select 1 from account_deletions d
    where d.tenant_id = u.tenant_id and d.user_id = u.id and d.cancelled_at is null and d.erased_at is null)`;
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
        where ur.tenant_id = r.tenant_id and ur.role_id = r.id and ${stays})
      or exists (select 1 from giving
        join group_users gu on gu.tenant_id = r.tenant_id and gu.group_id = giving.group_id
        join users u on u.tenant_id = gu.tenant_id and u.id = gu.user_id
        where giving.role_id = r.id and ${stays}))`);
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

/** @returns whether somebody has the role, itself or through a group, whose account is linked to the connection. */
export async function holdsRoleAmongLinked(
  executor: Executor,
  tenantId: Id<"tenant">,
  connectionId: Id<"connection">,
  role: string,
): Promise<boolean> {
  const tenant = uuidFromId("tenant", tenantId);
  const rows = await executor.execute(sql`
    with recursive the_role as (
      select id from roles where tenant_id = ${tenant}::uuid and name = ${role}),
    giving(group_id) as (
      select group_id from group_roles where tenant_id = ${tenant}::uuid and role_id in (select id from the_role)
      union
      select gg.member_id from group_groups gg join giving on giving.group_id = gg.group_id
        where gg.tenant_id = ${tenant}::uuid),
    holders(user_id) as (
      select user_id from user_roles where tenant_id = ${tenant}::uuid and role_id in (select id from the_role)
      union
      select gu.user_id from group_users gu join giving on giving.group_id = gu.group_id
        where gu.tenant_id = ${tenant}::uuid)
    select 1 from external_accounts ea join holders on holders.user_id = ea.user_id
    where ea.tenant_id = ${tenant}::uuid
      and ea.connection_id = ${uuidFromId("connection", connectionId)}::uuid limit 1`);
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
