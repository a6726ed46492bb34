import { and, asc, desc, eq, gt, ne, sql } from "drizzle-orm";
import { type Database, type Executor, moment } from "../../db/client.ts";
import { auditEvents, auditSealKeys, auditSeals, tenants } from "../../db/schema/index.ts";
import { type Id, idFromUuid } from "../../lib/ids.ts";

export type SealRow = typeof auditSeals.$inferSelect;
export type SealKeyRow = typeof auditSealKeys.$inferSelect;

/** Tenants that have events up to this place which no seal covers yet. */
export async function findUnsealedTenants(db: Database, through: number): Promise<Id<"tenant">[]> {
  const rows = await db.execute<{ id: string }>(sql`
    select t.id from tenants t
    left join lateral (
      select s.through from audit_seals s where s.tenant_id = t.id order by s.number desc limit 1) last on true
    where exists (
      select 1 from audit_events e
      where e.tenant_id = t.id and e.seq > coalesce(last.through, 0) and e.seq <= ${through}::bigint)`);
  return rows.map(({ id }) => idFromUuid("tenant", id));
}

/** All there are, with their settings as they are stored. */
export async function findTenants(
  db: Database,
): Promise<{ id: Id<"tenant">; slug: string; settings: Record<string, unknown> }[]> {
  return db
    .select({ id: tenants.id, slug: tenants.slug, settings: tenants.settings })
    .from(tenants)
    .orderBy(asc(tenants.slug));
}

/** Whoever adds to a tenant's chain waits here for whoever else does. */
export async function lockChain(executor: Executor, tenantId: Id<"tenant">): Promise<void> {
  await executor.execute(
    sql`select pg_advisory_xact_lock(hashtextextended(${`gatewright/audit-seals/${tenantId}`}, 0))`,
  );
}

export async function findLastSeal(executor: Executor, tenantId: Id<"tenant">): Promise<SealRow | undefined> {
  const [last] = await executor
    .select()
    .from(auditSeals)
    .where(eq(auditSeals.tenantId, tenantId))
    .orderBy(desc(auditSeals.number))
    .limit(1);
  return last;
}

export async function insertSeal(executor: Executor, row: SealRow): Promise<void> {
  await executor.insert(auditSeals).values(row);
}

export async function insertSealKey(executor: Executor, row: SealKeyRow): Promise<void> {
  await executor.insert(auditSealKeys).values(row).onConflictDoNothing();
}

export async function findSealKeys(executor: Executor, tenantId: Id<"tenant">): Promise<SealKeyRow[]> {
  return executor.select().from(auditSealKeys).where(eq(auditSealKeys.tenantId, tenantId));
}

/** Keys of all tenants whose proof was made under another master key. */
export async function findKeysProvenOtherwise(db: Database, masterKeyId: string): Promise<SealKeyRow[]> {
  return db.select().from(auditSealKeys).where(ne(auditSealKeys.masterKeyId, masterKeyId));
}

export async function replaceProof(
  executor: Executor,
  { tenantId, kid }: SealKeyRow,
  proven: Pick<SealKeyRow, "proof" | "masterKeyId">,
): Promise<void> {
  await executor
    .update(auditSealKeys)
    .set(proven)
    .where(and(eq(auditSealKeys.tenantId, tenantId), eq(auditSealKeys.kid, kid)));
}

export async function findSeals(
  executor: Executor,
  tenantId: Id<"tenant">,
  { afterNumber, limit }: { afterNumber: number; limit: number },
): Promise<SealRow[]> {
  return executor
    .select()
    .from(auditSeals)
    .where(and(eq(auditSeals.tenantId, tenantId), gt(auditSeals.number, afterNumber)))
    .orderBy(asc(auditSeals.number))
    .limit(limit);
}

export async function findTombstones(executor: Executor, tenantId: Id<"tenant">): Promise<SealRow[]> {
  return executor
    .select()
    .from(auditSeals)
    .where(and(eq(auditSeals.tenantId, tenantId), eq(auditSeals.kind, "retention")))
    .orderBy(asc(auditSeals.number));
}

export async function countUnsealed(
  executor: Executor,
  tenantId: Id<"tenant">,
  after: number,
): Promise<{ events: number; oldest: Date | undefined }> {
  const [row] = await executor
    .select({
      events: sql<number>`count(*)`.mapWith(Number),
      oldest: sql<string | null>`min(${auditEvents.createdAt})`,
    })
    .from(auditEvents)
    .where(and(eq(auditEvents.tenantId, tenantId), gt(auditEvents.seq, after)));
  return { events: row?.events ?? 0, oldest: row?.oldest ? new Date(row.oldest) : undefined };
}

/** The months that have a partition of their own, the oldest first: `YYYY-MM`. */
export async function findMonths(db: Database): Promise<string[]> {
  const rows = await db.execute<{ month: string }>(sql`
    select replace(substring(c.relname from 'audit_events_(\\d{4}_\\d{2})$'), '_', '-') as month
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'audit_events'::regclass and c.relname ~ '^audit_events_\\d{4}_\\d{2}$'
    order by 1`);
  return rows.map(({ month }) => month);
}

/** How many events of the month each tenant has, and the last place among them. */
export async function countMonth(
  executor: Executor,
  { start, end }: { start: Date; end: Date },
): Promise<{ tenantId: Id<"tenant">; events: number; through: number }[]> {
  return executor
    .select({
      tenantId: auditEvents.tenantId,
      events: sql<number>`count(*)`.mapWith(Number),
      through: sql<number>`max(${auditEvents.seq})`.mapWith(Number),
    })
    .from(auditEvents)
    .where(sql`${auditEvents.createdAt} >= ${moment(start)} and ${auditEvents.createdAt} < ${moment(end)}`)
    .groupBy(auditEvents.tenantId);
}

/** Drops the month's partition, or gives up when readers do not let go of it within 5 s. */
export async function dropMonth(executor: Executor, month: string): Promise<void> {
  await executor.execute(sql`set local lock_timeout = '5s'`);
  await executor.execute(sql`drop table ${sql.identifier(`audit_events_${month.replace("-", "_")}`)}`);
}
