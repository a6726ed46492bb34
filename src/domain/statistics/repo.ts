import { sql } from "drizzle-orm";
import { type Database, moment } from "../../db/client.ts";
import { type Id, uuidFromId } from "../../lib/ids.ts";

export interface Totals {
  readonly users: number;
  readonly activeSessions: number;
  readonly recentUsers: number;
  readonly tenants: number;
  readonly clients: number;
  readonly roles: number;
  readonly groups: number;
  readonly recentEvents: number;
}

type Row = Record<keyof Totals, string>;

/** @param since what counts as recent, of users and of events */
export async function countAll(
  db: Database,
  tenantId: Id<"tenant">,
  { now, usersSince, eventsSince }: { now: Date; usersSince: Date; eventsSince: Date },
): Promise<Totals> {
  const tenant = sql`tenant_id = ${uuidFromId("tenant", tenantId)}::uuid`;
  const [row] = await db.execute<Row>(sql`select
    (select count(*) from users where ${tenant}) as users,
    (select count(*) from sessions where ${tenant} and revoked_at is null and expires_at > ${moment(now)})
      as "activeSessions",
    (select count(*) from users where ${tenant} and created_at > ${moment(usersSince)}) as "recentUsers",
    (select count(*) from tenants) as tenants,
    (select count(*) from clients where ${tenant}) as clients,
    (select count(*) from roles where ${tenant}) as roles,
    (select count(*) from groups where ${tenant}) as groups,
    (select count(*) from audit_events where ${tenant} and created_at > ${moment(eventsSince)})
      as "recentEvents"`);
  if (!row) throw new Error("a query without a condition gave no row");
  return {
    users: Number(row.users),
    activeSessions: Number(row.activeSessions),
    recentUsers: Number(row.recentUsers),
    tenants: Number(row.tenants),
    clients: Number(row.clients),
    roles: Number(row.roles),
    groups: Number(row.groups),
    recentEvents: Number(row.recentEvents),
  };
}

/** Sign-ins by day (UTC); a day without any has no row. */
export async function countLogins(
  db: Database,
  tenantId: Id<"tenant">,
  since: Date,
): Promise<{ day: string; count: number }[]> {
  const rows = await db.execute<{ day: string; count: string }>(sql`
    select to_char(created_at at time zone 'UTC', 'YYYY-MM-DD') as day, count(*) as count from audit_events
    where tenant_id = ${uuidFromId("tenant", tenantId)}::uuid and type = 'user.login'
      and created_at >= ${moment(since)}
    group by 1 order by 1`);
  return rows.map(({ day, count }) => ({ day, count: Number(count) }));
}

/** How many users have each role without any group. */
export async function countRoles(
  db: Database,
  tenantId: Id<"tenant">,
): Promise<{ role: string; count: number }[]> {
  const rows = await db.execute<{ role: string; count: string }>(sql`
    select r.name as role, count(ur.user_id) as count from roles r
    left join user_roles ur on ur.tenant_id = r.tenant_id and ur.role_id = r.id
    where r.tenant_id = ${uuidFromId("tenant", tenantId)}::uuid group by r.name order by r.name`);
  return rows.map(({ role, count }) => ({ role, count: Number(count) }));
}
