import { and, asc, desc, eq, gt, like, lt, not, type SQL, sql } from "drizzle-orm";
import { type Database, type Executor, lookingUp, moment } from "../../../db/client.ts";
import { roles, userEmails, users, userSearch } from "../../../db/schema/index.ts";
import { type Id, isId, uuidFromId } from "../../../lib/ids.ts";
import { COUNTED_AT_MOST, type PageRequest, pageOf, type PageResult } from "../../../lib/page.ts";
import { primaryEmail, userColumns } from "../../users/service.ts";
import type { AdministeredUser } from "../service.ts";
import { foundAtMost, isCombined, type UserFilter, type UserSort } from "./model.ts";

/** Who never signed in did so before everybody else; as the index says it. */
const lastLogin = sql`coalesce(${users.lastLoginAt}, '1970-01-01 00:00:00+00'::timestamptz)`;

/**
 * What a page is ordered by: the value, and of equal ones the id.
 * @param chosen whether it is not everybody: then whom the page holds is decided where they are searched
 */
function placeIn(sort: UserSort, chosen: boolean) {
  switch (sort) {
    case "created_at":
      return chosen
        ? ([userSearch.createdAt, userSearch.userId] as const)
        : ([users.createdAt, users.id] as const);
    case "updated_at":
      return [users.updatedAt, users.id] as const;
    case "username":
      return [users.usernameKey, users.id] as const;
    case "email":
      return [userSearch.emailKey, userSearch.userId] as const;
    case "last_login_at":
      return [lastLogin, users.id] as const;
  }
}

const itsSearch = and(eq(userSearch.tenantId, users.tenantId), eq(userSearch.userId, users.id));

type Listed = AdministeredUser & { readonly emailKey: string };

export async function listUsers(
  db: Database,
  tenantId: Id<"tenant">,
  filter: UserFilter,
  page: PageRequest<UserSort>,
): Promise<PageResult<Listed>> {
  const asked = await conditionsOf(db, tenantId, filter, page.search);
  const { conditions, total } = isCombined(filter, page.search)
    ? await found(db, asked, foundAtMost(page.search))
    : { conditions: asked, total: undefined };
  const [rows, counted] = await Promise.all([
    findRows(db, conditions, page),
    total ?? countRows(db, conditions, COUNTED_AT_MOST),
  ]);
  return pageOf(rows, page.limit, counted);
}

/**
 * Looks once at what matches, and not for the page and for the total. Whoever is found, if they are few, is all that is
 * looked at from then on; if they are many, they are not far apart in any order.
 */
async function found(db: Database, asked: Conditions, most: number) {
  const find = (executor: Executor) => findIds(db, executor, asked, most);
  const few = await (asked.ofSet ? lookingUp(db, find) : find(db));
  const conditions: Conditions = few.length < most ? { ...asked, few } : asked;
  return { conditions, total: few.length };
}

/** The same without counting them: at most one more than the page holds. */
export async function findUsers(
  db: Database,
  tenantId: Id<"tenant">,
  filter: UserFilter,
  page: PageRequest<UserSort>,
): Promise<Listed[]> {
  return findRows(db, await conditionsOf(db, tenantId, filter, page.search), page);
}

/** Users, by a query for their ids. */
interface UserSet {
  readonly ids: SQL;
  /** Whether it gives nobody twice. */
  readonly distinct: boolean;
}

interface Conditions {
  readonly tenantId: Id<"tenant">;
  readonly ofUsers: readonly SQL[];
  /** Of those by whom they are searched. */
  readonly ofSearch: readonly SQL[];
  /** Who they are, if no other condition says so. */
  readonly only: UserSet | undefined;
  /** Whether they hold a role or are members of a company. */
  readonly ofSet: boolean;
  /** All who match, where that is known: uuids. */
  readonly few?: readonly string[];
}

