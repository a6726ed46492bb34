import { asc, inArray, sql } from "drizzle-orm";
import type { Executor, Fragment, Sql } from "../db/client.ts";
import { outbox } from "../db/schema/index.ts";
import { type Id, newId, uuidFromId } from "../lib/ids.ts";
import { type JobName, type JobPayload, type QueueName, queueNames } from "./contracts.ts";

/** A trigger notifies this channel of every statement that writes to the outbox. */
export const OUTBOX_CHANNEL = "gatewright_outbox";

export interface NewJob<Queue extends QueueName, Name extends JobName<Queue>> {
  readonly tenantId: Id<"tenant">;
  readonly queue: Queue;
  readonly name: Name;
  readonly payload: JobPayload<Queue, Name>;
  readonly now: Date;
}

/**
 * Writes a job in the caller's transaction: it exists exactly when the change does. The relay puts it on the queue
 * under the job id `outbox-<id>`.
 */
export async function enqueue<Queue extends QueueName, Name extends JobName<Queue>>(
  executor: Executor,
  job: NewJob<Queue, Name>,
): Promise<Id<"outbox">> {
  const id = newId("outbox");
  await executor.insert(outbox).values({
    tenantId: job.tenantId,
    id,
    queue: job.queue,
    name: job.name,
    payload: job.payload as Record<string, unknown>,
    createdAt: job.now,
  });
  return id;
}

/**
 * The same as a part of a larger statement, which wakes the relay even when it writes no job.
 * @param source the common table expression that has a row exactly when there is something to do
 */
export const jobInsert = <Queue extends QueueName, Name extends JobName<Queue>>(
  driver: Sql,
  { tenantId, queue, name, payload, now }: NewJob<Queue, Name>,
  source: string,
): Fragment => driver`
  insert into outbox (tenant_id, id, queue, name, payload, created_at)
  select ${uuidFromId("tenant", tenantId)}::uuid, ${uuidFromId("outbox", newId("outbox"))}::uuid, ${queue}::text,
    ${name}::text, ${JSON.stringify(payload)}::text::jsonb, ${now.toISOString()}::timestamptz
  from ${driver(source)}`;

export type OutboxRow = typeof outbox.$inferSelect;

/**
 * Takes the oldest rows out of the outbox, in the caller's transaction; rows that another relay holds are passed
 * over. Queues that this build does not know stay for one that does.
 */
export async function claimOutboxRows(executor: Executor, limit: number): Promise<OutboxRow[]> {
  const claimed = executor
    .$with("claimed")
    .as(
      executor
        .select({ tenantId: outbox.tenantId, id: outbox.id })
        .from(outbox)
        .where(inArray(outbox.queue, queueNames))
        .orderBy(asc(outbox.id))
        .limit(limit)
        .for("update", { skipLocked: true }),
    );
  const rows = await executor
    .with(claimed)
    .delete(outbox)
    .where(sql`(${outbox.tenantId}, ${outbox.id}) in (select tenant_id, id from ${claimed})`)
    .returning();
  return rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

const MAX_COUNTED = 100_000;

/** How many jobs wait for the relay (counted up to 100,000), and since when the oldest does. */
export async function outboxBacklog(executor: Executor): Promise<{ jobs: number; oldest: Date | undefined }> {
  const [row] = await executor.execute<{ jobs: string; oldest: string | null }>(sql`
    select count(*) as jobs, min(created_at) as oldest
    from (select created_at from ${outbox} order by id limit ${MAX_COUNTED}) as waiting`);
  return { jobs: Number(row?.jobs ?? 0), oldest: row?.oldest ? new Date(row.oldest) : undefined };
}
