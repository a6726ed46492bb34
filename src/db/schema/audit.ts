import { index, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { id, instant } from "../columns.ts";

/**
 * Append-only, one partition a month (`created_at`), so that retention drops a partition instead of deleting rows.
 * drizzle-kit cannot express partitions: the migration that makes the table is edited by hand.
 */
export const auditEvents = pgTable(
  "audit_events",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    createdAt: instant("created_at").notNull(),
    id: id("auditEvent", "id").notNull(),
    type: text("type").notNull(),
    actorType: text("actor_type").$type<"user" | "client" | "system" | "anonymous">().notNull(),
    actorId: text("actor_id"),
    targetType: text("target_type"),
    targetId: text("target_id"),
    ip: text("ip"),
    userAgent: text("user_agent"),
    requestId: text("request_id"),
    details: jsonb("details").$type<Record<string, unknown>>().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.createdAt, table.id] }),
    index("audit_events_type").on(table.tenantId, table.type, table.createdAt),
    index("audit_events_target").on(table.tenantId, table.targetId, table.createdAt),
  ],
);
