import { and, eq, isNull, ne, or, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import { arrayLiteral } from "../../db/batched.ts";
import {
  type Database,
  type Executor,
  type Fragment,
  parameter,
  prepared,
  type Sql,
} from "../../db/client.ts";
import { clients, refreshTokens, sessions, tokenFamilies, userEmails, users } from "../../db/schema/index.ts";
import { accessTokenInsert, type AccessTokenRow } from "../access-tokens/access.ts";
import type { Id } from "../../lib/ids.ts";
import { uuidFromId } from "../../lib/ids.ts";
import { type AuditRow, eventInsert } from "../audit/service.ts";
import { primaryEmail, userColumns } from "../users/service.ts";

const successors = alias(refreshTokens, "successors");

const refreshTokenById = prepared((db) =>
  db
    .select({
      token: refreshTokens,
      successorUsed: sql<boolean>`${successors.rotatedAt} is not null`,
      family: tokenFamilies,
      clientId: clients.clientId,
      session: {
        id: sessions.id,
        authTime: sessions.authTime,
        acr: sessions.acr,
        amr: sessions.amr,
        expiresAt: sessions.expiresAt,
        revokedAt: sessions.revokedAt,
        lastSeenAt: sessions.lastSeenAt,
        secretHash: sessions.secretHash,
      },
      user: userColumns,
    })
    .from(refreshTokens)
    .innerJoin(
      tokenFamilies,
      and(eq(tokenFamilies.tenantId, refreshTokens.tenantId), eq(tokenFamilies.id, refreshTokens.familyId)),
    )
    .innerJoin(
      clients,
      and(eq(clients.tenantId, tokenFamilies.tenantId), eq(clients.id, tokenFamilies.clientId)),
    )
    .innerJoin(
      sessions,
      and(eq(sessions.tenantId, tokenFamilies.tenantId), eq(sessions.id, tokenFamilies.sessionId)),
    )
    .innerJoin(users, and(eq(users.tenantId, tokenFamilies.tenantId), eq(users.id, tokenFamilies.userId)))
    .leftJoin(userEmails, primaryEmail)
    .leftJoin(
      successors,
      and(eq(successors.tenantId, refreshTokens.tenantId), eq(successors.id, refreshTokens.successorId)),
    )
    .where(
      and(
        eq(refreshTokens.tenantId, parameter(refreshTokens.tenantId, "tenantId")),
        eq(refreshTokens.id, parameter(refreshTokens.id, "id")),
      ),
    )
    .prepare("refresh_token_by_id"),
);

/** A refresh token with all that its exchange needs, in one round trip. */
export async function findRefreshToken(db: Database, tenantId: Id<"tenant">, id: Id<"refreshToken">) {
  const [found] = await refreshTokenById(db).execute({ tenantId, id });
  return found;
}
export type FoundRefreshToken = NonNullable<Awaited<ReturnType<typeof findRefreshToken>>>;

export interface Rotation {
  tenantId: Id<"tenant">;
  id: Id<"refreshToken">;
  familyId: Id<"tokenFamily">;
  sessionId: Id<"session">;
  successor: {
    id: Id<"refreshToken">;
    hash: Buffer;
    sealed: Buffer;
    scope: readonly string[];
    expiresAt: Date;
  };
  /** Whether to write down that the session is used. Otherwise it is only held, so that others of it need not wait. */
  touchesSession: boolean;
  /** When the family is to end from now on; undefined: it already lives as long as the successor, and is only held. */
  familyExpiresAt: Date | undefined;
  audit: AuditRow;
  now: Date;
}

/**
 * Exchanges a refresh token for its successor, in one statement: of two requests that race, one rotates and the
 * other changes nothing. A family that was revoked in the meantime rotates no more, nor does one whose session somebody
 * ends meanwhile: they wait for each other.
 * @returns whether this request was the one
 */
export async function rotate(db: Database, rotation: Rotation): Promise<boolean> {
  const { tenantId, successor } = rotation;
  const client = db.$client;
  const tenant = uuidFromId("tenant", tenantId);
  const now = rotation.now.toISOString();
  const expiresAt = successor.expiresAt.toISOString();
  const session = uuidFromId("session", rotation.sessionId);
  const family = uuidFromId("tokenFamily", rotation.familyId);
  // Every change of its end is one of all its indexes.
  const live = rotation.familyExpiresAt
    ? client`
      update token_families f
      set expires_at = greatest(f.expires_at, ${rotation.familyExpiresAt.toISOString()}::timestamptz)
      from locked
      where f.tenant_id = ${tenant}::uuid and f.id = ${family}::uuid and f.revoked_at is null
      returning f.id`
    : client`
      select f.id from token_families f, locked
      where f.tenant_id = ${tenant}::uuid and f.id = ${family}::uuid and f.revoked_at is null
      for share of f`;
  const touched = rotation.touchesSession
    ? client`, touched as (
      update sessions s
      set last_seen_at = ${now}::timestamptz,
        expires_at = case when s.secret_hash is null then ${expiresAt}::timestamptz else s.expires_at end
      from rotated r
      where s.tenant_id = r.tenant_id and s.id = ${session}::uuid)`
    : client``;
  const rows = await client`
    with locked as (
      select s.id from sessions s
      where s.tenant_id = ${tenant}::uuid and s.id = ${session}::uuid
      ${rotation.touchesSession ? client`for no key update` : client`for share`}
    ), live as (${live}), rotated as (
      update refresh_tokens t
      set rotated_at = ${now}::timestamptz, successor_id = ${uuidFromId("refreshToken", successor.id)}::uuid,
        successor_sealed = ${successor.sealed}::bytea
      from live
      where t.tenant_id = ${tenant}::uuid and t.id = ${uuidFromId("refreshToken", rotation.id)}::uuid
        and t.family_id = live.id and t.rotated_at is null
      returning t.tenant_id, t.family_id
    ), issued as (
      insert into refresh_tokens (tenant_id, id, family_id, hash, scope, issued_at, expires_at)
      select tenant_id, ${uuidFromId("refreshToken", successor.id)}::uuid, family_id, ${successor.hash}::bytea,
        ${arrayLiteral(successor.scope)}::text[], ${now}::timestamptz, ${expiresAt}::timestamptz
      from rotated
    )${touched}, audited as (${eventInsert(client, rotation.audit, "rotated")})
    select 1 from rotated`;
  return rows.length > 0;
}

export interface Issuance {
  /** Null where nobody signed in. */
  sessionId: Id<"session"> | null;
  /**
   * Uses up what is exchanged: a statement that returns one row when it did and none when somebody else was quicker. It does
   * nothing either unless there is a row in `live`.
   */
  consumption: (sql: Sql) => Fragment;
  family: typeof tokenFamilies.$inferInsert;
  refreshToken: typeof refreshTokens.$inferInsert | undefined;
  accessToken: AccessTokenRow | undefined;
  audit: AuditRow;
}

/**
 * Opens a family for something that is used up, in one statement: of two requests that race, one issues. The session is
 * locked first, so that a sign-out that comes meanwhile ends the family too.
 * @returns whether this request was the one; false also when the session has ended
 */
export async function issue(db: Database, issuance: Issuance): Promise<boolean> {
  const sql = db.$client;
  const { sessionId, consumption, family, refreshToken, accessToken } = issuance;
  const tenant = uuidFromId("tenant", family.tenantId);
  const session = sessionId && uuidFromId("session", sessionId);
  const live = session
    ? sql`select 1 from sessions s where s.tenant_id = ${tenant}::uuid and s.id = ${session}::uuid
        and s.revoked_at is null for share`
    : sql`select 1`;
  const rows = await sql`
    with live as (${live}), consumed as (${consumption(sql)})${familyInserts(sql, family, refreshToken, "consumed")}${
      accessToken ? sql`, access as (${accessTokenInsert(sql, accessToken, "consumed")})` : sql``
    }, audited as (${eventInsert(sql, issuance.audit, "consumed")})
    select 1 from consumed`;
  return rows.length > 0;
}

/** What is stored of a family that begins. */
export interface FamilyRecord {
  readonly family: typeof tokenFamilies.$inferInsert;
  readonly refreshToken: typeof refreshTokens.$inferInsert | undefined;
}

/**
 * Opens a family, with its first refresh token if it is to have one, as a part of a larger statement: common table expressions,
 * each with the comma before it.
 * @param source the common table expression that has a row exactly when the family is to be opened
 */
export function familyInserts(
  sql: Sql,
  family: typeof tokenFamilies.$inferInsert,
  refreshToken: typeof refreshTokens.$inferInsert | undefined,
  source: string,
): Fragment {
  const tenant = uuidFromId("tenant", family.tenantId);
  const familyId = uuidFromId("tokenFamily", family.id);
  const refresh =
    refreshToken &&
    sql`, refresh as (
      insert into refresh_tokens (tenant_id, id, family_id, hash, scope, issued_at, expires_at)
      select ${tenant}::uuid, ${uuidFromId("refreshToken", refreshToken.id)}::uuid, ${familyId}::uuid,
        ${refreshToken.hash}::bytea, ${arrayLiteral(refreshToken.scope)}::text[],
        ${refreshToken.issuedAt.toISOString()}::timestamptz, ${refreshToken.expiresAt.toISOString()}::timestamptz
      from ${sql(source)})`;
  return sql`, family as (
      insert into token_families (tenant_id, id, user_id, client_id, session_id, scope, resources, claims, dpop_jkt,
        offline, created_at, expires_at)
      select ${tenant}::uuid, ${familyId}::uuid, ${uuidFromId("user", family.userId)}::uuid,
        ${uuidFromId("client", family.clientId)}::uuid,
        ${family.sessionId ? uuidFromId("session", family.sessionId) : null}::uuid, ${arrayLiteral(family.scope)}::text[],
        ${arrayLiteral(family.resources ?? [])}::text[], ${family.claims ?? null}::text, ${family.dpopJkt ?? null}::text,
        ${family.offline}::boolean, ${family.createdAt.toISOString()}::timestamptz,
        ${family.expiresAt.toISOString()}::timestamptz
      from ${sql(source)})${refresh ?? sql``}`;
}

/** @returns whether the family was live until now. */
export async function markFamilyRevoked(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"tokenFamily">,
  reason: string,
  now: Date,
): Promise<boolean> {
  const revoked = await executor
    .update(tokenFamilies)
    .set({ revokedAt: now, revokedReason: reason })
    .where(
      and(eq(tokenFamilies.tenantId, tenantId), eq(tokenFamilies.id, id), isNull(tokenFamilies.revokedAt)),
    )
    .returning({ id: tokenFamilies.id });
  return revoked.length > 0;
}

export async function revokeFamiliesOfSession(
  executor: Executor,
  tenantId: Id<"tenant">,
  sessionId: Id<"session">,
  { includingOffline, now }: { includingOffline: boolean; now: Date },
): Promise<void> {
  await executor
    .update(tokenFamilies)
    .set({ revokedAt: now, revokedReason: "logout" })
    .where(
      and(
        eq(tokenFamilies.tenantId, tenantId),
        eq(tokenFamilies.sessionId, sessionId),
        isNull(tokenFamilies.revokedAt),
        includingOffline ? undefined : eq(tokenFamilies.offline, false),
      ),
    );
}

export async function revokeAllFamiliesOfUser(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  reason: string,
  now: Date,
  exceptSession?: Id<"session">,
): Promise<void> {
  await executor
    .update(tokenFamilies)
    .set({ revokedAt: now, revokedReason: reason })
    .where(
      and(
        eq(tokenFamilies.tenantId, tenantId),
        eq(tokenFamilies.userId, userId),
        isNull(tokenFamilies.revokedAt),
        exceptSession && or(isNull(tokenFamilies.sessionId), ne(tokenFamilies.sessionId, exceptSession)),
      ),
    );
}
