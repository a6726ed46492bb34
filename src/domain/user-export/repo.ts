import { and, asc, count, desc, eq, gt, lt, ne, sql } from "drizzle-orm";
import { type Database, type Executor, moment } from "../../db/client.ts";
import { userExports } from "../../db/schema/index.ts";
import { type Id, idFromUuid, isId, uuidFromId } from "../../lib/ids.ts";
import { COUNTED_AT_MOST, type PageRequest, pageOf, type PageResult } from "../../lib/page.ts";

export type UserExport = typeof userExports.$inferSelect;
type Tenant = Id<"tenant">;
type Named = Pick<UserExport, "tenantId" | "id">;

const itself = ({ tenantId, id }: Named) => and(eq(userExports.tenantId, tenantId), eq(userExports.id, id));

export async function insertExport(
  executor: Executor,
  row: typeof userExports.$inferInsert,
): Promise<UserExport> {
  const [made] = await executor.insert(userExports).values(row).returning();
  if (!made) throw new Error("the export was not kept");
  return made;
}

export async function findExport(executor: Executor, of: Named): Promise<UserExport | undefined> {
  const [found] = await executor.select().from(userExports).where(itself(of));
  return found;
}

/** What is done stays done, whoever else was at it. */
export async function updateOpenExport(
  executor: Executor,
  of: Named,
  changes: Partial<Pick<UserExport, "status" | "users" | "bytes" | "completedAt" | "expiresAt">>,
): Promise<void> {
  await executor
    .update(userExports)
    .set(changes)
    .where(and(itself(of), ne(userExports.status, "done")));
}

export async function deleteExport(executor: Executor, of: Named): Promise<void> {
  await executor.delete(userExports).where(itself(of));
}

/** The newest first, unless told otherwise. */
export async function listExports(
  db: Database,
  tenantId: Tenant,
  { limit, after, order }: PageRequest<"created_at">,
): Promise<PageResult<UserExport>> {
  const direction = order === "asc" ? asc : desc;
  const mine = eq(userExports.tenantId, tenantId);
  const following =
    after && isId("userExport", after.id)
      ? (order === "asc" ? gt : lt)(
          sql`(${userExports.createdAt}, ${userExports.id})`,
          sql`(${moment(new Date(after.value))}, ${uuidFromId("userExport", after.id)}::uuid)`,
        )
      : undefined;
  const [rows, [counted]] = await Promise.all([
    db
      .select()
      .from(userExports)
      .where(and(mine, following))
      .orderBy(direction(userExports.createdAt), direction(userExports.id))
      .limit(limit + 1),
    db
      .select({ total: count() })
      .from(
        db.select({ id: userExports.id }).from(userExports).where(mine).limit(COUNTED_AT_MOST).as("some"),
      ),
  ]);
  return pageOf(rows, limit, counted?.total ?? 0);
}

export async function findExpired(db: Database, before: Date, limit: number): Promise<UserExport[]> {
  return db
    .select()
    .from(userExports)
    .where(lt(userExports.expiresAt, before))
    .orderBy(asc(userExports.expiresAt))
    .limit(limit);
}

/** What the list of users does not tell of one. */
export interface Belongings {
  /** Names; without those that groups give. */
  readonly roles: readonly string[];
  /** Names of groups of the tenant itself. */
  readonly groups: readonly string[];
  readonly passwordHash: string | null;
}

export async function findBelongings(
  executor: Executor,
  tenantId: Tenant,
  userIds: readonly Id<"user">[],
  { hashes }: { hashes: boolean },
): Promise<ReadonlyMap<Id<"user">, Belongings>> {
  const tenant = sql`${uuidFromId("tenant", tenantId)}::uuid`;
  const ids = `{${userIds.map((id) => uuidFromId("user", id)).join(",")}}`;
  const hash = hashes
    ? sql`(select p.hash from password_credentials p where p.tenant_id = ${tenant} and p.user_id = u.id)`
    : sql`null::text`;
  const rows = await executor.execute<{
    id: string;
    roles: string[];
    groups: string[];
    hash: string | null;
  }>(sql`
    select u.id, ${hash} as hash,
      array(select r.name from user_roles ur join roles r on r.tenant_id = ur.tenant_id and r.id = ur.role_id
        where ur.tenant_id = ${tenant} and ur.user_id = u.id order by r.name) as roles,
      array(select g.display_name from group_users gu join groups g on g.tenant_id = gu.tenant_id and g.id = gu.group_id
        where gu.tenant_id = ${tenant} and gu.user_id = u.id and g.organization_id is null order by 1) as groups
    from unnest(${ids}::uuid[]) as u(id)`);
  return new Map(
    rows.map((row) => [
      idFromUuid("user", row.id),
      { roles: row.roles, groups: row.groups, passwordHash: row.hash },
    ]),
  );
}