async function conditionsOf(
  db: Database,
  tenantId: Id<"tenant">,
  filter: UserFilter,
  search: string | undefined,
): Promise<Conditions> {
  const given = <Condition>(conditions: (Condition | undefined)[]) =>
    conditions.filter((condition) => condition !== undefined);
  const ofStatus = given([
    filter.enabled === undefined ? undefined : filter.enabled ? sql`${users.enabled}` : not(users.enabled),
  ]);
  const sets = given([
    filter.role === undefined ? undefined : await roleHolders(db, tenantId, filter.role),
    filter.organizationId && membersOf(tenantId, filter.organizationId),
  ]);
  const chosen = given([
    ...sets.map(({ ids }) => sql`${userSearch.userId} in (${ids})`),
    search === undefined ? undefined : holds(search),
  ]);
  // Said of the table whose order the page is read in: of the other one, all up to the moment would be looked at in vain.
  const made = createdBetween(filter, chosen.length > 0 ? userSearch.createdAt : users.createdAt);
  const ofUsers = chosen.length > 0 ? ofStatus : [...ofStatus, ...made];
  const ofSearch = chosen.length > 0 ? [...chosen, ...made] : [];
  const only = made.length === 0 && search === undefined ? inAll(tenantId, sets, ofStatus) : undefined;
  return { tenantId, ofUsers, ofSearch, only, ofSet: sets.length > 0 };
}

const createdBetween = (
  { createdAfter, createdBefore }: UserFilter,
  column: typeof users.createdAt | typeof userSearch.createdAt,
): SQL[] => [
  ...(createdAfter ? [gt(column, createdAfter)] : []),
  ...(createdBefore ? [lt(column, createdBefore)] : []),
];

/** Those who are in each of the sets and of this status; undefined without any set. */
const inAll = (
  tenantId: Id<"tenant">,
  [first, ...others]: readonly UserSet[],
  ofStatus: readonly SQL[],
): UserSet | undefined =>
  first && {
    ids: sql`select one.user_id from (${first.ids}) as one(user_id) where true${sql.join([
      ...others.map(({ ids }) => sql` and one.user_id in (${ids})`),
      ...ofStatus.map(
        (status) => sql` and exists (select from users
          where users.tenant_id = ${uuidFromId("tenant", tenantId)}::uuid and users.id = one.user_id and ${status})`,
      ),
    ])}`,
    distinct: first.distinct,
  };

/** Whom the page holds is found first, without what is shown of them: however many are looked at, only these are read. */
async function findRows(
  db: Database,
  conditions: Conditions,
  page: PageRequest<UserSort>,
): Promise<Listed[]> {
  const { tenantId } = conditions;
  const direction = page.order === "asc" ? asc : desc;
  const [value, id] = placeIn(page.sort, false);
  const chosen = pageIds(db, conditions, page);
  return db
    .select({ ...userColumns, lastLoginAt: users.lastLoginAt, emailKey: userSearch.emailKey })
    .from(chosen)
    .innerJoin(users, and(eq(users.tenantId, tenantId), eq(users.id, chosen.id)))
    .innerJoin(userSearch, itsSearch)
    .leftJoin(userEmails, primaryEmail)
    .orderBy(direction(value), direction(id));
}

/** From one table, where that is enough. */
function pageIds(db: Database, conditions: Conditions, page: PageRequest<UserSort>) {
  const { tenantId, ofUsers, ofSearch, few } = conditions;
  const isChosen = ofSearch.length > 0 || few !== undefined;
  const [value, id] = placeIn(page.sort, isChosen);
  const direction = page.order === "asc" ? asc : desc;
  const order = [direction(value), direction(id)];
  const after = following(page, isChosen);
  const columns = { id: sql<Id<"user">>`${id}`.as("page_id") };
  const most = page.limit + 1;
  const isSearchs = page.sort === "email" || (page.sort === "created_at" && isChosen);
  const mine = eq(isSearchs ? userSearch.tenantId : users.tenantId, tenantId);
  if (few) {
    // From them, one by one: through everybody in the page's order, few would be met.
    const ids = db.select(columns).from(sql`unnest(${`{${few.join(",")}}`}::uuid[]) as few(id)`);
    return (
      isSearchs ? ids.innerJoin(userSearch, sql`${id} = few.id`) : ids.innerJoin(users, sql`${id} = few.id`)
    )
      .where(and(mine, after))
      .orderBy(...order)
      .limit(most)
      .as("page");
  }
  const where = and(mine, ...ofUsers, ...ofSearch, after);
  if (isSearchs && ofUsers.length === 0)
    return db
      .select(columns)
      .from(userSearch)
      .where(where)
      .orderBy(...order)
      .limit(most)
      .as("page");
  if (!isSearchs && !isChosen)
    return db
      .select(columns)
      .from(users)
      .where(where)
      .orderBy(...order)
      .limit(most)
      .as("page");
  return db
    .select(columns)
    .from(users)
    .innerJoin(userSearch, itsSearch)
    .where(and(where, eq(users.tenantId, tenantId), eq(userSearch.tenantId, tenantId)))
    .orderBy(...order)
    .limit(most)
    .as("page");
}

