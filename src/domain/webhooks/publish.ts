import type { Executor } from "../../db/client.ts";
import { addSeconds } from "../../lib/clock.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { enqueue } from "../../queue/outbox.ts";
import type { WebhookEventType } from "./model.ts";
import * as repo from "./repo.ts";

/** An attempt that was put on the queue and is not made within this time is put there again: nothing is lost with a job. */
export const LEASE_SECONDS = 3600;

/**
 * Tells every receiver of the tenant that wants to know, in the transaction of what happened: both are, or neither is.
 * @param event `data`: ids and what else a receiver needs, never a secret
 */
export async function publish(
  tx: Executor,
  event: {
    tenantId: Id<"tenant">;
    type: WebhookEventType;
    data: Readonly<Record<string, unknown>>;
    now: Date;
  },
): Promise<void> {
  const { tenantId, type, data, now } = event;
  const receivers = await repo.findReceivers(tx, tenantId, type);
  if (receivers.length === 0) return;
  const eventId = newId("webhookEvent");
  await repo.insertEvent(tx, { tenantId, id: eventId, type, data: { ...data }, createdAt: now });
  await send(tx, { tenantId, eventId, receivers, now });
}

/** Puts an event on its way to these receivers, in the caller's transaction. */
export async function send(
  tx: Executor,
  message: {
    tenantId: Id<"tenant">;
    eventId: Id<"webhookEvent">;
    receivers: readonly Id<"webhook">[];
    now: Date;
  },
): Promise<Id<"webhookDelivery">[]> {
  const { tenantId, eventId, receivers, now } = message;
  const deliveries = receivers.map((webhookId) => ({
    tenantId,
    id: newId("webhookDelivery"),
    webhookId,
    eventId,
    status: "pending" as const,
    nextAttemptAt: addSeconds(now, LEASE_SECONDS),
    createdAt: now,
  }));
  await repo.insertDeliveries(tx, deliveries);
  for (const { id } of deliveries)
    await enqueue(tx, {
      tenantId,
      queue: "webhooks",
      name: "deliver",
      payload: { delivery_id: id, attempt: 1 },
      now,
    });
  return deliveries.map(({ id }) => id);
}
