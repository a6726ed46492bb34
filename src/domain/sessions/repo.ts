import { and, desc, eq, gt, inArray, isNotNull, isNull, ne, or, sql } from "drizzle-orm";
import { arrayLiteral } from "../../db/batched.ts";
import {
  type Database,
  type Executor,
  type Fragment,
  parameter,
  prepared,
  type Sql,
} from "../../db/client.ts";
import { clients, sessions, tokenFamilies, users } from "../../db/schema/index.ts";
import { userEmails } from "../../db/schema/users.ts";
import { type Id, uuidFromId } from "../../lib/ids.ts";
import { NATIVE_CLIENT_ID } from "../clients/service.ts";
import { primaryEmail, type User, userColumns } from "../users/service.ts";

export type SessionRow = typeof sessions.$inferSelect;
export type SessionRecord = typeof sessions.$inferInsert;

const withUser = prepared((db) =>
  db
    .select({ session: sessions, user: userColumns })
    .from(sessions)
    .innerJoin(users, and(eq(users.tenantId, sessions.tenantId), eq(users.id, sessions.userId)))
    .leftJoin(userEmails, primaryEmail)
    .where(
      and(
        eq(sessions.tenantId, parameter(sessions.tenantId, "tenantId")),
        eq(sessions.id, parameter(sessions.id, "id")),
      ),
    )
    .prepare("session_with_user"),
);

/** A session and its user, in one round trip. */
export async function findWithUser(
  db: Database,
  tenantId: Id<"tenant">,
  id: Id<"session">,
): Promise<{ session: SessionRow; user: User } | undefined> {
  const [row] = await withUser(db).execute({ tenantId, id });
  return row;
}

export async function insertSession(
  executor: Executor,
  session: typeof sessions.$inferInsert,
): Promise<void> {
  await executor.insert(sessions).values(session);
}

/**
 * Keeps a session that begins, as a part of a larger statement.
 * @param source the common table expression that has a row exactly when it begins
 */
export const sessionInsert = (driver: Sql, row: SessionRecord, source: string): Fragment => driver`
  insert into sessions (tenant_id, id, user_id, secret_hash, auth_time, acr, amr, ip, user_agent, impersonation_id,
    created_at, last_seen_at, expires_at)
  select ${uuidFromId("tenant", row.tenantId)}::uuid, ${uuidFromId("session", row.id)}::uuid,
    ${uuidFromId("user", row.userId)}::uuid, ${row.secretHash ?? null}::bytea, ${row.authTime.toISOString()}::timestamptz,
    ${row.acr}::text, ${arrayLiteral(row.amr)}::text[], ${row.ip ?? null}::text, ${row.userAgent ?? null}::text,
    ${row.impersonationId ? uuidFromId("impersonation", row.impersonationId) : null}::uuid,
    ${row.createdAt.toISOString()}::timestamptz, ${row.lastSeenAt.toISOString()}::timestamptz,
    ${row.expiresAt.toISOString()}::timestamptz
  from ${driver(source)}`;

/** Holds the session as it is until the transaction ends; @returns whether it stands. */
export async function lockLiveSession(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"session">,
): Promise<boolean> {
  const [row] = await executor
    .select({ revokedAt: sessions.revokedAt })
    .from(sessions)
    .where(and(eq(sessions.tenantId, tenantId), eq(sessions.id, id)))
    .for("share");
  return row !== undefined && !row.revokedAt;
}

/**
 * Makes a session that stands a fresh one, as a part of a larger statement.
 * @param source the common table expression that has a row exactly when it is to be renewed
 * @returns one row when it still stood, and is the user's own
 */
export const sessionRenewal = (driver: Sql, row: SessionRecord, source: string): Fragment => driver`
  update sessions s
  set secret_hash = ${row.secretHash ?? null}::bytea, auth_time = ${row.authTime.toISOString()}::timestamptz,
    acr = ${row.acr}::text, amr = ${arrayLiteral(row.amr)}::text[], ip = ${row.ip ?? null}::text,
    user_agent = ${row.userAgent ?? null}::text, last_seen_at = ${row.lastSeenAt.toISOString()}::timestamptz,
    expires_at = ${row.expiresAt.toISOString()}::timestamptz
  from ${driver(source)}
  where s.tenant_id = ${uuidFromId("tenant", row.tenantId)}::uuid and s.id = ${uuidFromId("session", row.id)}::uuid
    and s.user_id = ${uuidFromId("user", row.userId)}::uuid and s.revoked_at is null and s.impersonation_id is null
  returning s.id as session_id`;

/** @returns whether the session still stood, and is the user's own. */
export async function raise(
  executor: Executor,
  session: { tenantId: Id<"tenant">; id: Id<"session"> },
  proof: { amr: string[]; acr: string; authTime?: Date },
): Promise<boolean> {
  const raised = await executor
    .update(sessions)
    .set(proof)
    .where(
      and(
        eq(sessions.tenantId, session.tenantId),
        eq(sessions.id, session.id),
        isNull(sessions.revokedAt),
        isNull(sessions.impersonationId),
      ),
    )
    .returning({ id: sessions.id });
  return raised.length > 0;
}

