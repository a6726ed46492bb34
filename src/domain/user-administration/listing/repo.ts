import { and, asc, count, desc, eq, gt, like, lt, not, type SQL, sql } from "drizzle-orm";
import { type Database, moment } from "../../../db/client.ts";
import { organizationMembers, roles, userEmails, users, userSearch } from "../../../db/schema/index.ts";
import { type Id, isId, uuidFromId } from "../../../lib/ids.ts";
import { COUNTED_AT_MOST, type PageRequest, pageOf, type PageResult } from "../../../lib/page.ts";
import { primaryEmail, userColumns } from "../../users/service.ts";
import type { AdministeredUser } from "../service.ts";

export type UserSort = "created_at" | "updated_at" | "username" | "email" | "last_login_at";

export interface UserFilter {
  readonly enabled?: boolean | undefined;
  /** By name; those who have it through a group, too. */
  readonly role?: string | undefined;
  /** A customer company that the users are members of. */
  readonly organizationId?: Id<"organization"> | undefined;
  readonly createdAfter?: Date | undefined;
  readonly createdBefore?: Date | undefined;
}

/** Who never signed in did so before everybody else; as the index says it. */
const lastLogin = sql`coalesce(${users.lastLoginAt}, '1970-01-01 00:00:00+00'::timestamptz)`;

const columns = {
  created_at: users.createdAt,
  updated_at: users.updatedAt,
  username: users.usernameKey,
  email: userSearch.emailKey,
  last_login_at: lastLogin,
};

const itsSearch = and(eq(userSearch.tenantId, users.tenantId), eq(userSearch.userId, users.id));

export async function listUsers(
  db: Database,
  tenantId: Id<"tenant">,
  filter: UserFilter,
  page: PageRequest<UserSort>,
): Promise<PageResult<AdministeredUser & { readonly emailKey: string }>> {
  const ofUsers = [
    filter.enabled === undefined ? undefined : filter.enabled ? sql`${users.enabled}` : not(users.enabled),
    filter.createdAfter && gt(users.createdAt, filter.createdAfter),
    filter.createdBefore && lt(users.createdAt, filter.createdBefore),
  ].filter((condition) => condition !== undefined);
  const matching = and(
    eq(userSearch.tenantId, tenantId),
    filter.role === undefined ? undefined : await hasRole(db, tenantId, filter.role),
    filter.organizationId && isMember(tenantId, filter.organizationId),
    page.search === undefined ? undefined : holds(page.search),
  );
  const counted = db.select({ id: userSearch.userId }).from(userSearch);
  // Without a join where none is needed: it would cost more than all the rest.
  const known =
    ofUsers.length === 0
      ? counted.where(matching)
      : counted.innerJoin(users, itsSearch).where(and(matching, eq(users.tenantId, tenantId), ...ofUsers));
  const direction = page.order === "asc" ? asc : desc;
  const [rows, [total]] = await Promise.all([
    db
      .select({ ...userColumns, lastLoginAt: users.lastLoginAt, emailKey: userSearch.emailKey })
      .from(users)
      .innerJoin(userSearch, itsSearch)
      .leftJoin(userEmails, primaryEmail)
      .where(and(eq(users.tenantId, tenantId), matching, ...ofUsers, following(page)))
      .orderBy(direction(columns[page.sort]), direction(users.id))
      .limit(page.limit + 1),
    db.select({ count: count() }).from(known.limit(COUNTED_AT_MOST).as("known")),
  ]);
  return pageOf(rows, page.limit, total?.count ?? 0);
}

function holds(search: string): SQL {
  const pattern = `%${search.replace(/[\\%_]/g, "\\$&")}%`;
  return like(userSearch.text, sql`lower(${pattern}::text)`);
}

/** The groups are looked up before: then the planner knows how few or many users it is about. */
async function hasRole(db: Database, tenantId: Id<"tenant">, name: string): Promise<SQL> {
  const tenant = uuidFromId("tenant", tenantId);
  const [role] = await db
    .select({ id: roles.id })
    .from(roles)
    .where(and(eq(roles.tenantId, tenantId), eq(roles.name, name)));
  if (!role) return sql`false`;
  const roleUuid = uuidFromId("role", role.id);
  const giving = await db.execute<{ id: string }>(sql`
    with recursive giving(id) as (
      select group_id from group_roles where tenant_id = ${tenant}::uuid and role_id = ${roleUuid}::uuid
      union
      select gg.member_id from group_groups gg join giving on giving.id = gg.group_id
        where gg.tenant_id = ${tenant}::uuid)
    select id from giving`);
  const itself = sql`select ur.user_id from user_roles ur
    where ur.tenant_id = ${tenant}::uuid and ur.role_id = ${roleUuid}::uuid`;
  if (giving.length === 0) return sql`${userSearch.userId} in (${itself})`;
  const groups = `{${giving.map(({ id }) => id).join(",")}}`;
  return sql`${userSearch.userId} in (${itself} union all select gu.user_id from group_users gu
    where gu.tenant_id = ${tenant}::uuid and gu.group_id = any(${groups}::uuid[]))`;
}

const isMember = (tenantId: Id<"tenant">, organizationId: Id<"organization">) =>
  sql`${userSearch.userId} in (select ${organizationMembers.userId} from ${organizationMembers}
    where ${organizationMembers.tenantId} = ${uuidFromId("tenant", tenantId)}::uuid
      and ${organizationMembers.organizationId} = ${uuidFromId("organization", organizationId)}::uuid)`;

function following({ after, sort, order }: PageRequest<UserSort>): SQL | undefined {
  if (!after || !isId("user", after.id)) return undefined;
  const uuid = sql`${uuidFromId("user", after.id)}::uuid`;
  const value = sort.endsWith("_at") ? moment(new Date(after.value)) : sql`${after.value}::text`;
  const id = sort === "email" ? userSearch.userId : users.id;
  return (order === "asc" ? gt : lt)(sql`(${columns[sort]}, ${id})`, sql`(${value}, ${uuid})`);
}
