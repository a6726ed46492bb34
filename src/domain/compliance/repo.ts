import { sql } from "drizzle-orm";
import { type Database, type Executor, moment } from "../../db/client.ts";
import { type Id, uuidFromId } from "../../lib/ids.ts";

export interface Period {
  readonly from: Date;
  readonly to: Date;
}

export interface About {
  readonly tenantId: Id<"tenant">;
  readonly period: Period;
  readonly now: Date;
  /** Who has not signed in since then is dormant. */
  readonly dormantBefore: Date;
  readonly masterKeyId: string;
  /** Since when the trail is shown. */
  readonly shownFrom: Date;
}

/**
 * Lets a query take the time that a large tenant's takes, on one core: those who sign in meanwhile are in more of a hurry.
 */
export async function patiently<Result>(
  db: Database,
  work: (executor: Executor) => Promise<Result>,
): Promise<Result> {
  return db.transaction(
    async (tx) => {
      await tx.execute(sql`select set_config('statement_timeout', '3600000', true),
        set_config('max_parallel_workers_per_gather', '0', true)`);
      return work(tx);
    },
    { accessMode: "read only" },
  );
}

/** One row of counts. Names are the evidence's own. */
async function counts<Name extends string>(
  executor: Executor,
  names: readonly Name[],
  query: ReturnType<typeof sql>,
): Promise<Record<Name, number>> {
  const [row] = await executor.execute(query);
  const pairs = names.map((name): [Name, number] => [name, Number(row?.[name] ?? 0)]);
  return Object.fromEntries(pairs) as Record<Name, number>;
}

const tenantOf = ({ tenantId }: About) => sql`${uuidFromId("tenant", tenantId)}::uuid`;

/** How often something happened on a day of the period. */
export interface DayCount {
  /** Which of the days that were asked for, from 0. */
  readonly day: number;
  readonly type: string;
  readonly events: number;
  /** Reports that somebody read, other than the trail itself. */
  readonly reports: number;
}

/** Each day by itself: what of it is looked at lies together, and no day is worked out of any moment. */
export async function countDays(
  executor: Executor,
  about: About,
  days: readonly Period[],
): Promise<DayCount[]> {
  const list = (moments: readonly Date[]) => `{${moments.map((date) => date.toISOString()).join(",")}}`;
  const rows = await executor.execute<{ day: string; type: string; events: string; reports: string }>(sql`
    select days.number - 1 as day, known.type, known.events, known.reports
    from unnest(${list(days.map(({ from }) => from))}::timestamptz[], ${list(days.map(({ to }) => to))}::timestamptz[])
      with ordinality as days(start_at, end_at, number)
    cross join lateral (
      select type, count(*) as events,
        count(*) filter (where type = 'report.downloaded' and details ->> 'kind' <> 'audit_export') as reports
      from audit_events where tenant_id = ${tenantOf(about)}
        and created_at >= days.start_at and created_at < days.end_at
      group by type) known`);
  return rows.map(({ day, type, events, reports }) => ({
    day: Number(day),
    type,
    events: Number(events),
    reports: Number(reports),
  }));
}

/**
 * Administrators: by a role of their own, or by a group that they are in themselves. Few have such a role, and who has a
 * factor is read once: looked for with each user, they would cost a million times as much.
 */
const withFacts = (about: About) => sql`
  with administering as materialized (
    select r.id from roles r where r.tenant_id = ${tenantOf(about)} and r.name in ('admin', 'super_admin')),
  admins as materialized (
    select ur.user_id from user_roles ur
      where ur.tenant_id = ${tenantOf(about)} and ur.role_id in (select id from administering)
    union
    select gu.user_id from group_users gu join group_roles gr
        on gr.tenant_id = gu.tenant_id and gr.group_id = gu.group_id
      where gu.tenant_id = ${tenantOf(about)} and gr.role_id in (select id from administering)),
  proven as materialized (
    select d.user_id from totp_devices d where d.tenant_id = ${tenantOf(about)} and d.confirmed_at is not null
    union
    select p.user_id from passkeys p where p.tenant_id = ${tenantOf(about)}),
  person as (
    select u.id, u.enabled, coalesce(u.last_login_at, u.created_at) < ${moment(about.dormantBefore)} as dormant,
      u.id in (select user_id from proven) as has_factor, u.id in (select user_id from admins) as admin
    from users u where u.tenant_id = ${tenantOf(about)})`;