/** Of requests that come at once, one writes. */
export async function touch(
  db: Database,
  session: { tenantId: Id<"tenant">; id: Id<"session"> },
  { seenAt, now }: { seenAt: Date; now: Date },
): Promise<void> {
  await db
    .update(sessions)
    .set({ lastSeenAt: now })
    .where(
      and(
        eq(sessions.tenantId, session.tenantId),
        eq(sessions.id, session.id),
        eq(sessions.lastSeenAt, seenAt),
        isNull(sessions.revokedAt),
      ),
    );
}

/** @returns whether the user had such a session, and it was still open. */
export async function markRevoked(
  executor: Executor,
  { tenantId, id, userId }: { tenantId: Id<"tenant">; id: Id<"session">; userId: Id<"user"> },
  now: Date,
): Promise<boolean> {
  const revoked = await executor
    .update(sessions)
    .set({ revokedAt: now })
    .where(
      and(
        eq(sessions.tenantId, tenantId),
        eq(sessions.id, id),
        eq(sessions.userId, userId),
        isNull(sessions.revokedAt),
      ),
    )
    .returning({ id: sessions.id });
  return revoked.length > 0;
}

/** @returns those that were still open. */
export async function markAllRevoked(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  now: Date,
  except?: Id<"session">,
): Promise<Id<"session">[]> {
  const revoked = await executor
    .update(sessions)
    .set({ revokedAt: now })
    .where(
      and(
        eq(sessions.tenantId, tenantId),
        eq(sessions.userId, userId),
        isNull(sessions.revokedAt),
        except && ne(sessions.id, except),
      ),
    )
    .returning({ id: sessions.id });
  return revoked.map(({ id }) => id);
}

/** Clients with a back-channel logout URI that got tokens in these sessions. */
export async function findApplicationsToTell(
  executor: Executor,
  tenantId: Id<"tenant">,
  sessionIds: readonly Id<"session">[],
): Promise<{ clientId: Id<"client">; sessionId: Id<"session"> }[]> {
  if (sessionIds.length === 0) return [];
  const rows = await executor
    .selectDistinct({ clientId: tokenFamilies.clientId, sessionId: tokenFamilies.sessionId })
    .from(tokenFamilies)
    .innerJoin(
      clients,
      and(eq(clients.tenantId, tokenFamilies.tenantId), eq(clients.id, tokenFamilies.clientId)),
    )
    .where(
      and(
        eq(tokenFamilies.tenantId, tenantId),
        inArray(tokenFamilies.sessionId, [...sessionIds]),
        isNotNull(clients.backchannelLogoutUri),
      ),
    );
  return rows.flatMap(({ clientId, sessionId }) => (sessionId ? [{ clientId, sessionId }] : []));
}

/** What a logout token is made of and where it goes. */
const recipientColumns = {
  clientId: clients.clientId,
  backchannelLogoutUri: clients.backchannelLogoutUri,
  idTokenSignedResponseAlg: clients.idTokenSignedResponseAlg,
  subjectType: clients.subjectType,
  sectorIdentifierUri: clients.sectorIdentifierUri,
  redirectUris: clients.redirectUris,
};

export async function findLogoutRecipient(executor: Executor, tenantId: Id<"tenant">, id: Id<"client">) {
  const [client] = await executor
    .select(recipientColumns)
    .from(clients)
    .where(and(eq(clients.tenantId, tenantId), eq(clients.id, id)));
  return client;
}

export interface LiveSessionRow {
  readonly id: Id<"session">;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly amr: readonly string[];
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
  /** Whether it is an administrator's, who signed in as the user. */
  readonly impersonated: boolean;
  /** Names of the applications that were signed in to, the native API's own left out. */
  readonly applications: readonly string[];
}

/** @param usedAfter what a browser session must have been used after; undefined where it may be left unused */
export async function findLive(
  db: Database,
  user: { tenantId: Id<"tenant">; id: Id<"user"> },
  { now, usedAfter, limit }: { now: Date; usedAfter: Date | undefined; limit: number },
): Promise<LiveSessionRow[]> {
  return db
    .select({
      id: sessions.id,
      ip: sessions.ip,
      userAgent: sessions.userAgent,
      amr: sessions.amr,
      createdAt: sessions.createdAt,
      lastSeenAt: sessions.lastSeenAt,
      expiresAt: sessions.expiresAt,
      impersonated: sql<boolean>`${sessions.impersonationId} is not null`,
      applications: sql<string[]>`array(select client.name
        from token_families family
        join clients client on client.tenant_id = family.tenant_id and client.id = family.client_id
        where family.tenant_id = sessions.tenant_id and family.session_id = sessions.id
          and family.revoked_at is null and client.client_id <> ${NATIVE_CLIENT_ID}
        union select client.name
        from saml_sessions there
        join saml_clients client on client.tenant_id = there.tenant_id and client.id = there.saml_client_id
        where there.tenant_id = sessions.tenant_id and there.session_id = sessions.id order by 1)`,
    })
    .from(sessions)
    .where(
      and(
        eq(sessions.tenantId, user.tenantId),
        eq(sessions.userId, user.id),
        isNull(sessions.revokedAt),
        gt(sessions.expiresAt, now),
        usedAfter && or(isNull(sessions.secretHash), gt(sessions.lastSeenAt, usedAfter)),
      ),
    )
    .orderBy(desc(sessions.lastSeenAt), desc(sessions.id))
    .limit(limit);
}
