import { and, asc, count, desc, eq, gt, like, lt, or, type SQL, sql } from "drizzle-orm";
import { type Database, type Executor, moment } from "../../db/client.ts";
import { serviceAccountRoles, serviceAccounts } from "../../db/schema/index.ts";
import { type Id, isId, uuidFromId } from "../../lib/ids.ts";
import { COUNTED_AT_MOST, type PageRequest, pageOf, type PageResult } from "../../lib/page.ts";

type Tenant = Id<"tenant">;
export type ServiceAccountSort = "created_at" | "name";

const columns = {
  id: serviceAccounts.id,
  name: serviceAccounts.name,
  description: serviceAccounts.description,
  enabled: serviceAccounts.enabled,
  createdAt: serviceAccounts.createdAt,
  updatedAt: serviceAccounts.updatedAt,
  roles: sql<string[]>`array(select r.name from service_account_roles s
    join roles r on r.tenant_id = s.tenant_id and r.id = s.role_id
    where s.tenant_id = service_accounts.tenant_id and s.service_account_id = service_accounts.id order by r.name)`,
};

export interface ServiceAccount {
  readonly id: Id<"serviceAccount">;
  readonly name: string;
  readonly description: string;
  readonly enabled: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** By name. */
  readonly roles: readonly string[];
}

const isAccount = (tenantId: Tenant, id: Id<"serviceAccount">) =>
  and(eq(serviceAccounts.tenantId, tenantId), eq(serviceAccounts.id, id));

export async function findAccount(
  executor: Executor,
  tenantId: Tenant,
  id: Id<"serviceAccount">,
): Promise<ServiceAccount | undefined> {
  const [account] = await executor.select(columns).from(serviceAccounts).where(isAccount(tenantId, id));
  return account;
}

/** Keeps others from changing the account until the transaction ends. @returns whether it is there */
export async function lockAccount(
  executor: Executor,
  tenantId: Tenant,
  id: Id<"serviceAccount">,
): Promise<boolean> {
  const rows = await executor
    .select({ id: serviceAccounts.id })
    .from(serviceAccounts)
    .where(isAccount(tenantId, id))
    .for("no key update");
  return rows.length > 0;
}

/** @param page whose `after.value` is a moment for created_at */
export async function listAccounts(
  db: Database,
  tenantId: Tenant,
  page: PageRequest<ServiceAccountSort>,
): Promise<PageResult<ServiceAccount>> {
  const pattern = page.search && `%${page.search.replace(/[\\%_]/g, "\\$&")}%`;
  const holds = (text: SQL) => like(sql`lower(${text})`, sql`lower(${pattern}::text)`);
  const matching = and(
    eq(serviceAccounts.tenantId, tenantId),
    pattern === undefined
      ? undefined
      : or(holds(sql`${serviceAccounts.name}`), holds(sql`${serviceAccounts.description}`)),
  );
  const column = page.sort === "name" ? serviceAccounts.name : serviceAccounts.createdAt;
  const direction = page.order === "asc" ? asc : desc;
  const [rows, [counted]] = await Promise.all([
    db
      .select(columns)
      .from(serviceAccounts)
      .where(and(matching, following(page)))
      .orderBy(direction(column), direction(serviceAccounts.id))
      .limit(page.limit + 1),
    db
      .select({ total: count() })
      .from(
        db
          .select({ id: serviceAccounts.id })
          .from(serviceAccounts)
          .where(matching)
          .limit(COUNTED_AT_MOST)
          .as("matching"),
      ),
  ]);
  return pageOf(rows, page.limit, counted?.total ?? 0);
}

function following({ after, sort, order }: PageRequest<ServiceAccountSort>): SQL | undefined {
  if (!after || !isId("serviceAccount", after.id)) return undefined;
  const beyond = order === "asc" ? gt : lt;
  const id = sql`${uuidFromId("serviceAccount", after.id)}::uuid`;
  return sort === "name"
    ? beyond(sql`(${serviceAccounts.name}, ${serviceAccounts.id})`, sql`(${after.value}::text, ${id})`)
    : beyond(
        sql`(${serviceAccounts.createdAt}, ${serviceAccounts.id})`,
        sql`(${moment(new Date(after.value))}, ${id})`,
      );
}

export async function insertAccount(
  executor: Executor,
  account: typeof serviceAccounts.$inferInsert,
): Promise<void> {
  await executor.insert(serviceAccounts).values(account);
}

export async function updateAccount(
  executor: Executor,
  tenantId: Tenant,
  id: Id<"serviceAccount">,
  changes: Partial<Pick<ServiceAccount, "name" | "description" | "enabled">> & { updatedAt: Date },
): Promise<void> {
  await executor.update(serviceAccounts).set(changes).where(isAccount(tenantId, id));
}

/** Its keys and roles go with it. */
export async function deleteAccount(
  executor: Executor,
  tenantId: Tenant,
  id: Id<"serviceAccount">,
): Promise<void> {
  await executor.delete(serviceAccounts).where(isAccount(tenantId, id));
}

export async function replaceRoles(
  executor: Executor,
  account: { tenantId: Tenant; id: Id<"serviceAccount"> },
  roleIds: readonly Id<"role">[],
  now: Date,
): Promise<void> {
  const { tenantId, id: serviceAccountId } = account;
  await executor
    .delete(serviceAccountRoles)
    .where(
      and(
        eq(serviceAccountRoles.tenantId, tenantId),
        eq(serviceAccountRoles.serviceAccountId, serviceAccountId),
      ),
    );
  if (roleIds.length === 0) return;
  await executor
    .insert(serviceAccountRoles)
    .values(roleIds.map((roleId) => ({ tenantId, serviceAccountId, roleId, createdAt: now })));
}
