import { index, integer, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { id, instant } from "../columns.ts";

/** Jobs that were decided in a transaction and wait for the relay to put them on the queue. */
export const outbox = pgTable(
  "outbox",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("outbox", "id").notNull(),
    queue: text("queue").notNull(),
    name: text("name").notNull(),
    payload: jsonb("payload").$type<Record<string, unknown>>().notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.id] }), index("outbox_order").on(table.id)],
);

/**
 * Which jobs have had their effect. A queue delivers at least once; the row, written in the same transaction as
 * the effect, makes it exactly once.
 */
export const jobLedger = pgTable(
  "job_ledger",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    jobId: text("job_id").notNull(),
    attempts: integer("attempts").notNull(),
    startedAt: instant("started_at").notNull(),
    completedAt: instant("completed_at"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.jobId] }),
    index("job_ledger_started").on(table.startedAt),
  ],
);
