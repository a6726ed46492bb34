import { and, asc, eq, gt, inArray, isNotNull, isNull, or, sql } from "drizzle-orm";
import type { Database, Executor } from "../../db/client.ts";
import { connections, externalAccounts, sessions, upstreamSamlSessions } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";

export type UpstreamSession = typeof upstreamSamlSessions.$inferSelect;

export async function insertUpstreamSession(executor: Executor, session: UpstreamSession): Promise<void> {
  await executor.insert(upstreamSamlSessions).values(session);
}

/** For how long a sign-in may wait for its second factor. */
const PENDING_SECONDS = 300;

/** One of our sessions that began with one of theirs; where a second factor came between, by whose it is and when. */
const belongsTogether = and(
  eq(sessions.tenantId, upstreamSamlSessions.tenantId),
  eq(sessions.userId, upstreamSamlSessions.userId),
  or(
    eq(sessions.id, upstreamSamlSessions.sessionId),
    and(
      isNull(upstreamSamlSessions.sessionId),
      sql`'fed' = any(${sessions.amr})`,
      sql`${sessions.authTime} between ${upstreamSamlSessions.createdAt}
        and ${upstreamSamlSessions.createdAt} + make_interval(secs => ${PENDING_SECONDS})`,
    ),
  ),
);

export interface EndableSession {
  readonly tenantId: Id<"tenant">;
  readonly id: Id<"session">;
  readonly userId: Id<"user">;
}

/** @param sessionIndexes none: all of that name */
export async function findSessionsOfName(
  db: Database,
  of: { tenantId: Id<"tenant">; connectionId: Id<"connection">; nameIdHash: Buffer },
  sessionIndexes: readonly string[],
): Promise<EndableSession[]> {
  return db
    .selectDistinct({ tenantId: sessions.tenantId, id: sessions.id, userId: sessions.userId })
    .from(upstreamSamlSessions)
    .innerJoin(sessions, belongsTogether)
    .where(
      and(
        eq(upstreamSamlSessions.tenantId, of.tenantId),
        eq(upstreamSamlSessions.connectionId, of.connectionId),
        eq(upstreamSamlSessions.nameIdHash, of.nameIdHash),
        sessionIndexes.length === 0
          ? undefined
          : or(
              inArray(upstreamSamlSessions.sessionIndex, [...sessionIndexes]),
              isNull(upstreamSamlSessions.sessionIndex),
            ),
        isNull(sessions.revokedAt),
      ),
    );
}

/** Which session of theirs one of ours began with. */
export async function findUpstreamSession(
  db: Database,
  { tenantId, id }: { tenantId: Id<"tenant">; id: Id<"session"> },
): Promise<UpstreamSession | undefined> {
  const [row] = await db
    .select({ upstream: upstreamSamlSessions })
    .from(sessions)
    .innerJoin(upstreamSamlSessions, belongsTogether)
    .where(and(eq(sessions.tenantId, tenantId), eq(sessions.id, id)))
    .limit(1);
  return row?.upstream;
}

/** Whose account it is that a connection knows by this name. */
export async function findLinkedUser(
  db: Database,
  of: { tenantId: Id<"tenant">; connectionId: Id<"connection">; subject: string },
): Promise<Id<"user"> | undefined> {
  const [row] = await db
    .select({ userId: externalAccounts.userId })
    .from(externalAccounts)
    .where(
      and(
        eq(externalAccounts.tenantId, of.tenantId),
        eq(externalAccounts.connectionId, of.connectionId),
        eq(externalAccounts.subject, of.subject),
      ),
    );
  return row?.userId;
}

export interface MetadataSource {
  readonly tenantId: Id<"tenant">;
  readonly id: Id<"connection">;
}

/** Connections whose identity provider's metadata is to be read, by id. */
export async function findMetadataSources(
  db: Database,
  after: MetadataSource | undefined,
  limit: number,
): Promise<MetadataSource[]> {
  return db
    .select({ tenantId: connections.tenantId, id: connections.id })
    .from(connections)
    .where(
      and(
        eq(connections.kind, "saml"),
        eq(connections.enabled, true),
        isNotNull(sql`${connections.config} ->> 'metadata_url'`),
        after &&
          or(
            gt(connections.tenantId, after.tenantId),
            and(eq(connections.tenantId, after.tenantId), gt(connections.id, after.id)),
          ),
      ),
    )
    .orderBy(asc(connections.tenantId), asc(connections.id))
    .limit(limit);
}

/** @param read what it was when the metadata was asked for: whoever changed it since knows better */
export async function storeMetadata(
  executor: Executor,
  { tenantId, id }: MetadataSource,
  learnt: { certificates: readonly string[]; metadata_valid_until: string | null },
  read: { metadataUrl: string; entityId: string; now: Date },
): Promise<boolean> {
  const changed = await executor
    .update(connections)
    .set({
      config: sql`jsonb_strip_nulls(${connections.config} || ${JSON.stringify(learnt)}::jsonb)`,
      updatedAt: read.now,
    })
    .where(
      and(
        eq(connections.tenantId, tenantId),
        eq(connections.id, id),
        eq(connections.kind, "saml"),
        sql`${connections.config} ->> 'metadata_url' = ${read.metadataUrl}`,
        sql`${connections.config} ->> 'idp_entity_id' = ${read.entityId}`,
      ),
    )
    .returning({ id: connections.id });
  return changed.length > 0;
}
