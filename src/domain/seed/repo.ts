/** Rows by the thousand, by PostgreSQL's COPY: some ten times as many a second as INSERT. */
import { sql } from "drizzle-orm";
import type postgres from "postgres";
import type { Database } from "../../db/client.ts";
import { type Id, uuidFromId } from "../../lib/ids.ts";

/** A user on the way into the database. Ids are uuids, moments ISO 8601. */
export interface UserRow {
  readonly id: string;
  readonly emailId: string;
  readonly username: string;
  readonly usernameKey: string;
  readonly email: string;
  readonly emailKey: string;
  readonly givenName: string;
  readonly familyName: string;
  readonly locale: string;
  readonly zoneinfo: string;
  readonly enabled: boolean;
  readonly createdAt: string;
  readonly lastLoginAt: string | null;
  readonly verifiedAt: string | null;
  readonly roleId: string | null;
  readonly organizationId: string | null;
}

/** Writes users with all that belongs to each, in one transaction. */
export async function copyUsers(
  db: Database,
  tenantId: Id<"tenant">,
  users: readonly UserRow[],
  passwordHash: string,
): Promise<void> {
  const tenant = uuidFromId("tenant", tenantId);
  await db.$client.begin(async (tx) => {
    await begin(tx);
    await tx`create temp table seeded (id uuid, email_id uuid, username text, username_key text, email text,
      email_key text, given_name text, family_name text, locale text, zoneinfo text, enabled boolean,
      created_at timestamptz, last_login_at timestamptz, verified_at timestamptz, role_id uuid, organization_id uuid)
      on commit drop`;
    await copyLines(await tx`copy seeded from stdin`.writable(), users.map(userLine));
    // One statement, at whose end what they are searched by is written once.
    await tx`with new_users as (
        insert into users (tenant_id, id, username, username_key, given_name, family_name, locale, zoneinfo, enabled,
          last_login_at, created_at, updated_at)
        select ${tenant}::uuid, id, username, username_key, given_name, family_name, locale, zoneinfo, enabled,
          last_login_at, created_at, created_at from seeded)
      insert into user_emails (tenant_id, id, user_id, address, address_key, is_primary, verified_at, created_at)
      select ${tenant}::uuid, email_id, id, email, email_key, true, verified_at, created_at from seeded`;
    await tx`insert into password_credentials (tenant_id, user_id, hash, changed_at)
      select ${tenant}::uuid, id, ${passwordHash}::text, created_at from seeded`;
    await tx`insert into user_roles (tenant_id, user_id, role_id, created_at)
      select ${tenant}::uuid, id, role_id, created_at from seeded where role_id is not null`;
    await tx`insert into organization_members (tenant_id, organization_id, user_id, created_at)
      select ${tenant}::uuid, organization_id, id, created_at from seeded where organization_id is not null`;
  });
}

const userLine = (user: UserRow) =>
  copyLine([
    user.id,
    user.emailId,
    user.username,
    user.usernameKey,
    user.email,
    user.emailKey,
    user.givenName,
    user.familyName,
    user.locale,
    user.zoneinfo,
    user.enabled,
    user.createdAt,
    user.lastLoginAt,
    user.verifiedAt,
    user.roleId,
    user.organizationId,
  ]);

/** An event on the way into the database. Its id is a uuid, those of who and what it is about are ours. */
export interface EventRow {
  readonly createdAt: string;
  readonly id: string;
  readonly type: string;
  readonly actorType: string;
  readonly actorId: string | null;
  readonly targetType: string | null;
  readonly targetId: string | null;
  readonly ip: string;
  readonly userAgent: string;
  readonly requestId: string;
  readonly details: string;
}

/** Writes events in their order, in one transaction; the database gives each its place in the trail. */
export async function copyEvents(
  db: Database,
  tenantId: Id<"tenant">,
  events: readonly EventRow[],
): Promise<void> {
  const tenant = uuidFromId("tenant", tenantId);
  await db.$client.begin(async (tx) => {
    await begin(tx);
    const into =
      await tx`copy audit_events (tenant_id, created_at, id, type, actor_type, actor_id, target_type,
      target_id, ip, user_agent, request_id, details) from stdin`.writable();
    await copyLines(
      into,
      events.map((event) =>
        copyLine([
          tenant,
          event.createdAt,
          event.id,
          event.type,
          event.actorType,
          event.actorId,
          event.targetType,
          event.targetId,
          event.ip,
          event.userAgent,
          event.requestId,
          event.details,
        ]),
      ),
    );
  });
}

/** So many rows at once take longer than a request may, and need more room on their way into the indexes. */
async function begin(tx: postgres.TransactionSql): Promise<void> {
  await tx`select set_config('statement_timeout', '0', true), set_config('gin_pending_list_limit', '65536', true),
    set_config('work_mem', '65536', true)`;
}

async function copyLines(into: NodeJS.WritableStream, lines: readonly string[]): Promise<void> {
  const done = Promise.withResolvers<void>();
  into.on("error", done.reject).on("finish", done.resolve);
  into.end(lines.join(""));
  await done.promise;
}

type Cell = string | boolean | null;

/** The text format of COPY. */
const copyLine = (cells: readonly Cell[]) => `${cells.map(copyCell).join("\t")}\n`;

function copyCell(cell: Cell): string {
  if (cell === null) return String.raw`\N`;
  if (typeof cell === "boolean") return String(cell);
  return cell.replace(/[\\\t\n\r]/g, (character) => escapes[character] ?? character);
}

const escapes: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\t": String.raw`\t`,
  "\n": String.raw`\n`,
  "\r": String.raw`\r`,
};

/** The highest number among usernames of the form `given.family.number`; 0 when there is none. */
export async function highestNumber(db: Database, tenantId: Id<"tenant">): Promise<number> {
  const pattern = String.raw`^[a-z]+\.[a-z]+\.([1-9][0-9]{0,8})$`;
  return db.transaction(async (tx) => {
    await tx.execute(sql`set local statement_timeout = 0`);
    const [row] = await tx.execute<{ highest: string | null }>(sql`
      select max(substring(username_key from ${pattern}::text)::int) as highest from users
      where tenant_id = ${uuidFromId("tenant", tenantId)}::uuid`);
    return Number(row?.highest ?? 0);
  });
}

/** Some of the tenant's users, as uuids. */
export async function someUsers(db: Database, tenantId: Id<"tenant">, limit: number): Promise<string[]> {
  const rows = await db.execute<{ id: string }>(sql`
    select id from users where tenant_id = ${uuidFromId("tenant", tenantId)}::uuid limit ${limit}`);
  return rows.map(({ id }) => id);
}

/** Makes the audit trail's partition of the month that a moment lies in. */
export async function ensureAuditPartition(db: Database, moment: Date): Promise<void> {
  await db.execute(sql`select ensure_audit_partition(${moment.toISOString()}::timestamptz)`);
}

const filledTables = [
  "users",
  "user_emails",
  "user_search",
  "password_credentials",
  "user_roles",
  "organization_members",
  "audit_events",
];

/** The database's statistics, without which the first queries over so many new rows are planned badly. */
export async function analyze(db: Database): Promise<void> {
  for (const table of filledTables) {
    await db.$client.begin(async (tx) => {
      await tx`set local statement_timeout = 0`;
      await tx`analyze ${tx(table)}`;
    });
  }
}
