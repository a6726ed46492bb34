import { and, eq, isNull, lte, sql } from "drizzle-orm";
import { type Executor, moment } from "../../../db/client.ts";
import { webhookDeliveries, webhookEvents, webhooks } from "../../../db/schema/index.ts";
import { type Id, idFromUuid } from "../../../lib/ids.ts";
import type { WebhookRow } from "../model.ts";

export interface Pending {
  readonly webhook: WebhookRow;
  readonly attempts: number;
  readonly startedAt: Date;
  readonly event: {
    readonly id: Id<"webhookEvent">;
    readonly type: string;
    readonly data: object;
    readonly at: Date;
  };
}

/** What is still to be sent, to a receiver that is enabled. */
export async function findPending(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"webhookDelivery">,
): Promise<Pending | undefined> {
  const [row] = await executor
    .select({
      webhook: webhooks,
      attempts: webhookDeliveries.attempts,
      startedAt: webhookDeliveries.createdAt,
      event: {
        id: webhookEvents.id,
        type: webhookEvents.type,
        data: webhookEvents.data,
        at: webhookEvents.createdAt,
      },
    })
    .from(webhookDeliveries)
    .innerJoin(
      webhooks,
      and(eq(webhooks.tenantId, webhookDeliveries.tenantId), eq(webhooks.id, webhookDeliveries.webhookId)),
    )
    .innerJoin(
      webhookEvents,
      and(
        eq(webhookEvents.tenantId, webhookDeliveries.tenantId),
        eq(webhookEvents.id, webhookDeliveries.eventId),
      ),
    )
    .where(
      and(
        eq(webhookDeliveries.tenantId, tenantId),
        eq(webhookDeliveries.id, id),
        eq(webhookDeliveries.status, "pending"),
        eq(webhooks.enabled, true),
      ),
    );
  return row;
}

/** @param attempts how many there were before: a result that comes twice is recorded once @returns whether it was */
export async function recordAttempt(
  executor: Executor,
  tenantId: Id<"tenant">,
  delivery: { id: Id<"webhookDelivery">; attempts: number },
  result: Pick<
    typeof webhookDeliveries.$inferSelect,
    "status" | "nextAttemptAt" | "lastAttemptAt" | "lastStatus" | "lastError"
  >,
): Promise<boolean> {
  const rows = await executor
    .update(webhookDeliveries)
    .set({ ...result, attempts: delivery.attempts + 1 })
    .where(
      and(
        eq(webhookDeliveries.tenantId, tenantId),
        eq(webhookDeliveries.id, delivery.id),
        eq(webhookDeliveries.status, "pending"),
        eq(webhookDeliveries.attempts, delivery.attempts),
      ),
    )
    .returning({ id: webhookDeliveries.id });
  return rows.length > 0;
}

/** Null: something got through. Otherwise the moment of the first failure since. */
export async function setFailing(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"webhook">,
  since: Date | null,
): Promise<void> {
  const the = and(eq(webhooks.tenantId, tenantId), eq(webhooks.id, id));
  await executor
    .update(webhooks)
    .set({ failingSince: since })
    .where(since ? and(the, isNull(webhooks.failingSince)) : the);
}

/** @returns whether it was enabled. */
export async function disable(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"webhook">,
  reason: string,
  now: Date,
): Promise<boolean> {
  const rows = await executor
    .update(webhooks)
    .set({ enabled: false, disabledReason: reason, updatedAt: now })
    .where(and(eq(webhooks.tenantId, tenantId), eq(webhooks.id, id), eq(webhooks.enabled, true)))
    .returning({ id: webhooks.id });
  return rows.length > 0;
}

/** Takes attempts that are due, of receivers that are enabled, and puts off each until `lease`. Others' are passed over. */
export async function takeDue(
  executor: Executor,
  now: Date,
  lease: Date,
  limit: number,
): Promise<{ tenantId: Id<"tenant">; id: Id<"webhookDelivery">; attempts: number }[]> {
  const rows = await executor.execute<{ tenant_id: string; id: string; attempts: number }>(sql`
    with due as (
      select d.tenant_id, d.id from webhook_deliveries d
      join webhooks w on w.tenant_id = d.tenant_id and w.id = d.webhook_id and w.enabled
      where d.next_attempt_at <= ${moment(now)} and d.status = 'pending'
      order by d.next_attempt_at limit ${limit} for update of d skip locked)
    update webhook_deliveries d set next_attempt_at = ${moment(lease)} from due
    where d.tenant_id = due.tenant_id and d.id = due.id
    returning d.tenant_id, d.id, d.attempts`);
  return rows.map((row) => ({
    tenantId: idFromUuid("tenant", row.tenant_id),
    id: idFromUuid("webhookDelivery", row.id),
    attempts: row.attempts,
  }));
}

/** Events that are old, with their deliveries. @returns how many events went. */
export async function deleteOldEvents(executor: Executor, before: Date, limit: number): Promise<number> {
  const old = executor
    .select({ tenantId: webhookEvents.tenantId, id: webhookEvents.id })
    .from(webhookEvents)
    .where(lte(webhookEvents.createdAt, before))
    .limit(limit);
  const rows = await executor
    .delete(webhookEvents)
    .where(sql`(${webhookEvents.tenantId}, ${webhookEvents.id}) in ${old}`)
    .returning({ id: webhookEvents.id });
  return rows.length;
}
