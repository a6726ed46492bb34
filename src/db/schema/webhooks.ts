import { sql } from "drizzle-orm";
import { boolean, foreignKey, index, integer, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../columns.ts";
import { tenants } from "./tenants.ts";

/** Addresses that are told what happens in a tenant. */
export const webhooks = pgTable(
  "webhooks",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    id: id("webhook", "id").notNull(),
    url: text("url").notNull(),
    description: text("description").notNull().default(""),
    /** Empty: every type. */
    eventTypes: text("event_types").array().notNull().default([]),
    enabled: boolean("enabled").notNull().default(true),
    /** What signs, sealed under a master key. */
    secretKeyId: text("secret_key_id").notNull(),
    secretBox: bytea("secret_box").notNull(),
    /** What was signed with before, and signs too until then: receivers change over in their own time. */
    formerSecretKeyId: text("former_secret_key_id"),
    formerSecretBox: bytea("former_secret_box"),
    formerSecretUntil: instant("former_secret_until"),
    /** Since when nothing got through; null while things do. */
    failingSince: instant("failing_since"),
    /** Why the server disabled it. */
    disabledReason: text("disabled_reason"),
    createdAt: instant("created_at").notNull(),
    updatedAt: instant("updated_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index("webhooks_created").on(table.tenantId, table.createdAt, table.id),
  ],
);

/** What happened and has to be told. Its id is the `webhook-id`, the same in every attempt and to every receiver. */
export const webhookEvents = pgTable(
  "webhook_events",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    id: id("webhookEvent", "id").notNull(),
    type: text("type").notNull(),
    data: jsonb("data").$type<Record<string, unknown>>().notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index("webhook_events_created").on(table.createdAt),
  ],
);

/** One event on its way to one receiver. */
export const webhookDeliveries = pgTable(
  "webhook_deliveries",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("webhookDelivery", "id").notNull(),
    webhookId: id("webhook", "webhook_id").notNull(),
    eventId: id("webhookEvent", "event_id").notNull(),
    status: text("status").$type<"pending" | "delivered" | "failed">().notNull(),
    /** How many attempts were made. */
    attempts: integer("attempts").notNull().default(0),
    /** When the next one is due; null while one is on the queue, and when there will be none. */
    nextAttemptAt: instant("next_attempt_at"),
    lastAttemptAt: instant("last_attempt_at"),
    /** The HTTP status that it was answered with; null when there was no answer. */
    lastStatus: integer("last_status"),
    /** Why the last attempt failed, in words that tell nothing of our network. */
    lastError: text("last_error"),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({
      columns: [table.tenantId, table.webhookId],
      foreignColumns: [webhooks.tenantId, webhooks.id],
    }).onDelete("cascade"),
    foreignKey({
      columns: [table.tenantId, table.eventId],
      foreignColumns: [webhookEvents.tenantId, webhookEvents.id],
    }).onDelete("cascade"),
    index("webhook_deliveries_webhook").on(table.tenantId, table.webhookId, table.createdAt, table.id),
    index("webhook_deliveries_event").on(table.tenantId, table.eventId),
    index("webhook_deliveries_due")
      .on(table.nextAttemptAt)
      .where(sql`${table.nextAttemptAt} is not null`),
  ],
);
