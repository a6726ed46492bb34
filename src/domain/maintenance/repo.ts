import { type SQL, sql } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import { type Executor, moment } from "../../db/client.ts";
import {
  authorizationCodes,
  challenges,
  jobLedger,
  refreshTokens,
  sessions,
  tokenFamilies,
} from "../../db/schema/index.ts";

/** Deletes up to `limit` rows and says how many it was. */
export type DeleteBatch = (executor: Executor, before: Date, now: Date, limit: number) => Promise<number>;

export const deleteChallenges: DeleteBatch = (executor, before, _now, limit) =>
  deleteBatch(
    executor,
    challenges,
    sql`id`,
    sql`row.expires_at < ${moment(before)}`,
    sql`row.expires_at`,
    limit,
  );

/**
 * A used code stays while what it issued lives: coming a second time it revokes that (RFC 6749 §4.1.2), for which it
 * has to be known.
 */
export const deleteAuthorizationCodes: DeleteBatch = (executor, before, now, limit) =>
  deleteBatch(
    executor,
    authorizationCodes,
    sql`id`,
    sql`row.expires_at < ${moment(before)} and not exists (
      select 1 from ${tokenFamilies} family
      where family.tenant_id = row.tenant_id and family.id = row.family_id
        and family.expires_at > ${moment(now)} and family.revoked_at is null)`,
    sql`row.expires_at`,
    limit,
  );

/** Takes the families' refresh tokens with them. */
export const deleteTokenFamilies: DeleteBatch = (executor, before, _now, limit) =>
  deleteBatch(
    executor,
    tokenFamilies,
    sql`id`,
    sql`row.expires_at < ${moment(before)}`,
    sql`row.expires_at`,
    limit,
  );

/** The rotated tokens of families that live on. */
export const deleteRefreshTokens: DeleteBatch = (executor, before, _now, limit) =>
  deleteBatch(
    executor,
    refreshTokens,
    sql`id`,
    sql`row.expires_at < ${moment(before)}`,
    sql`row.expires_at`,
    limit,
  );

/**
 * Deleting a session deletes its token families. Those with offline access outlive their session
 * (OpenID Connect Core §11), so the session stays for as long as one of them.
 */
export const deleteSessions: DeleteBatch = (executor, before, now, limit) =>
  deleteBatch(
    executor,
    sessions,
    sql`id`,
    sql`row.expires_at < ${moment(before)} and not exists (
      select 1 from ${tokenFamilies} family
      where family.tenant_id = row.tenant_id and family.session_id = row.id and family.expires_at > ${moment(now)})`,
    sql`row.expires_at`,
    limit,
  );

export const deleteCompletedJobs: DeleteBatch = (executor, before, _now, limit) =>
  deleteBatch(
    executor,
    jobLedger,
    sql`job_id`,
    sql`row.started_at < ${moment(before)} and row.completed_at < ${moment(before)}`,
    sql`row.started_at`,
    limit,
  );

/** Whatever became of them: their jobs are no longer on the queue. */
export const deleteAbandonedJobs: DeleteBatch = (executor, before, _now, limit) =>
  deleteBatch(
    executor,
    jobLedger,
    sql`job_id`,
    sql`row.started_at < ${moment(before)}`,
    sql`row.started_at`,
    limit,
  );

/** By primary key, along an index, and past rows that somebody is using: never waits, never takes long. */
async function deleteBatch(
  executor: Executor,
  table: PgTable,
  key: SQL,
  condition: SQL,
  order: SQL,
  limit: number,
): Promise<number> {
  const result = await executor.execute(sql`
    delete from ${table} where (tenant_id, ${key}) in (
      select row.tenant_id, row.${key} from ${table} as row
      where ${condition} order by ${order} limit ${limit} for update of row skip locked)`);
  return result.count;
}

/** Makes the audit trail's partition for the month that holds `month`, if it is not there. */
export async function ensureAuditPartition(executor: Executor, month: Date): Promise<void> {
  await executor.execute(sql`select ensure_audit_partition(${moment(month)})`);
}
