import { and, eq, sql, type SQL } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import { groups, scimExternalIds } from "../../db/schema/index.ts";
import { type Id, idFromUuid, uuidFromId } from "../../lib/ids.ts";
import { type Scope, scopeKey } from "../scim-users/service.ts";

export interface ScimGroup {
  readonly id: Id<"group">;
  readonly displayName: string;
  readonly externalId: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface Member {
  readonly id: Id<"user"> | Id<"group">;
  readonly display: string;
}

/** From 1. */
export interface MemberPage {
  readonly startIndex: number;
  readonly count: number;
}

type Row = {
  id: string;
  display_name: string;
  external_id: string | null;
  created_at: string;
  updated_at: string;
};

const columns = (scope: Scope) => sql`g.id, g.display_name, g.created_at, g.updated_at,
  (select x.external_id from scim_external_ids x
    where x.tenant_id = g.tenant_id and x.group_id = g.id and x.scope = ${scopeKey(scope)}) as external_id`;

function visible({ tenantId, organizationId }: Scope): SQL {
  const inTenant = sql`g.tenant_id = ${uuidFromId("tenant", tenantId)}::uuid`;
  return organizationId === null
    ? inTenant
    : sql`${inTenant} and g.organization_id = ${uuidFromId("organization", organizationId)}::uuid`;
}

const toGroup = (row: Row): ScimGroup => ({
  id: idFromUuid("group", row.id),
  displayName: row.display_name,
  externalId: row.external_id,
  createdAt: new Date(row.created_at),
  updatedAt: new Date(row.updated_at),
});

export async function findGroup(
  executor: Executor,
  scope: Scope,
  id: Id<"group">,
  { lock }: { lock: boolean } = { lock: false },
): Promise<ScimGroup | undefined> {
  const [row] = await executor.execute<Row>(sql`select ${columns(scope)} from groups g
    where ${visible(scope)} and g.id = ${uuidFromId("group", id)}::uuid ${lock ? sql`for no key update` : sql``}`);
  return row && toGroup(row);
}

/** The order that pages by cursor come in. */
export const byId = sql`g.id`;

export async function findPage(
  executor: Executor,
  scope: Scope,
  page: {
    condition: SQL | undefined;
    order: SQL;
    limit: number;
    offset: number;
    after?: Id<"group"> | undefined;
  },
): Promise<ScimGroup[]> {
  const { condition, after } = page;
  const rows = await executor.execute<Row>(sql`select ${columns(scope)} from groups g
    where ${visible(scope)} ${condition ? sql`and ${condition}` : sql``}
      ${after ? sql`and g.id > ${uuidFromId("group", after)}::uuid` : sql``}
    order by ${page.order} limit ${page.limit} offset ${page.offset}`);
  return rows.map(toGroup);
}

export async function countGroups(
  executor: Executor,
  scope: Scope,
  condition: SQL | undefined,
): Promise<number> {
  const rows = await executor.execute<{ total: string }>(
    sql`select count(*) as total from groups g where ${visible(scope)} ${condition ? sql`and ${condition}` : sql``}`,
  );
  return Number(rows[0]?.total ?? 0);
}

/** The members of all the groups, in one round trip. @param page of them all, in the order of kinds and ids */
export async function findMembers(
  executor: Executor,
  tenantId: Id<"tenant">,
  groupIds: readonly Id<"group">[],
  page?: MemberPage,
): Promise<ReadonlyMap<Id<"group">, Member[]>> {
  const members = new Map<Id<"group">, Member[]>();
  if (groupIds.length === 0) return members;
  const tenant = uuidFromId("tenant", tenantId);
  const ids = groupIds.map((id) => uuidFromId("group", id));
  const rows = await executor.execute<{
    group_id: string;
    id: string;
    display: string;
    kind: "user" | "group";
  }>(sql`
    select gu.group_id, u.id, u.username as display, 'user' as kind
    from group_users gu join users u on u.tenant_id = gu.tenant_id and u.id = gu.user_id
    where gu.tenant_id = ${tenant}::uuid and gu.group_id in ${ids}
    union all
    select gg.group_id, g.id, g.display_name, 'group'
    from group_groups gg join groups g on g.tenant_id = gg.tenant_id and g.id = gg.member_id
    where gg.tenant_id = ${tenant}::uuid and gg.group_id in ${ids}
    order by 4 desc, 2 ${page ? sql`limit ${page.count} offset ${page.startIndex - 1}` : sql``}`);
  for (const row of rows) {
    const groupId = idFromUuid("group", row.group_id);
    const list = members.get(groupId) ?? [];
    list.push({ id: idFromUuid(row.kind, row.id), display: row.display });
    members.set(groupId, list);
  }
  return members;
}

export async function insertGroup(
  executor: Executor,
  scope: Scope,
  group: { id: Id<"group">; displayName: string; now: Date },
): Promise<void> {
  const { id, displayName, now } = group;
  await executor.insert(groups).values({ ...scope, id, displayName, createdAt: now, updatedAt: now });
}

export async function updateGroup(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"group">,
  changes: { displayName?: string | undefined; now: Date },
): Promise<void> {
  const { displayName, now } = changes;
  await executor
    .update(groups)
    .set({ updatedAt: now, ...(displayName === undefined ? {} : { displayName }) })
    .where(and(eq(groups.tenantId, tenantId), eq(groups.id, id)));
}

export async function setExternalId(
  executor: Executor,
  scope: Scope,
  groupId: Id<"group">,
  externalId: string | null,
): Promise<void> {
  const { tenantId } = scope;
  const key = scopeKey(scope);
  if (externalId !== null) {
    await executor
      .insert(scimExternalIds)
      .values({ tenantId, scope: key, resourceType: "Group", externalId, groupId })
      .onConflictDoUpdate({
        target: [scimExternalIds.tenantId, scimExternalIds.groupId, scimExternalIds.scope],
        set: { externalId },
      });
    return;
  }
  await executor
    .delete(scimExternalIds)
    .where(
      and(
        eq(scimExternalIds.tenantId, tenantId),
        eq(scimExternalIds.scope, key),
        eq(scimExternalIds.groupId, groupId),
      ),
    );
}

export async function deleteGroup(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"group">,
): Promise<void> {
  await executor.delete(groups).where(and(eq(groups.tenantId, tenantId), eq(groups.id, id)));
}
