import { and, asc, desc, eq, ne, or, sql } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import {
  roles,
  userRoles,
  users,
  webhookDeliveries,
  webhookEvents,
  webhooks,
} from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";
import type { SealedBox } from "../../lib/master-keys.ts";
import type { WebhookRow } from "./model.ts";

const theWebhook = (tenantId: Id<"tenant">, id: Id<"webhook">) =>
  and(eq(webhooks.tenantId, tenantId), eq(webhooks.id, id));

export async function insertWebhook(
  executor: Executor,
  row: typeof webhooks.$inferInsert,
): Promise<WebhookRow> {
  const [inserted] = await executor.insert(webhooks).values(row).returning();
  if (!inserted) throw new Error("the webhook was not inserted");
  return inserted;
}

export async function countWebhooks(executor: Executor, tenantId: Id<"tenant">): Promise<number> {
  return executor.$count(webhooks, eq(webhooks.tenantId, tenantId));
}

export async function listWebhooks(executor: Executor, tenantId: Id<"tenant">): Promise<WebhookRow[]> {
  return executor
    .select()
    .from(webhooks)
    .where(eq(webhooks.tenantId, tenantId))
    .orderBy(asc(webhooks.createdAt), asc(webhooks.id));
}

export async function findWebhook(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"webhook">,
  { lock }: { lock: boolean } = { lock: false },
): Promise<WebhookRow | undefined> {
  const query = executor.select().from(webhooks).where(theWebhook(tenantId, id));
  const [row] = await (lock ? query.for("no key update") : query);
  return row;
}

export async function updateWebhook(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"webhook">,
  changes: Partial<typeof webhooks.$inferInsert>,
): Promise<WebhookRow | undefined> {
  const [row] = await executor.update(webhooks).set(changes).where(theWebhook(tenantId, id)).returning();
  return row;
}

export async function deleteWebhook(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"webhook">,
): Promise<boolean> {
  const deleted = await executor
    .delete(webhooks)
    .where(theWebhook(tenantId, id))
    .returning({ id: webhooks.id });
  return deleted.length > 0;
}

/** The receivers that want to know of this. */
export async function findReceivers(
  executor: Executor,
  tenantId: Id<"tenant">,
  type: string,
): Promise<Id<"webhook">[]> {
  const rows = await executor
    .select({ id: webhooks.id })
    .from(webhooks)
    .where(
      and(
        eq(webhooks.tenantId, tenantId),
        eq(webhooks.enabled, true),
        sql`(cardinality(${webhooks.eventTypes}) = 0 or ${type} = any(${webhooks.eventTypes}))`,
      ),
    );
  return rows.map(({ id }) => id);
}

export async function insertEvent(
  executor: Executor,
  event: typeof webhookEvents.$inferInsert,
): Promise<void> {
  await executor.insert(webhookEvents).values(event);
}

export async function insertDeliveries(
  executor: Executor,
  deliveries: (typeof webhookDeliveries.$inferInsert)[],
): Promise<void> {
  await executor.insert(webhookDeliveries).values(deliveries);
}

export interface DeliveryRecord {
  readonly id: Id<"webhookDelivery">;
  readonly eventId: Id<"webhookEvent">;
  readonly type: string;
  readonly status: "pending" | "delivered" | "failed";
  readonly attempts: number;
  readonly nextAttemptAt: Date | null;
  readonly lastAttemptAt: Date | null;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly createdAt: Date;
}

/** The newest first. */
export async function listDeliveries(
  executor: Executor,
  tenantId: Id<"tenant">,
  webhookId: Id<"webhook">,
  limit: number,
): Promise<DeliveryRecord[]> {
  return executor
    .select({
      id: webhookDeliveries.id,
      eventId: webhookDeliveries.eventId,
      type: webhookEvents.type,
      status: webhookDeliveries.status,
      attempts: webhookDeliveries.attempts,
      nextAttemptAt: webhookDeliveries.nextAttemptAt,
      lastAttemptAt: webhookDeliveries.lastAttemptAt,
      lastStatus: webhookDeliveries.lastStatus,
      lastError: webhookDeliveries.lastError,
      createdAt: webhookDeliveries.createdAt,
    })
    .from(webhookDeliveries)
    .innerJoin(
      webhookEvents,
      and(
        eq(webhookEvents.tenantId, webhookDeliveries.tenantId),
        eq(webhookEvents.id, webhookDeliveries.eventId),
      ),
    )
    .where(and(eq(webhookDeliveries.tenantId, tenantId), eq(webhookDeliveries.webhookId, webhookId)))
    .orderBy(desc(webhookDeliveries.createdAt), desc(webhookDeliveries.id))
    .limit(limit);
}

export async function findEventOfDelivery(
  executor: Executor,
  tenantId: Id<"tenant">,
  webhookId: Id<"webhook">,
  id: Id<"webhookDelivery">,
): Promise<Id<"webhookEvent"> | undefined> {
  const [row] = await executor
    .select({ eventId: webhookDeliveries.eventId })
    .from(webhookDeliveries)
    .where(
      and(
        eq(webhookDeliveries.tenantId, tenantId),
        eq(webhookDeliveries.webhookId, webhookId),
        eq(webhookDeliveries.id, id),
      ),
    );
  return row?.eventId;
}

/** Who is told that a receiver was given up: whoever administers the tenant by a role of their own. */
export async function findAdministrators(
  executor: Executor,
  tenantId: Id<"tenant">,
  limit: number,
): Promise<Id<"user">[]> {
  const rows = await executor
    .selectDistinct({ id: users.id })
    .from(users)
    .innerJoin(userRoles, and(eq(userRoles.tenantId, users.tenantId), eq(userRoles.userId, users.id)))
    .innerJoin(roles, and(eq(roles.tenantId, userRoles.tenantId), eq(roles.id, userRoles.roleId)))
    .where(
      and(
        eq(users.tenantId, tenantId),
        eq(users.enabled, true),
        or(eq(roles.name, "admin"), eq(roles.name, "super_admin")),
      ),
    )
    .orderBy(users.id)
    .limit(limit);
  return rows.map(({ id }) => id);
}

export async function findSealedOtherwise(
  executor: Executor,
  masterKeyId: string,
  limit: number,
): Promise<WebhookRow[]> {
  return executor
    .select()
    .from(webhooks)
    .where(or(ne(webhooks.secretKeyId, masterKeyId), ne(webhooks.formerSecretKeyId, masterKeyId)))
    .limit(limit);
}

export async function replaceSeals(
  executor: Executor,
  row: WebhookRow,
  { current, former }: { current: SealedBox; former: SealedBox | undefined },
): Promise<void> {
  await updateWebhook(executor, row.tenantId, row.id, {
    secretKeyId: current.keyId,
    secretBox: current.box,
    formerSecretKeyId: former?.keyId ?? null,
    formerSecretBox: former?.box ?? null,
  });
}
