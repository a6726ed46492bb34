import { and, eq, inArray, sql, type SQL } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import { organizationMembers, scimExternalIds, scimUsers, userEmails, users } from "../../db/schema/index.ts";
import { type Id, idFromUuid, newId, uuidFromId } from "../../lib/ids.ts";
import type { JsonObject } from "../../protocol/scim/resource.ts";
import { emailKey, usernameKey } from "../users/service.ts";
import type { ScimEmail, ScimUser, ScimUserColumns } from "./model.ts";
import { type Scope, scopeKey } from "./scope.ts";

type Row = {
  id: string;
  username: string;
  given_name: string | null;
  family_name: string | null;
  locale: string | null;
  zoneinfo: string | null;
  enabled: boolean;
  managed: boolean;
  mapped: boolean;
  created_at: string;
  updated_at: string;
  attributes: JsonObject;
  external_id: string | null;
  emails: ScimEmail[];
  groups: { id: string; displayName: string }[];
};

const columns = (scope: Scope) => sql`
  u.id, u.username, u.given_name, u.family_name, u.locale, u.zoneinfo, u.enabled, u.created_at, u.updated_at,
  s.user_id is not null as managed, coalesce(s.mapped, false) as mapped, coalesce(s.attributes, '{}'::jsonb) as attributes,
  (select x.external_id from scim_external_ids x
    where x.tenant_id = u.tenant_id and x.user_id = u.id and x.scope = ${scopeKey(scope)}) as external_id,
  coalesce((select jsonb_agg(jsonb_build_object('value', m.address, 'type', m.type, 'display', m.display,
      'primary', m.is_primary) order by m.is_primary desc, m.created_at, m.id)
    from user_emails m where m.tenant_id = u.tenant_id and m.user_id = u.id), '[]'::jsonb) as emails,
  coalesce((select jsonb_agg(jsonb_build_object('id', g.id, 'displayName', g.display_name) order by g.id)
    from group_users gu join groups g on g.tenant_id = gu.tenant_id and g.id = gu.group_id
    where gu.tenant_id = u.tenant_id and gu.user_id = u.id), '[]'::jsonb) as groups`;

const source = sql`users u left join scim_users s on s.tenant_id = u.tenant_id and s.user_id = u.id`;

/** An organization's client sees the users that it manages, the tenant's sees all. */
export function visible({ tenantId, organizationId }: Scope): SQL {
  const inTenant = sql`u.tenant_id = ${uuidFromId("tenant", tenantId)}::uuid`;
  return organizationId === null
    ? inTenant
    : sql`${inTenant} and s.organization_id = ${uuidFromId("organization", organizationId)}::uuid`;
}

function toUser(row: Row): ScimUser {
  return {
    id: idFromUuid("user", row.id),
    username: row.username,
    givenName: row.given_name,
    familyName: row.family_name,
    locale: row.locale,
    zoneinfo: row.zoneinfo,
    enabled: row.enabled,
    managed: row.managed,
    mapped: row.mapped,
    externalId: row.external_id,
    emails: row.emails,
    attributes: row.attributes,
    groups: row.groups.map(({ id, displayName }) => ({ id: idFromUuid("group", id), displayName })),
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  };
}

export async function findUser(
  executor: Executor,
  scope: Scope,
  id: Id<"user">,
  { lock }: { lock: boolean } = { lock: false },
): Promise<ScimUser | undefined> {
  const rows = await executor.execute<Row>(sql`select ${columns(scope)} from ${source}
    where ${visible(scope)} and u.id = ${uuidFromId("user", id)}::uuid ${lock ? sql`for no key update of u` : sql``}`);
  const [row] = rows;
  return row && toUser(row);
}

/** The order that pages by cursor come in. */
export const byId = sql`u.id`;

export interface Page {
  readonly condition: SQL | undefined;
  readonly order: SQL;
  readonly limit: number;
  readonly offset: number;
  /** Only those after this one, in the order of ids (RFC 9865). */
  readonly after?: Id<"user"> | undefined;
}

export async function findPage(executor: Executor, scope: Scope, page: Page): Promise<ScimUser[]> {
  const where = sql`${visible(scope)} ${page.condition ? sql`and ${page.condition}` : sql``}`;
  const after = page.after ? sql`and u.id > ${uuidFromId("user", page.after)}::uuid` : sql``;
  // Ids first: what a row shows is only gathered for the rows of the page.
  const rows = await executor.execute<Row>(sql`select ${columns(scope)} from (
      select u.tenant_id, u.id, row_number() over () as position from (
        select u.tenant_id, u.id from ${source} where ${where} ${after}
        order by ${page.order} limit ${page.limit} offset ${page.offset}) u) chosen
    join users u on u.tenant_id = chosen.tenant_id and u.id = chosen.id
    left join scim_users s on s.tenant_id = u.tenant_id and s.user_id = u.id
    order by chosen.position`);
  return rows.map(toUser);
}

export async function countUsers(
  executor: Executor,
  scope: Scope,
  condition: SQL | undefined,
): Promise<number> {
  const rows = await executor.execute<{ total: string }>(
    sql`select count(*) as total from ${source} where ${visible(scope)} ${condition ? sql`and ${condition}` : sql``}`,
  );
  return Number(rows[0]?.total ?? 0);
}

