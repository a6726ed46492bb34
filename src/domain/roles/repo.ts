import { and, asc, count, desc, eq, gt, inArray, like, lt, or, type SQL, sql } from "drizzle-orm";
import { type Database, type Executor, moment } from "../../db/client.ts";
import { clientRoles, clients, rolePermissions, roles, userRoles } from "../../db/schema/index.ts";
import { type Id, isId, newId, uuidFromId } from "../../lib/ids.ts";
import { COUNTED_AT_MOST, type PageRequest, pageOf, type PageResult } from "../../lib/page.ts";

type Tenant = Id<"tenant">;

export interface Role {
  readonly id: Id<"role">;
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly string[];
  readonly createdAt: Date;
}

const columns = {
  id: roles.id,
  name: roles.name,
  description: roles.description,
  createdAt: roles.createdAt,
  permissions: sql<string[]>`array(select p.permission from role_permissions p
    where p.tenant_id = roles.tenant_id and p.role_id = roles.id order by p.permission)`,
};

export async function insertRoles(
  executor: Executor,
  tenantId: Tenant,
  described: Readonly<Record<string, string>>,
  now: Date,
): Promise<void> {
  await executor.insert(roles).values(
    Object.entries(described).map(([name, description]) => ({
      tenantId,
      id: newId("role"),
      name,
      description,
      createdAt: now,
    })),
  );
}

export async function insertRole(executor: Executor, role: typeof roles.$inferInsert): Promise<void> {
  await executor.insert(roles).values(role);
}

export async function updateRole(
  executor: Executor,
  tenantId: Tenant,
  id: Id<"role">,
  changes: { name: string; description: string },
): Promise<void> {
  await executor
    .update(roles)
    .set(changes)
    .where(and(eq(roles.tenantId, tenantId), eq(roles.id, id)));
}

/** Whoever had the role has it no more. */
export async function deleteRole(executor: Executor, tenantId: Tenant, id: Id<"role">): Promise<void> {
  await executor.delete(roles).where(and(eq(roles.tenantId, tenantId), eq(roles.id, id)));
}

export async function findRole(
  executor: Executor,
  tenantId: Tenant,
  id: Id<"role">,
): Promise<Role | undefined> {
  const [role] = await executor
    .select(columns)
    .from(roles)
    .where(and(eq(roles.tenantId, tenantId), eq(roles.id, id)));
  return role;
}

/** Keeps others from changing the role until the transaction ends. @returns whether it is there */
export async function lockRole(executor: Executor, tenantId: Tenant, id: Id<"role">): Promise<boolean> {
  const rows = await executor
    .select({ id: roles.id })
    .from(roles)
    .where(and(eq(roles.tenantId, tenantId), eq(roles.id, id)))
    .for("update");
  return rows.length > 0;
}

export async function findRoles(executor: Executor, tenantId: Tenant): Promise<Role[]> {
  return executor.select(columns).from(roles).where(eq(roles.tenantId, tenantId)).orderBy(roles.name);
}

export type RoleSort = "created_at" | "name";

/** @param page whose `after.value` is a moment for created_at */
export async function listRoles(
  db: Database,
  tenantId: Tenant,
  page: PageRequest<RoleSort>,
): Promise<PageResult<Role>> {
  const pattern = page.search && `%${page.search.replace(/[\\%_]/g, "\\$&")}%`;
  const holds = (text: SQL) => like(sql`lower(${text})`, sql`lower(${pattern}::text)`);
  const matching = and(
    eq(roles.tenantId, tenantId),
    pattern === undefined ? undefined : or(holds(sql`${roles.name}`), holds(sql`${roles.description}`)),
  );
  const column = page.sort === "name" ? roles.name : roles.createdAt;
  const direction = page.order === "asc" ? asc : desc;
  const [rows, [counted]] = await Promise.all([
    db
      .select(columns)
      .from(roles)
      .where(and(matching, following(page)))
      .orderBy(direction(column), direction(roles.id))
      .limit(page.limit + 1),
    db
      .select({ total: count() })
      .from(db.select({ id: roles.id }).from(roles).where(matching).limit(COUNTED_AT_MOST).as("matching")),
  ]);
  return pageOf(rows, page.limit, counted?.total ?? 0);
}

