import { type SQL, sql } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import { type Executor, moment } from "../../db/client.ts";
import {
  accessTokens,
  accountDeletions,
  apiKeys,
  authorizationCodes,
  challenges,
  clients,
  clientSecrets,
  dataExports,
  deviceAuthorizations,
  emailChanges,
  grants,
  impersonations,
  initialAccessTokens,
  jobLedger,
  lockouts,
  proofs,
  pushedAuthorizationRequests,
  rateLimits,
  refreshTokens,
  revokedAccessTokens,
  sessions,
  signingKeys,
  tokenFamilies,
  trustedDevices,
  upstreamSamlSessions,
  usedTokens,
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

export const deleteProofs: DeleteBatch = (executor, before, _now, limit) =>
  deleteBatch(executor, proofs, sql`id`, expired(before), sql`row.expires_at`, limit);

export const deleteEmailChanges: DeleteBatch = (executor, before, _now, limit) =>
  deleteBatch(executor, emailChanges, sql`id`, expired(before), sql`row.expires_at`, limit);

export const deleteDataExports: DeleteBatch = (executor, before, _now, limit) =>
  deleteBatch(executor, dataExports, sql`id`, expired(before), sql`row.expires_at`, limit);

/** Not those that wait for a worker: they are overdue, and not over. */
export const deleteAccountDeletions: DeleteBatch = (executor, before, _now, limit) =>
  deleteBatch(
    executor,
    accountDeletions,
    sql`id`,
    sql`row.due_at < ${moment(before)} and (row.erased_at is not null or row.cancelled_at is not null)`,
    sql`row.due_at`,
    limit,
  );

export const deleteTrustedDevices: DeleteBatch = (executor, before, _now, limit) =>
  deleteBatch(executor, trustedDevices, sql`id`, expired(before), sql`row.expires_at`, limit);

const expired = (before: Date) => sql`row.expires_at < ${moment(before)}`;

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

/**
 * Takes the families' refresh tokens with them. A family stays while its session lives and its client wants to be told
 * of the session's end (OpenID Connect Back-Channel Logout §2.7): nothing else knows that the client took part.
 */
export const deleteTokenFamilies: DeleteBatch = (executor, before, now, limit) =>
  deleteBatch(
    executor,
    tokenFamilies,
    sql`id`,
    sql`row.expires_at < ${moment(before)} and not exists (
      select 1 from ${sessions} session
      join ${clients} client on client.tenant_id = row.tenant_id and client.id = row.client_id
      where session.tenant_id = row.tenant_id and session.id = row.session_id and session.revoked_at is null
        and session.expires_at > ${moment(now)} and client.backchannel_logout_uri is not null)`,
    sql`row.expires_at`,
    limit,
  );

/** Long after they were retired: until then they still verify an id_token_hint. */
export const deleteSigningKeys: DeleteBatch = (executor, before, _now, limit) =>
  deleteBatch(
    executor,
    signingKeys,
    sql`id`,
    sql`row.retired_at < ${moment(before)}`,
    sql`row.retired_at`,
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

/** Most go with the session of ours that they began; those that waited for a second factor that nobody showed do not. */
export const deleteUpstreamSamlSessions: DeleteBatch = (executor, before, _now, limit) =>
  deleteExpired(executor, upstreamSamlSessions, sql`id`, before, limit);

export const deleteAccessTokens: DeleteBatch = (executor, before, _now, limit) =>
  deleteExpired(executor, accessTokens, sql`id`, before, limit);

export const deleteInitialAccessTokens: DeleteBatch = (executor, before, _now, limit) =>
  deleteExpired(executor, initialAccessTokens, sql`id`, before, limit);

/** Those that a rotation left some time for; a secret without an end has none. */
export const deleteClientSecrets: DeleteBatch = (executor, before, _now, limit) =>
  deleteExpired(executor, clientSecrets, sql`id`, before, limit);

/** A token that has expired is refused for that, revoked or not. */
export const deleteRevokedAccessTokens: DeleteBatch = (executor, before, _now, limit) =>
  deleteExpired(executor, revokedAccessTokens, sql`jti`, before, limit);

/**
 * Clients that strangers named by an address, and that nobody let in: each costs whoever makes addresses up one request.
 * They are read again when somebody comes with one. What an administrator disabled stays so.
 */
export const deleteUnusedDocumentClients: DeleteBatch = (executor, before, _now, limit) =>
  deleteBatch(
    executor,
    clients,
    sql`id`,
    sql`row.origin = 'metadata_document' and row.enabled and row.metadata_expires_at < ${moment(before)}
      ${sql.join(
        [grants, tokenFamilies, authorizationCodes, deviceAuthorizations, pushedAuthorizationRequests].map(
          (used) => sql`and not exists (
            select 1 from ${used} used where used.tenant_id = row.tenant_id and used.client_id = row.id)`,
        ),
        sql` `,
      )}`,
    sql`row.metadata_expires_at`,
    limit,
  );

/** By kind as well: a client may give an assertion and a request object the same `jti`. */
export const deleteUsedTokens: DeleteBatch = async (executor, before, _now, limit) => {
  const result = await executor.execute(sql`
    delete from ${usedTokens} where (tenant_id, kind, hash) in (
      select row.tenant_id, row.kind, row.hash from ${usedTokens} as row
      where row.expires_at < ${moment(before)} order by row.expires_at limit ${limit} for update of row skip locked)`);
  return result.count;
};

export const deletePushedAuthorizationRequests: DeleteBatch = (executor, before, _now, limit) =>
  deleteExpired(executor, pushedAuthorizationRequests, sql`id`, before, limit);

export const deleteDeviceAuthorizations: DeleteBatch = (executor, before, _now, limit) =>
  deleteExpired(executor, deviceAuthorizations, sql`id`, before, limit);

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

/** Long after the sessions that they began. */
export const deleteImpersonations: DeleteBatch = (executor, before, _now, limit) =>
  deleteExpired(executor, impersonations, sql`id`, before, limit);

/** Revoked or expired, whichever was first. */
export const deleteApiKeys: DeleteBatch = (executor, before, _now, limit) =>
  deleteBatch(
    executor,
    apiKeys,
    sql`id`,
    sql`least(row.expires_at, row.revoked_at) < ${moment(before)}`,
    sql`least(row.expires_at, row.revoked_at)`,
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

/** By the time that each row says itself: a lockout is remembered beyond its end. */
export const deleteLockouts: DeleteBatch = async (executor, before, _now, limit) => {
  const result = await executor.execute(sql`
    delete from ${lockouts} where (tenant_id, kind, key) in (
      select row.tenant_id, row.kind, row.key from ${lockouts} as row
      where row.expires_at < ${moment(before)} order by row.expires_at limit ${limit} for update of row skip locked)`);
  return result.count;
};

/** Of no tenant, and with a time of their own: milliseconds since the epoch. */
export const deleteRateLimits: DeleteBatch = async (executor, before, _now, limit) => {
  const result = await executor.execute(sql`
    delete from ${rateLimits} where key in (
      select row.key from ${rateLimits} as row
      where row.expire < ${before.getTime()}::bigint order by row.expire limit ${limit} for update of row skip locked)`);
  return result.count;
};

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

const deleteExpired = (executor: Executor, table: PgTable, key: SQL, before: Date, limit: number) =>
  deleteBatch(executor, table, key, sql`row.expires_at < ${moment(before)}`, sql`row.expires_at`, limit);

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
