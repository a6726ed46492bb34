import { and, asc, desc, eq, getTableColumns, gt, gte, lt, lte, or, type SQL, sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import { arrayLiteral } from "../../db/batched.ts";
import { type Database, type Executor, type Fragment, moment, type Sql } from "../../db/client.ts";
import { auditEvents } from "../../db/schema/index.ts";
import { type Id, uuidFromId } from "../../lib/ids.ts";
import { COUNTED_AT_MOST } from "../../lib/page.ts";

export type AuditRow = typeof auditEvents.$inferInsert;
export type StoredEvent = typeof auditEvents.$inferSelect;

export async function insertEvents(executor: Executor, rows: AuditRow[]): Promise<void> {
  await executor.insert(auditEvents).values(rows);
}

/** All but the one that the database itself fills, and the details. */
const { seq: _, details, ...others } = getTableColumns(auditEvents);
const written = Object.entries<PgColumn>(others);
const insertBatch = `
  insert into audit_events (${[...written.map(([, { name }]) => `"${name}"`), `"${details.name}"`].join(", ")})
  select ${written.map(([property, column]) => `"${property}"::${column.getSQLType()}`).join(", ")}, details
  from rows from (
    unnest(${written.map((_, index) => `$${index + 1}::text[]`).join(", ")}),
    jsonb_array_elements($${written.length + 1}::text::jsonb))
    as written(${written.map(([property]) => `"${property}"`).join(", ")}, details)`;

/**
 * Many events in one statement that is the same for any number of them, so that it is prepared once and never built. A column
 * each: taking as many objects of JSON apart costs PostgreSQL as much as storing them (measured). Only the details, which
 * are JSON anyway, are one document.
 * @param again whether some of them may have been written before, by a statement whose answer was lost
 */
export async function insertEventBatch(
  db: Database,
  rows: readonly AuditRow[],
  { again }: { again: boolean },
): Promise<void> {
  const columns = written.map(([property, column]) =>
    arrayLiteral(rows.map((row) => asText(column, Reflect.get(row, property)))),
  );
  const allDetails = JSON.stringify(rows.map((row) => row.details));
  const text = again ? `${insertBatch} on conflict do nothing` : insertBatch;
  await db.$client.unsafe(text, [...columns, allDetails], { prepare: true });
}

const asText = (column: PgColumn, value: unknown): string | null =>
  value === null || value === undefined ? null : String(column.mapToDriverValue(value));

/**
 * Writes an event as a part of a larger statement.
 * @param source the common table expression that has a row exactly when the event happened
 */
export const eventInsert = (sql: Sql, event: AuditRow, source: string): Fragment => sql`
  insert into audit_events (tenant_id, created_at, id, type, actor_type, actor_id, target_type, target_id, ip,
    user_agent, request_id, details)
  select ${uuidFromId("tenant", event.tenantId)}::uuid, ${event.createdAt.toISOString()}::timestamptz,
    ${uuidFromId("auditEvent", event.id)}::uuid, ${event.type}::text, ${event.actorType}::text,
    ${event.actorId ?? null}::text, ${event.targetType ?? null}::text, ${event.targetId ?? null}::text,
    ${event.ip ?? null}::text, ${event.userAgent ?? null}::text, ${event.requestId ?? null}::text,
    ${JSON.stringify(event.details)}::text::jsonb
  from ${sql(source)}`;

export interface EventQuery {
  readonly tenantId: Id<"tenant">;
  readonly type: string | undefined;
  /** Each of them is the actor or the target. */
  readonly about: readonly string[];
  readonly from: Date;
  readonly to: Date | undefined;
}

/** The last event seen. */
export interface Position {
  readonly createdAt: Date;
  readonly id: string;
}

/**
 * The newest first. Of a person's or client's events there are two queries, one for each index (actor, target): a single
 * one with "or" would sort all of them for each page.
 */
export async function findEvents(
  executor: Executor,
  query: EventQuery,
  page: { after: Position | undefined; limit: number },
): Promise<StoredEvent[]> {
  const [one, ...others] = query.about;
  const common = [...conditionsOf(query), ...others.map(isAbout), beforePosition(page.after)];
  const select = (...conditions: (SQL | undefined)[]) =>
    executor
      .select()
      .from(auditEvents)
      .where(and(...common, ...conditions))
      .orderBy(desc(auditEvents.createdAt), desc(auditEvents.id))
      .limit(page.limit);
  if (one === undefined) return select();
  const found = await Promise.all([
    select(eq(auditEvents.actorId, one)),
    select(eq(auditEvents.targetId, one)),
  ]);
  const distinct = new Map(found.flat().map((event) => [event.id, event]));
  return [...distinct.values()].toSorted(newestFirst).slice(0, page.limit);
}

/** An event as the database writes it down. Made a value of each of its members, millions of them take many times as long. */
export interface WrittenEvent extends Record<string, unknown> {
  /** A uuid. */
  readonly id: string;
  /** Milliseconds since the epoch, in decimal. */
  readonly at: string;
  readonly type: string;
  readonly actor_type: string;
  readonly actor_id: string | null;
  readonly target_type: string | null;
  readonly target_id: string | null;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly request_id: string | null;
  /** JSON. */
  readonly details: string;
  /** In decimal. */
  readonly seq: string;
}

const asWritten = sql`id, (extract(epoch from created_at) * 1000)::bigint as at, type, actor_type, actor_id, target_type,
  target_id, ip, user_agent, request_id, details::text as details, seq`;

/**
 * The newest first, of whomever they are about. The moment of the last one seen is said by itself, too: so partitions of
 * later months are not looked into.
 */
export async function findWritten(
  executor: Executor,
  { tenantId, type, from, to }: Omit<EventQuery, "about">,
  page: { after: { id: string; at: string } | undefined; limit: number },
): Promise<WrittenEvent[]> {
  const { after } = page;
  const last = after && sql`${new Date(Number(after.at)).toISOString()}::timestamptz`;
  return executor.execute<WrittenEvent>(sql`
    select ${asWritten} from audit_events
    where tenant_id = ${uuidFromId("tenant", tenantId)}::uuid and created_at >= ${moment(from)}
      ${type === undefined ? sql`` : sql`and type = ${type}`}
      ${to === undefined ? sql`` : sql`and created_at < ${moment(to)}`}
      ${after === undefined ? sql`` : sql`and created_at <= ${last} and (created_at, id) < (${last}, ${after.id}::uuid)`}
    order by created_at desc, id desc limit ${page.limit}`);
}

/** In the order of their places. */
export async function findWrittenBetween(
  executor: Executor,
  tenantId: Id<"tenant">,
  range: { after: number; through: number },
  limit: number,
): Promise<WrittenEvent[]> {
  return executor.execute<WrittenEvent>(sql`
    select ${asWritten} from audit_events
    where tenant_id = ${uuidFromId("tenant", tenantId)}::uuid and seq > ${range.after} and seq <= ${range.through}
    order by seq limit ${limit}`);
}

/** @param most beyond this nobody reads the number */
export async function countEvents(
  executor: Executor,
  query: EventQuery,
  most: number = COUNTED_AT_MOST,
): Promise<number> {
  const some = executor
    .select({ one: sql`1` })
    .from(auditEvents)
    .where(and(...conditionsOf(query), ...query.about.map(isAbout)))
    .limit(most)
    .as("some");
  const [row] = await executor.select({ total: sql<number>`count(*)`.mapWith(Number) }).from(some);
  return row?.total ?? 0;
}

/** In the order of their places: what a stream shows next. */
export async function findFollowing(
  executor: Executor,
  tenantId: Id<"tenant">,
  range: { after: number; through: number },
  limit: number,
): Promise<StoredEvent[]> {
  return executor
    .select()
    .from(auditEvents)
    .where(
      and(
        eq(auditEvents.tenantId, tenantId),
        gt(auditEvents.seq, range.after),
        lte(auditEvents.seq, range.through),
      ),
    )
    .orderBy(asc(auditEvents.seq))
    .limit(limit);
}

/** The last place in the trail that was given to a row, committed or not. */
export async function lastPlace(db: Database): Promise<number> {
  const [row] = await db.execute<{ place: string }>(
    sql`select case when is_called then last_value else 0 end as place from audit_places`,
  );
  return Number(row?.place ?? 0);
}

/** The ids of the transactions that are under way: none below `oldest`, none from `next` on. */
export async function openTransactions(db: Database): Promise<{ oldest: bigint; next: bigint }> {
  const [row] = await db.execute<{ oldest: string; next: string }>(
    sql`select pg_snapshot_xmin(s)::text as oldest, pg_snapshot_xmax(s)::text as next from pg_current_snapshot() as s`,
  );
  return { oldest: BigInt(row?.oldest ?? 0), next: BigInt(row?.next ?? 0) };
}

function conditionsOf({ tenantId, type, from, to }: EventQuery): SQL[] {
  return [
    eq(auditEvents.tenantId, tenantId),
    gte(auditEvents.createdAt, from),
    ...(type === undefined ? [] : [eq(auditEvents.type, type)]),
    ...(to === undefined ? [] : [lt(auditEvents.createdAt, to)]),
  ];
}

const isAbout = (id: string): SQL | undefined =>
  or(eq(auditEvents.actorId, id), eq(auditEvents.targetId, id));

const beforePosition = (after: Position | undefined): SQL | undefined =>
  after &&
  sql`(${auditEvents.createdAt}, ${auditEvents.id}) < (${moment(after.createdAt)}, ${uuidFromId("auditEvent", after.id)}::uuid)`;

function newestFirst(a: StoredEvent, b: StoredEvent): number {
  return b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1);
}
