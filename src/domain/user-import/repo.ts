import { and, asc, count, desc, eq, gt, inArray, isNull, lt, or, type SQL, sql } from "drizzle-orm";
import { type Database, type Executor, moment } from "../../db/client.ts";
import {
  groups,
  groupUsers,
  passwordCredentials,
  userEmails,
  userImportErrors,
  userImports,
  userRoles,
  users,
} from "../../db/schema/index.ts";
import { type Id, isId, uuidFromId } from "../../lib/ids.ts";
import { COUNTED_AT_MOST, type PageRequest, pageOf, type PageResult } from "../../lib/page.ts";

export type UserImport = typeof userImports.$inferSelect;
export type ImportError = Pick<typeof userImportErrors.$inferSelect, "row" | "number" | "field" | "reason">;
type Tenant = Id<"tenant">;
type Named = Pick<UserImport, "tenantId" | "id">;

export async function insertImport(executor: Executor, row: typeof userImports.$inferInsert): Promise<void> {
  await executor.insert(userImports).values(row);
}

export async function findImport(
  executor: Executor,
  tenantId: Tenant,
  id: Id<"userImport">,
): Promise<UserImport | undefined> {
  const [found] = await executor
    .select()
    .from(userImports)
    .where(and(eq(userImports.tenantId, tenantId), eq(userImports.id, id)));
  return found;
}

/** The import, which nobody else changes until the transaction ends. */
export async function lockImport(
  executor: Executor,
  { tenantId, id }: Named,
): Promise<UserImport | undefined> {
  const [found] = await executor
    .select()
    .from(userImports)
    .where(and(eq(userImports.tenantId, tenantId), eq(userImports.id, id)))
    .for("update");
  return found;
}

export async function updateImport(
  executor: Executor,
  { tenantId, id }: Named,
  changes: Partial<typeof userImports.$inferInsert>,
): Promise<void> {
  await executor
    .update(userImports)
    .set(changes)
    .where(and(eq(userImports.tenantId, tenantId), eq(userImports.id, id)));
}

export async function deleteImport(executor: Executor, { tenantId, id }: Named): Promise<void> {
  await executor.delete(userImports).where(and(eq(userImports.tenantId, tenantId), eq(userImports.id, id)));
}

/** How many of a tenant's imports are not over, counted up to `most`. */
export async function countOpen(executor: Executor, tenantId: Tenant, most: number): Promise<number> {
  const rows = await executor
    .select({ id: userImports.id })
    .from(userImports)
    .where(
      and(
        eq(userImports.tenantId, tenantId),
        inArray(userImports.status, ["uploading", "pending", "running"]),
      ),
    )
    .limit(most);
  return rows.length;
}

/** The newest first. */
export async function listImports(
  db: Database,
  tenantId: Tenant,
  { limit, after, order }: PageRequest<"created_at">,
): Promise<PageResult<UserImport>> {
  const direction = order === "asc" ? asc : desc;
  const mine = eq(userImports.tenantId, tenantId);
  const place = sql`(${userImports.createdAt}, ${userImports.id})`;
  const following =
    after && isId("userImport", after.id)
      ? (order === "asc" ? gt : lt)(
          place,
          sql`(${moment(new Date(after.value))}, ${uuidFromId("userImport", after.id)}::uuid)`,
        )
      : undefined;
  const [rows, [counted]] = await Promise.all([
    db
      .select()
      .from(userImports)
      .where(and(mine, following))
      .orderBy(direction(userImports.createdAt), direction(userImports.id))
      .limit(limit + 1),
    db
      .select({ total: count() })
      .from(
        db.select({ id: userImports.id }).from(userImports).where(mine).limit(COUNTED_AT_MOST).as("some"),
      ),
  ]);
  return pageOf(rows, limit, counted?.total ?? 0);
}

export async function findExpired(db: Database, before: Date, limit: number): Promise<UserImport[]> {
  return db
    .select()
    .from(userImports)
    .where(lt(userImports.expiresAt, before))
    .orderBy(asc(userImports.expiresAt))
    .limit(limit);
}

export async function insertErrors(
  executor: Executor,
  { tenantId, id: importId }: Named,
  errors: readonly ImportError[],
): Promise<void> {
  if (errors.length === 0) return;
  await executor.insert(userImportErrors).values(errors.map((error) => ({ tenantId, importId, ...error })));
}

/** In the order of the file. */
export async function findErrors(
  executor: Executor,
  { tenantId, id }: Named,
  after: Pick<ImportError, "row" | "number">,
  limit: number,
): Promise<ImportError[]> {
  const { row, number, field, reason } = userImportErrors;
  return executor
    .select({ row, number, field, reason })
    .from(userImportErrors)
    .where(
      and(
        eq(userImportErrors.tenantId, tenantId),
        eq(userImportErrors.importId, id),
        sql`(${row}, ${number}) > (${after.row}, ${after.number})`,
      ),
    )
    .orderBy(asc(row), asc(number))
    .limit(limit);
}