export const countUsers = (executor: Executor, about: About) =>
  counts(
    executor,
    [
      "users",
      "enabled_users",
      "users_with_factor",
      "admins",
      "admins_with_factor",
      "dormant_users",
      "dormant_admins",
    ],
    sql`${withFacts(about)}
      select count(*) as users, count(*) filter (where enabled) as enabled_users,
        count(*) filter (where enabled and has_factor) as users_with_factor,
        count(*) filter (where enabled and admin) as admins,
        count(*) filter (where enabled and admin and has_factor) as admins_with_factor,
        count(*) filter (where enabled and dormant) as dormant_users,
        count(*) filter (where enabled and dormant and admin) as dormant_admins
      from person`,
  );

export const countPasswords = (executor: Executor, about: About) =>
  counts(
    executor,
    ["passwords", "weak_hashes"],
    sql`select count(*) as passwords, count(*) filter (where hash not like '$argon2id$%') as weak_hashes
      from password_credentials where tenant_id = ${tenantOf(about)}`,
  );

export const countSessions = (executor: Executor, about: About) =>
  counts(
    executor,
    ["active_sessions", "longest_session_hours", "sessions_of_disabled_users"],
    sql`select count(*) as active_sessions,
        ceil(coalesce(max(extract(epoch from s.expires_at - s.created_at)), 0) / 3600) as longest_session_hours,
        count(*) filter (where not u.enabled) as sessions_of_disabled_users
      from sessions s join users u on u.tenant_id = s.tenant_id and u.id = s.user_id
      where s.tenant_id = ${tenantOf(about)} and s.revoked_at is null and s.expires_at > ${moment(about.now)}`,
  );

export const countRetention = (executor: Executor, about: About) =>
  counts(
    executor,
    ["oldest_event_days", "overdue_deletions", "expired_data_copies"],
    sql`select
      (select extract(day from ${moment(about.now)} - min(created_at)) from audit_events
        where tenant_id = ${tenantOf(about)} and created_at >= ${moment(about.shownFrom)}) as oldest_event_days,
      (select count(*) from account_deletions where tenant_id = ${tenantOf(about)} and erased_at is null
        and cancelled_at is null and due_at < ${moment(about.now)} - interval '1 day') as overdue_deletions,
      (select count(*) from data_exports where tenant_id = ${tenantOf(about)}
        and expires_at < ${moment(about.now)} - interval '1 day') as expired_data_copies`,
  );

/** Of applications that are not the tenant's own: those need its users' consent. */
export const countConsents = (executor: Executor, about: About) =>
  counts(
    executor,
    ["third_party_clients", "consents", "access_without_consent"],
    sql`select
      (select count(*) from clients where tenant_id = ${tenantOf(about)} and not first_party) as third_party_clients,
      (select count(*) from grants where tenant_id = ${tenantOf(about)}) as consents,
      (select count(*) from token_families f
        join clients c on c.tenant_id = f.tenant_id and c.id = f.client_id and not c.first_party
        where f.tenant_id = ${tenantOf(about)} and f.revoked_at is null and f.expires_at > ${moment(about.now)}
          and f.session_id is not null and not exists (select 1 from grants g
            where g.tenant_id = f.tenant_id and g.user_id = f.user_id and g.client_id = f.client_id))
        as access_without_consent`,
  );

export const countEncryption = (executor: Executor, about: About) =>
  counts(
    executor,
    ["signing_keys", "oldest_signing_key_days", "sealed_secrets", "sealed_under_older_master_key"],
    sql`with keys as (
        select distinct on (alg) active_from from signing_keys where tenant_id = ${tenantOf(about)}
          and revoked_at is null and active_from <= ${moment(about.now)}
          and (retired_at is null or retired_at > ${moment(about.now)})
        order by alg, active_from desc),
      sealed as (
        select master_key_id from signing_keys where tenant_id = ${tenantOf(about)} and revoked_at is null
          and (retired_at is null or retired_at > ${moment(about.now)})
        union all select master_key_id from totp_devices where tenant_id = ${tenantOf(about)}
        union all select master_key_id from backup_code_sets where tenant_id = ${tenantOf(about)})
      select (select count(*) from keys) as signing_keys,
        (select floor(extract(epoch from ${moment(about.now)} - min(active_from)) / 86400) from keys)
          as oldest_signing_key_days,
        (select count(*) from sealed) as sealed_secrets,
        (select count(*) from sealed where master_key_id <> ${about.masterKeyId}) as sealed_under_older_master_key`,
  );
