/** Changes of memberships by whole sets, so that fifty thousand members cost a few statements. */
import { type SQL, sql } from "drizzle-orm";
import { type Executor, moment } from "../../../db/client.ts";
import { type Id, uuidFromId } from "../../../lib/ids.ts";

export interface MemberIds {
  readonly users: readonly Id<"user">[];
  readonly groups: readonly Id<"group">[];
}

interface Membership {
  readonly tenantId: Id<"tenant">;
  /** Whose users and groups may become members. */
  readonly organizationId: Id<"organization"> | null;
  readonly groupId: Id<"group">;
}

/** One parameter for a list of any length. */
const uuids = (ids: readonly string[]): SQL => sql`${`{${ids.join(",")}}`}::uuid[]`;
const userUuids = (ids: readonly Id<"user">[]) => uuids(ids.map((id) => uuidFromId("user", id)));
const groupUuids = (ids: readonly Id<"group">[]) => uuids(ids.map((id) => uuidFromId("group", id)));

/** How many of the ids are there for this client to see. */
export async function countVisible(
  executor: Executor,
  { tenantId, organizationId }: Membership,
  members: MemberIds,
): Promise<number> {
  const tenant = uuidFromId("tenant", tenantId);
  const organization = organizationId && uuidFromId("organization", organizationId);
  const managed = organization
    ? sql`and exists (select 1 from scim_users s where s.tenant_id = u.tenant_id and s.user_id = u.id
        and s.organization_id = ${organization}::uuid)`
    : sql``;
  const own = organization ? sql`and g.organization_id = ${organization}::uuid` : sql``;
  const rows = await executor.execute<{ known: string }>(sql`select
    (select count(*) from users u where u.tenant_id = ${tenant}::uuid and u.id = any(${userUuids(members.users)}) ${managed})
    + (select count(*) from groups g where g.tenant_id = ${tenant}::uuid and g.id = any(${groupUuids(members.groups)}) ${own})
    as known`);
  return Number(rows[0]?.known ?? 0);
}

/** @returns how many became members. */
export async function add(
  executor: Executor,
  { tenantId, groupId }: Membership,
  members: MemberIds,
  now: Date,
): Promise<number> {
  const tenant = uuidFromId("tenant", tenantId);
  const group = uuidFromId("group", groupId);
  const rows = await executor.execute<{ added: string }>(sql`
    with added_users as (
      insert into group_users (tenant_id, group_id, user_id, created_at)
      select ${tenant}::uuid, ${group}::uuid, id, ${moment(now)} from unnest(${userUuids(members.users)}) id
      on conflict do nothing returning 1),
    added_groups as (
      insert into group_groups (tenant_id, group_id, member_id, created_at)
      select ${tenant}::uuid, ${group}::uuid, id, ${moment(now)} from unnest(${groupUuids(members.groups)}) id
      on conflict do nothing returning 1)
    select (select count(*) from added_users) + (select count(*) from added_groups) as added`);
  return Number(rows[0]?.added ?? 0);
}

/** @returns how many are no members any more. */
export async function remove(
  executor: Executor,
  membership: Membership,
  members: MemberIds,
): Promise<number> {
  const { users, groups } = members;
  return removeWhere(
    executor,
    membership,
    sql`user_id = any(${userUuids(users)})`,
    sql`member_id = any(${groupUuids(groups)})`,
  );
}

/** Leaves no other members. @returns how many are no members any more. */
export async function removeOthers(
  executor: Executor,
  membership: Membership,
  members: MemberIds,
): Promise<number> {
  const { users, groups } = members;
  return removeWhere(
    executor,
    membership,
    sql`not (user_id = any(${userUuids(users)}))`,
    sql`not (member_id = any(${groupUuids(groups)}))`,
  );
}

async function removeWhere(
  executor: Executor,
  { tenantId, groupId }: Membership,
  user: SQL,
  group: SQL,
): Promise<number> {
  const of = sql`tenant_id = ${uuidFromId("tenant", tenantId)}::uuid and group_id = ${uuidFromId("group", groupId)}::uuid`;
  const rows = await executor.execute<{ removed: string }>(sql`
    with removed_users as (delete from group_users where ${of} and ${user} returning 1),
    removed_groups as (delete from group_groups where ${of} and ${group} returning 1)
    select (select count(*) from removed_users) + (select count(*) from removed_groups) as removed`);
  return Number(rows[0]?.removed ?? 0);
}