function following({ after, sort, order }: PageRequest<RoleSort>): SQL | undefined {
  if (!after || !isId("role", after.id)) return undefined;
  const uuid = sql`${uuidFromId("role", after.id)}::uuid`;
  const beyond = order === "asc" ? gt : lt;
  return sort === "name"
    ? beyond(sql`(${roles.name}, ${roles.id})`, sql`(${after.value}::text, ${uuid})`)
    : beyond(sql`(${roles.createdAt}, ${roles.id})`, sql`(${moment(new Date(after.value))}, ${uuid})`);
}

export async function replacePermissions(
  executor: Executor,
  role: { tenantId: Tenant; roleId: Id<"role"> },
  permissions: readonly string[],
  now: Date,
): Promise<void> {
  const { tenantId, roleId } = role;
  await executor
    .delete(rolePermissions)
    .where(and(eq(rolePermissions.tenantId, tenantId), eq(rolePermissions.roleId, roleId)));
  if (permissions.length === 0) return;
  await executor
    .insert(rolePermissions)
    .values(permissions.map((permission) => ({ tenantId, roleId, permission, createdAt: now })));
}

/** Roles that the user has already change nothing. */
export async function insertUserRoles(
  executor: Executor,
  tenantId: Tenant,
  userId: Id<"user">,
  roleIds: readonly Id<"role">[],
  now: Date,
): Promise<void> {
  if (roleIds.length === 0) return;
  await executor
    .insert(userRoles)
    .values(roleIds.map((roleId) => ({ tenantId, userId, roleId, createdAt: now })))
    .onConflictDoNothing();
}

export async function deleteUserRoles(
  executor: Executor,
  tenantId: Tenant,
  userId: Id<"user">,
  roleIds: readonly Id<"role">[],
): Promise<void> {
  if (roleIds.length === 0) return;
  await executor
    .delete(userRoles)
    .where(
      and(
        eq(userRoles.tenantId, tenantId),
        eq(userRoles.userId, userId),
        inArray(userRoles.roleId, [...roleIds]),
      ),
    );
}

export interface NamedRole {
  readonly id: Id<"role">;
  readonly name: string;
}

/** Those that the user has without any group. */
export async function findOwnRoles(
  executor: Executor,
  tenantId: Tenant,
  userId: Id<"user">,
): Promise<NamedRole[]> {
  return executor
    .select({ id: roles.id, name: roles.name })
    .from(userRoles)
    .innerJoin(roles, and(eq(roles.tenantId, userRoles.tenantId), eq(roles.id, userRoles.roleId)))
    .where(and(eq(userRoles.tenantId, tenantId), eq(userRoles.userId, userId)))
    .orderBy(roles.name);
}

export async function findClientRoles(
  executor: Executor,
  tenantId: Tenant,
  clientId: Id<"client">,
): Promise<NamedRole[]> {
  return executor
    .select({ id: roles.id, name: roles.name })
    .from(clientRoles)
    .innerJoin(roles, and(eq(roles.tenantId, clientRoles.tenantId), eq(roles.id, clientRoles.roleId)))
    .where(and(eq(clientRoles.tenantId, tenantId), eq(clientRoles.clientId, clientId)))
    .orderBy(roles.name);
}

/** @returns whether the client is there; it is as it is until the transaction ends */
export async function lockClient(
  executor: Executor,
  tenantId: Tenant,
  clientId: Id<"client">,
): Promise<boolean> {
  const rows = await executor
    .select({ id: clients.id })
    .from(clients)
    .where(and(eq(clients.tenantId, tenantId), eq(clients.id, clientId)))
    .for("no key update");
  return rows.length > 0;
}

export async function replaceClientRoles(
  executor: Executor,
  client: { tenantId: Tenant; clientId: Id<"client"> },
  roleIds: readonly Id<"role">[],
  now: Date,
): Promise<void> {
  const { tenantId, clientId } = client;
  await executor
    .delete(clientRoles)
    .where(and(eq(clientRoles.tenantId, tenantId), eq(clientRoles.clientId, clientId)));
  if (roleIds.length === 0) return;
  await executor
    .insert(clientRoles)
    .values(roleIds.map((roleId) => ({ tenantId, clientId, roleId, createdAt: now })));
}
