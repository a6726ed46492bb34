import { and, asc, count, desc, eq, gt, isNull, like, lt, type SQL, sql } from "drizzle-orm";
import { type Database, type Executor, moment } from "../../db/client.ts";
import { groups, groupUsers, users } from "../../db/schema/index.ts";
import { type Id, isId, uuidFromId } from "../../lib/ids.ts";
import { COUNTED_AT_MOST, type PageRequest, pageOf, type PageResult } from "../../lib/page.ts";

type Tenant = Id<"tenant">;

export interface Group {
  readonly id: Id<"group">;
  readonly organizationId: Id<"organization"> | null;
  readonly displayName: string;
  /** Names of the roles that it gives. */
  readonly roles: readonly string[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const columns = {
  id: groups.id,
  organizationId: groups.organizationId,
  displayName: groups.displayName,
  roles: sql<string[]>`array(select r.name from group_roles gr
    join roles r on r.tenant_id = gr.tenant_id and r.id = gr.role_id
    where gr.tenant_id = groups.tenant_id and gr.group_id = groups.id order by r.name)`,
  createdAt: groups.createdAt,
  updatedAt: groups.updatedAt,
};

export async function insertGroup(executor: Executor, group: typeof groups.$inferInsert): Promise<void> {
  await executor.insert(groups).values(group);
}

export async function findGroup(
  executor: Executor,
  tenantId: Tenant,
  id: Id<"group">,
): Promise<Group | undefined> {
  const [group] = await executor
    .select(columns)
    .from(groups)
    .where(and(eq(groups.tenantId, tenantId), eq(groups.id, id)));
  return group;
}

/** Keeps others from changing the group until the transaction ends. @returns when it was last changed */
export async function lockGroup(
  executor: Executor,
  tenantId: Tenant,
  id: Id<"group">,
): Promise<Date | undefined> {
  const [row] = await executor
    .select({ updatedAt: groups.updatedAt })
    .from(groups)
    .where(and(eq(groups.tenantId, tenantId), eq(groups.id, id)))
    .for("no key update");
  return row?.updatedAt;
}

export async function updateGroup(
  executor: Executor,
  tenantId: Tenant,
  id: Id<"group">,
  changes: { displayName?: string; updatedAt: Date },
): Promise<void> {
  await executor
    .update(groups)
    .set(changes)
    .where(and(eq(groups.tenantId, tenantId), eq(groups.id, id)));
}

export async function deleteGroup(executor: Executor, tenantId: Tenant, id: Id<"group">): Promise<void> {
  await executor.delete(groups).where(and(eq(groups.tenantId, tenantId), eq(groups.id, id)));
}

/** Groups of the tenant itself, not of a customer company. */
export async function findTenantGroups(executor: Executor, tenantId: Tenant): Promise<Group[]> {
  return executor
    .select(columns)
    .from(groups)
    .where(and(eq(groups.tenantId, tenantId), isNull(groups.organizationId)))
    .orderBy(groups.displayName, groups.id);
}

export type GroupSort = "created_at" | "name";

/** @param page whose `after.value` is a moment for created_at */
export async function listGroups(
  db: Database,
  tenantId: Tenant,
  page: PageRequest<GroupSort>,
): Promise<PageResult<Group>> {
  const pattern = page.search && `%${page.search.replace(/[\\%_]/g, "\\$&")}%`;
  const matching = and(
    eq(groups.tenantId, tenantId),
    pattern === undefined ? undefined : like(sql`lower(${groups.displayName})`, sql`lower(${pattern}::text)`),
  );
  const column = page.sort === "name" ? groups.displayName : groups.createdAt;
  const direction = page.order === "asc" ? asc : desc;
  const [rows, [counted]] = await Promise.all([
    db
      .select(columns)
      .from(groups)
      .where(and(matching, following(page)))
      .orderBy(direction(column), direction(groups.id))
      .limit(page.limit + 1),
    db
      .select({ total: count() })
      .from(db.select({ id: groups.id }).from(groups).where(matching).limit(COUNTED_AT_MOST).as("matching")),
  ]);
  return pageOf(rows, page.limit, counted?.total ?? 0);
}

function following({ after, sort, order }: PageRequest<GroupSort>): SQL | undefined {
  if (!after || !isId("group", after.id)) return undefined;
  const uuid = sql`${uuidFromId("group", after.id)}::uuid`;
  const beyond = order === "asc" ? gt : lt;
  return sort === "name"
    ? beyond(sql`(${groups.displayName}, ${groups.id})`, sql`(${after.value}::text, ${uuid})`)
    : beyond(sql`(${groups.createdAt}, ${groups.id})`, sql`(${moment(new Date(after.value))}, ${uuid})`);
}

export interface Member {
  readonly id: Id<"user">;
  readonly username: string;
  readonly usernameKey: string;
  readonly since: Date;
}

const isMember = (tenantId: Tenant, groupId: Id<"group">) =>
  and(eq(groupUsers.tenantId, tenantId), eq(groupUsers.groupId, groupId));

/** The users who are in the group directly, by their names. */
export async function listMembers(
  db: Database,
  tenantId: Tenant,
  groupId: Id<"group">,
  page: PageRequest<"username">,
): Promise<PageResult<Member>> {
  const direction = page.order === "asc" ? asc : desc;
  const beyond = page.order === "asc" ? gt : lt;
  const pattern = page.search && `%${page.search.replace(/[\\%_]/g, "\\$&")}%`;
  const matching = and(
    isMember(tenantId, groupId),
    pattern === undefined ? undefined : like(users.usernameKey, sql`lower(${pattern}::text)`),
  );
  const itself = and(eq(users.tenantId, groupUsers.tenantId), eq(users.id, groupUsers.userId));
  const [rows, [counted]] = await Promise.all([
    db
      .select({
        id: users.id,
        username: users.username,
        usernameKey: users.usernameKey,
        since: groupUsers.createdAt,
      })
      .from(groupUsers)
      .innerJoin(users, itself)
      .where(and(matching, page.after && beyond(users.usernameKey, page.after.value)))
      .orderBy(direction(users.usernameKey))
      .limit(page.limit + 1),
    db
      .select({ total: count() })
      .from(
        db
          .select({ id: groupUsers.userId })
          .from(groupUsers)
          .innerJoin(users, itself)
          .where(matching)
          .limit(COUNTED_AT_MOST)
          .as("matching"),
      ),
  ]);
  return pageOf(rows, page.limit, counted?.total ?? 0);
}

export async function isUser(executor: Executor, tenantId: Tenant, userId: Id<"user">): Promise<boolean> {
  const rows = await executor
    .select({ id: users.id })
    .from(users)
    .where(and(eq(users.tenantId, tenantId), eq(users.id, userId)));
  return rows.length > 0;
}

/** @returns whether the user was no member before */
export async function insertMember(
  executor: Executor,
  member: typeof groupUsers.$inferInsert,
): Promise<boolean> {
  const rows = await executor
    .insert(groupUsers)
    .values(member)
    .onConflictDoNothing()
    .returning({ id: groupUsers.userId });
  return rows.length > 0;
}

/** @returns whether the user was a member */
export async function deleteMember(
  executor: Executor,
  tenantId: Tenant,
  groupId: Id<"group">,
  userId: Id<"user">,
): Promise<boolean> {
  const rows = await executor
    .delete(groupUsers)
    .where(and(isMember(tenantId, groupId), eq(groupUsers.userId, userId)))
    .returning({ id: groupUsers.userId });
  return rows.length > 0;
}