async function countRows(db: Database, conditions: Conditions, most: number): Promise<number> {
  const [row] = await db.execute<{ total: string }>(
    sql`select count(*) as total from (${matching(db, conditions)} limit ${most}) as known`,
  );
  return Number(row?.total ?? 0);
}

async function findIds(db: Database, tx: Executor, of: Conditions, most: number): Promise<string[]> {
  const rows = await tx.execute<{ id: string }>(sql`${matching(db, of)} limit ${most}`);
  return rows.map(({ id }) => id);
}

/** Whoever matches, in no order. Without a join where none is needed: it would cost more than all the rest. */
function matching(db: Database, { tenantId, ofUsers, ofSearch, only }: Conditions): SQL {
  if (only?.distinct) return sql`select user_id as id from (${only.ids}) as known`;
  const ofTenant = and(eq(users.tenantId, tenantId), ...ofUsers);
  if (ofSearch.length === 0) return db.select({ id: users.id }).from(users).where(ofTenant).getSQL();
  const searched = and(eq(userSearch.tenantId, tenantId), ...ofSearch);
  const ids = db.select({ id: sql`${userSearch.userId}`.as("id") }).from(userSearch);
  const chosen =
    ofUsers.length === 0
      ? ids.where(searched)
      : ids.innerJoin(users, itsSearch).where(and(searched, ofTenant));
  return chosen.getSQL();
}

/** Whether a text, wherever it stands, has letters or digits that trigrams are made of. */
const HAS_TRIGRAM = /[\p{L}\p{N}]{3}|[^\p{L}\p{N}][\p{L}\p{N}]|[\p{L}\p{N}]{2}[^\p{L}\p{N}]|[^\0-\x7f]/u;

/**
 * What has no trigram is looked for where a name, an address or a part of a name begins: one or two letters, above all.
 * Inside, every user would have to be looked at. Nobody is found by marks alone.
 */
function holds(search: string): SQL {
  const letters = search.normalize("NFKC");
  if (!/[\p{L}\p{N}]|[^\0-\x7f]/u.test(letters)) return sql`false`;
  const text = letters.replace(/[\\%_]/g, "\\$&");
  return like(
    userSearch.text,
    HAS_TRIGRAM.test(letters)
      ? sql`'%' || search_form(${text}::text) || '%'`
      : sql`${"%\n"} || search_form(${text}::text) || '%'`,
  );
}

/** The groups are looked up before: then the planner knows how few or many users it is about. */
async function roleHolders(db: Database, tenantId: Id<"tenant">, name: string): Promise<UserSet> {
  const tenant = uuidFromId("tenant", tenantId);
  const [role] = await db
    .select({ id: roles.id })
    .from(roles)
    .where(and(eq(roles.tenantId, tenantId), eq(roles.name, name)));
  if (!role) return { ids: sql`select null::uuid as user_id where false`, distinct: true };
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
  if (giving.length === 0) return { ids: itself, distinct: true };
  const groups = `{${giving.map(({ id }) => id).join(",")}}`;
  const byGroups = sql`select gu.user_id from group_users gu
    where gu.tenant_id = ${tenant}::uuid and gu.group_id = any(${groups}::uuid[])`;
  return { ids: sql`${itself} union all ${byGroups}`, distinct: false };
}

const membersOf = (tenantId: Id<"tenant">, organizationId: Id<"organization">): UserSet => ({
  ids: sql`select om.user_id from organization_members om
    where om.tenant_id = ${uuidFromId("tenant", tenantId)}::uuid
      and om.organization_id = ${uuidFromId("organization", organizationId)}::uuid`,
  distinct: true,
});

function following({ after, sort, order }: PageRequest<UserSort>, chosen: boolean): SQL | undefined {
  if (!after || !isId("user", after.id)) return undefined;
  const uuid = sql`${uuidFromId("user", after.id)}::uuid`;
  const value = sort.endsWith("_at") ? moment(new Date(after.value)) : sql`${after.value}::text`;
  const [column, id] = placeIn(sort, chosen);
  return (order === "asc" ? gt : lt)(sql`(${column}, ${id})`, sql`(${value}, ${uuid})`);
}