export interface Existing {
  readonly userId: Id<"user">;
  readonly usernameKey: string;
  /** Of every address. */
  readonly emailKeys: readonly string[];
  /** Of those that nobody confirmed, where the account has something to sign in with that needs no mail. */
  readonly unprovenKeys: readonly string[];
}

const has = (table: string) =>
  `exists (select 1 from ${table} w where w.tenant_id = "users"."tenant_id" and w.user_id = "users"."id")`;
/** What somebody signs in with who does not read the mail of the address. */
const waysIn = ["password_credentials", "passkeys", "external_accounts", "user_phones"];
const hasWayIn = sql.raw(waysIn.map(has).join(" or "));

/** Whoever has one of these usernames or addresses. */
export async function findExisting(
  executor: Executor,
  tenantId: Tenant,
  usernameKeys: readonly string[],
  emailKeys: readonly string[],
): Promise<Existing[]> {
  const owners = executor
    .select({ userId: userEmails.userId })
    .from(userEmails)
    .where(and(eq(userEmails.tenantId, tenantId), isAnyOf(userEmails.addressKey, emailKeys)));
  const found = executor
    .select({ userId: users.id })
    .from(users)
    .where(and(eq(users.tenantId, tenantId), isAnyOf(users.usernameKey, usernameKeys)));
  return executor
    .select({
      userId: users.id,
      usernameKey: users.usernameKey,
      emailKeys: sql<string[]>`array(select e.address_key from user_emails e
        where e.tenant_id = "users"."tenant_id" and e.user_id = "users"."id")`,
      unprovenKeys: sql<string[]>`array(select e.address_key from user_emails e
        where e.tenant_id = "users"."tenant_id" and e.user_id = "users"."id" and e.verified_at is null
          and (${hasWayIn}))`,
    })
    .from(users)
    .where(and(eq(users.tenantId, tenantId), or(inArray(users.id, owners), inArray(users.id, found))));
}

/** One parameter for all of them. */
const isAnyOf = (
  column: typeof users.usernameKey | typeof userEmails.addressKey,
  values: readonly string[],
): SQL => sql`${column} in (select jsonb_array_elements_text(${JSON.stringify(values)}::jsonb))`;

/** The tenant's own groups of these names. Several can have the same. */
export async function findGroups(
  executor: Executor,
  tenantId: Tenant,
  names: readonly string[],
): Promise<{ id: Id<"group">; name: string }[]> {
  if (names.length === 0) return [];
  return executor
    .select({ id: groups.id, name: groups.displayName })
    .from(groups)
    .where(
      and(
        eq(groups.tenantId, tenantId),
        isNull(groups.organizationId),
        inArray(groups.displayName, [...names]),
      ),
    )
    .for("key share");
}

export interface NewUsers {
  readonly users: readonly (typeof users.$inferInsert)[];
  readonly emails: readonly (typeof userEmails.$inferInsert)[];
  readonly passwords: readonly (typeof passwordCredentials.$inferInsert)[];
}

export async function insertUsers(executor: Executor, made: NewUsers): Promise<void> {
  if (made.users.length === 0) return;
  await executor.insert(users).values([...made.users]);
  await executor.insert(userEmails).values([...made.emails]);
  if (made.passwords.length > 0)
    await executor
      .insert(passwordCredentials)
      .values([...made.passwords])
      .onConflictDoNothing();
}

/** Where they are already, they stay. */
export async function addToGroups(
  executor: Executor,
  joined: readonly (typeof groupUsers.$inferInsert)[],
): Promise<void> {
  await executor
    .insert(groupUsers)
    .values([...joined])
    .onConflictDoNothing();
}

/** What they have already stays. @returns who got which role that they did not have */
export async function addRoles(
  executor: Executor,
  given: readonly (typeof userRoles.$inferInsert)[],
): Promise<{ userId: Id<"user">; roleId: Id<"role"> }[]> {
  return executor
    .insert(userRoles)
    .values([...given])
    .onConflictDoNothing()
    .returning({ userId: userRoles.userId, roleId: userRoles.roleId });
}

/** Changes what is given of a user, and counts the address as verified where it is said to be. */
export async function changeUser(
  executor: Executor,
  of: { tenantId: Tenant; userId: Id<"user"> },
  changes: Partial<typeof users.$inferInsert>,
  verified: { addressKey: string; at: Date } | undefined,
): Promise<void> {
  const { tenantId, userId } = of;
  await executor
    .update(users)
    .set(changes)
    .where(and(eq(users.tenantId, tenantId), eq(users.id, userId)));
  if (!verified) return;
  await executor
    .update(userEmails)
    .set({ verifiedAt: verified.at })
    .where(
      and(
        eq(userEmails.tenantId, tenantId),
        eq(userEmails.userId, userId),
        eq(userEmails.addressKey, verified.addressKey),
        isNull(userEmails.verifiedAt),
      ),
    );
}

/** For who has none yet. @returns whether it was added */
export async function addPassword(
  executor: Executor,
  row: typeof passwordCredentials.$inferInsert,
): Promise<boolean> {
  const added = await executor
    .insert(passwordCredentials)
    .values(row)
    .onConflictDoNothing()
    .returning({ userId: passwordCredentials.userId });
  return added.length > 0;
}