export async function insertUser(
  executor: Executor,
  scope: Scope,
  id: Id<"user">,
  user: ScimUserColumns,
  options: { emailsVerified: boolean; now: Date },
): Promise<void> {
  const { tenantId } = scope;
  const { now } = options;
  // Sent one after the other without waiting for each answer: a directory makes thousands of users in a row.
  await Promise.all([
    insertUserRow(executor, { tenantId, id, ...profileColumns(user), createdAt: now, updatedAt: now }),
    insertEmails(executor, tenantId, id, user.emails, options),
    adoptUser(executor, scope, id, user, now),
  ]);
}

async function insertUserRow(executor: Executor, row: typeof users.$inferInsert): Promise<void> {
  await executor.insert(users).values(row);
}

/** Puts a user under the management of the scope's provisioning client. */
export async function adoptUser(
  executor: Executor,
  scope: Scope,
  id: Id<"user">,
  user: Pick<ScimUserColumns, "attributes" | "externalId" | "mapped">,
  now: Date,
): Promise<void> {
  const { tenantId, organizationId } = scope;
  const { attributes, mapped } = user;
  await executor
    .insert(scimUsers)
    .values({ tenantId, userId: id, organizationId, attributes, mapped, createdAt: now })
    .onConflictDoUpdate({
      target: [scimUsers.tenantId, scimUsers.userId],
      set: { attributes, mapped },
    });
  if (organizationId !== null)
    await executor
      .insert(organizationMembers)
      .values({ tenantId, organizationId, userId: id, createdAt: now })
      .onConflictDoNothing();
  await setExternalId(executor, scope, id, user.externalId);
}

export async function updateUser(
  executor: Executor,
  scope: Scope,
  before: ScimUser,
  user: ScimUserColumns,
  options: { emailsVerified: boolean; now: Date },
): Promise<void> {
  const { tenantId } = scope;
  const { now } = options;
  await executor
    .update(users)
    .set({ ...profileColumns(user), updatedAt: now })
    .where(and(eq(users.tenantId, tenantId), eq(users.id, before.id)));
  await replaceEmails(executor, tenantId, before, user.emails, options);
  await adoptUser(executor, scope, before.id, user, now);
}

function profileColumns(user: ScimUserColumns) {
  const { username, givenName, familyName, locale, zoneinfo, enabled } = user;
  return { username, usernameKey: usernameKey(username), givenName, familyName, locale, zoneinfo, enabled };
}

async function insertEmails(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  emails: readonly ScimEmail[],
  { emailsVerified, now }: { emailsVerified: boolean; now: Date },
): Promise<void> {
  if (emails.length === 0) return;
  await executor.insert(userEmails).values(
    emails.map(({ value, type, display, primary }) => ({
      tenantId,
      id: newId("email"),
      userId,
      address: value,
      addressKey: emailKey(value),
      isPrimary: primary,
      type,
      display,
      verifiedAt: emailsVerified ? now : null,
      createdAt: now,
    })),
  );
}

/** Addresses that stay keep what is known of them, such as when they were verified. */
async function replaceEmails(
  executor: Executor,
  tenantId: Id<"tenant">,
  before: ScimUser,
  emails: readonly ScimEmail[],
  options: { emailsVerified: boolean; now: Date },
): Promise<void> {
  const known = new Set(before.emails.map(({ value }) => emailKey(value)));
  const wanted = new Set(emails.map(({ value }) => emailKey(value)));
  const ofUser = and(eq(userEmails.tenantId, tenantId), eq(userEmails.userId, before.id));
  const gone = [...known].filter((key) => !wanted.has(key));
  if (gone.length > 0)
    await executor.delete(userEmails).where(and(ofUser, inArray(userEmails.addressKey, gone)));
  for (const { value, type, display, primary } of emails) {
    if (!known.has(emailKey(value))) continue;
    await executor
      .update(userEmails)
      .set({ address: value, type, display, isPrimary: primary })
      .where(and(ofUser, eq(userEmails.addressKey, emailKey(value))));
  }
  const fresh = emails.filter(({ value }) => !known.has(emailKey(value)));
  await insertEmails(executor, tenantId, before.id, fresh, options);
}

async function setExternalId(
  executor: Executor,
  scope: Scope,
  userId: Id<"user">,
  externalId: string | null,
): Promise<void> {
  const { tenantId } = scope;
  const key = scopeKey(scope);
  if (externalId === null) {
    await executor
      .delete(scimExternalIds)
      .where(
        and(
          eq(scimExternalIds.tenantId, tenantId),
          eq(scimExternalIds.scope, key),
          eq(scimExternalIds.userId, userId),
        ),
      );
    return;
  }
  await executor
    .insert(scimExternalIds)
    .values({ tenantId, scope: key, resourceType: "User", externalId, userId })
    .onConflictDoUpdate({
      target: [scimExternalIds.tenantId, scimExternalIds.userId, scimExternalIds.scope],
      set: { externalId },
    });
}

/** @returns whether the user was there. */
export async function deleteUser(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"user">,
): Promise<boolean> {
  const deleted = await executor
    .delete(users)
    .where(and(eq(users.tenantId, tenantId), eq(users.id, id)))
    .returning({ id: users.id });
  return deleted.length > 0;
}
