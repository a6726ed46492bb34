import { and, asc, desc, eq, gt, isNull, max, ne, or, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import { type Database, type Executor, moment, parameter, prepared } from "../../db/client.ts";
import { clients, connections, samlClients, signingKeys, tenants } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";

export type SigningKeyRow = typeof signingKeys.$inferSelect;
export type NewSigningKeyRow = typeof signingKeys.$inferInsert;

const oldestFirst = [asc(signingKeys.activeFrom), asc(signingKeys.id)];

const usable = prepared((db) =>
  db
    .select()
    .from(signingKeys)
    .where(
      and(
        eq(signingKeys.tenantId, parameter(signingKeys.tenantId, "tenantId")),
        isNull(signingKeys.revokedAt),
        or(
          isNull(signingKeys.retiredAt),
          gt(signingKeys.retiredAt, parameter(signingKeys.retiredAt, "retiredAfter")),
        ),
      ),
    )
    .orderBy(...oldestFirst)
    .prepare("usable_signing_keys"),
);

/** Every key that was not revoked and not retired before `retiredAfter`, oldest first. */
export async function findUsable(
  db: Database,
  tenantId: Id<"tenant">,
  retiredAfter: Date,
): Promise<SigningKeyRow[]> {
  return usable(db).execute({ tenantId, retiredAfter });
}

const published = prepared((db) =>
  db
    .select({ id: signingKeys.id })
    .from(signingKeys)
    .where(
      and(
        eq(signingKeys.tenantId, parameter(signingKeys.tenantId, "tenantId")),
        eq(signingKeys.id, parameter(signingKeys.id, "id")),
        isNull(signingKeys.revokedAt),
        or(isNull(signingKeys.retiredAt), gt(signingKeys.retiredAt, parameter(signingKeys.retiredAt, "now"))),
      ),
    )
    .prepare("published_signing_key"),
);

/** Whether the tenant has this key, and it is in its JWK set. */
export async function isPublishedKey(
  db: Database,
  tenantId: Id<"tenant">,
  id: Id<"signingKey">,
  now: Date,
): Promise<boolean> {
  return (await published(db).execute({ tenantId, id, now })).length > 0;
}

/** Every key that the tenant ever had and clean-up has left, newest first. */
export async function findAll(executor: Executor, tenantId: Id<"tenant">): Promise<SigningKeyRow[]> {
  return executor
    .select()
    .from(signingKeys)
    .where(eq(signingKeys.tenantId, tenantId))
    .orderBy(desc(signingKeys.activeFrom), desc(signingKeys.id));
}

/** The published keys of an algorithm, oldest first. */
export async function findKeys(
  executor: Executor,
  tenantId: Id<"tenant">,
  alg: string,
  now: Date,
): Promise<SigningKeyRow[]> {
  return executor
    .select()
    .from(signingKeys)
    .where(and(eq(signingKeys.tenantId, tenantId), eq(signingKeys.alg, alg), isPublished(now)))
    .orderBy(...oldestFirst);
}

const isPublished = (now: Date) =>
  and(isNull(signingKeys.revokedAt), or(isNull(signingKeys.retiredAt), gt(signingKeys.retiredAt, now)));

export async function insertKeys(executor: Executor, rows: NewSigningKeyRow[]): Promise<void> {
  await executor.insert(signingKeys).values(rows);
}

/** Whoever changes a tenant's keys waits here for whoever else does, until that one's transaction ends. */
export async function lockKeys(executor: Executor, tenantId: Id<"tenant">): Promise<void> {
  await executor.execute(
    sql`select pg_advisory_xact_lock(hashtextextended(${`gatewright/signing-keys/${tenantId}`}, 0))`,
  );
}

/** An algorithm whose newest key has signed for long enough. */
export interface DueKey {
  readonly tenantId: Id<"tenant">;
  readonly alg: string;
  readonly newest: Date;
}

/**
 * Whether the tenant's certificate was given to anybody by hand. Most SAML peers never read metadata again: a schedule that
 * changed the key would shut people out. It changes when somebody rotates it, and tells them.
 */
const hasSamlPeers = sql`(
  exists (select from ${samlClients} where ${samlClients.tenantId} = ${tenants.id})
  or exists (select from ${connections} where ${connections.tenantId} = ${tenants.id} and ${connections.kind} = 'saml'))`;

/**
 * One query for all tenants, over a table of a few rows each.
 * @param leadSeconds how long before its first signature a key is published
 */
export async function findDue(
  db: Database,
  { now, leadSeconds, defaultDays }: { now: Date; leadSeconds: number; defaultDays: number },
): Promise<DueKey[]> {
  const newest = max(signingKeys.activeFrom);
  const days = sql`case jsonb_typeof(${tenants.settings} -> 'key_rotation_days') when 'number'
    then (${tenants.settings} ->> 'key_rotation_days')::numeric else ${defaultDays}::numeric end`;
  const rows = await db
    .select({ tenantId: signingKeys.tenantId, alg: signingKeys.alg, newest })
    .from(signingKeys)
    .innerJoin(tenants, eq(tenants.id, signingKeys.tenantId))
    .where(and(isPublished(now), sql`not (${signingKeys.alg} = 'RS256' and ${hasSamlPeers})`))
    .groupBy(signingKeys.tenantId, signingKeys.alg, tenants.settings)
    .having(
      sql`${newest} + ${days} * interval '1 day' - ${leadSeconds}::int * interval '1 second' <= ${moment(now)}`,
    );
  return rows.flatMap((row) => (row.newest ? [{ ...row, newest: row.newest }] : []));
}

/** A key that signs no more, because another one of its algorithm does. */
export interface SupersededKey {
  readonly tenantId: Id<"tenant">;
  readonly id: Id<"signingKey">;
  /** When the next one began to sign. */
  readonly supersededAt: Date;
}

/** Those whose retirement is not set yet. */
export async function findSuperseded(db: Database, now: Date): Promise<SupersededKey[]> {
  const next = alias(signingKeys, "next");
  const rows = await db
    .select({
      tenantId: signingKeys.tenantId,
      id: signingKeys.id,
      supersededAt: sql<string>`min(${next.activeFrom})`,
    })
    .from(signingKeys)
    .innerJoin(
      next,
      and(
        eq(next.tenantId, signingKeys.tenantId),
        eq(next.alg, signingKeys.alg),
        isNull(next.revokedAt),
        sql`${next.activeFrom} <= ${moment(now)}`,
        sql`(${next.activeFrom}, ${next.id}) > (${signingKeys.activeFrom}, ${signingKeys.id})`,
      ),
    )
    .where(and(isNull(signingKeys.retiredAt), isNull(signingKeys.revokedAt)))
    .groupBy(signingKeys.tenantId, signingKeys.id);
  return rows.map((row) => ({ ...row, supersededAt: new Date(row.supersededAt) }));
}

/** The longest that a client of the tenant set for what we sign for it, in seconds; 0 when none set any. */
export async function longestClientLifetime(db: Database, tenantId: Id<"tenant">): Promise<number> {
  const [row] = await db
    .select({
      seconds: sql<number>`coalesce(max(greatest(${clients.accessTokenLifetimeSeconds},
        ${clients.idTokenLifetimeSeconds})), 0)`.mapWith(Number),
    })
    .from(clients)
    .where(eq(clients.tenantId, tenantId));
  return row?.seconds ?? 0;
}

/** @returns whether this call was the one that set it. */
export async function setRetirement(
  executor: Executor,
  key: { tenantId: Id<"tenant">; id: Id<"signingKey">; retiredAt: Date },
): Promise<boolean> {
  const changed = await executor
    .update(signingKeys)
    .set({ retiredAt: key.retiredAt })
    .where(
      and(
        eq(signingKeys.tenantId, key.tenantId),
        eq(signingKeys.id, key.id),
        isNull(signingKeys.retiredAt),
        isNull(signingKeys.revokedAt),
      ),
    )
    .returning({ id: signingKeys.id });
  return changed.length > 0;
}

export async function setActiveFrom(
  executor: Executor,
  key: { tenantId: Id<"tenant">; id: Id<"signingKey"> },
  activeFrom: Date,
): Promise<void> {
  await executor
    .update(signingKeys)
    .set({ activeFrom })
    .where(and(eq(signingKeys.tenantId, key.tenantId), eq(signingKeys.id, key.id)));
}

/**
 * Takes it out of the JWK set and out of every process's ring.
 * @returns whether it was not revoked before
 */
export async function markRevoked(
  executor: Executor,
  key: { tenantId: Id<"tenant">; id: Id<"signingKey"> },
  now: Date,
): Promise<boolean> {
  const revoked = await executor
    .update(signingKeys)
    .set({ revokedAt: now, retiredAt: now })
    .where(
      and(eq(signingKeys.tenantId, key.tenantId), eq(signingKeys.id, key.id), isNull(signingKeys.revokedAt)),
    )
    .returning({ id: signingKeys.id });
  return revoked.length > 0;
}

/** Published keys of all tenants that are sealed under another master key than this one. */
export async function findSealedOtherwise(
  db: Database,
  masterKeyId: string,
  now: Date,
  limit: number,
): Promise<SigningKeyRow[]> {
  return db
    .select()
    .from(signingKeys)
    .where(and(ne(signingKeys.masterKeyId, masterKeyId), isPublished(now)))
    .limit(limit);
}

export async function replaceSeal(
  executor: Executor,
  row: SigningKeyRow,
  sealed: { keyId: string; box: Buffer },
): Promise<void> {
  await executor
    .update(signingKeys)
    .set({ masterKeyId: sealed.keyId, sealedPrivateKey: sealed.box })
    .where(
      and(
        eq(signingKeys.tenantId, row.tenantId),
        eq(signingKeys.id, row.id),
        eq(signingKeys.masterKeyId, row.masterKeyId),
      ),
    );
}
