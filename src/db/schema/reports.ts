import { bigint, index, integer, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { id, instant } from "../columns.ts";
import { tenants } from "./tenants.ts";

/** Compliance reports and exports of the audit trail. What they say lies in the storage, sealed. */
export const reports = pgTable(
  "reports",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    id: id("report", "id").notNull(),
    kind: text("kind").$type<"soc2" | "gdpr" | "hipaa" | "audit_export">().notNull(),
    /** What was asked for, as `domain/reports/model.ts` reads it. */
    parameters: jsonb("parameters").$type<Record<string, unknown>>().notNull(),
    /** Equal requests that come while one is being made share it. */
    digest: text("digest").notNull(),
    status: text("status").$type<"pending" | "running" | "done" | "failed">().notNull(),
    /** Percent. */
    progress: integer("progress").notNull().default(0),
    /** Null: by a service account, which the audit trail names. */
    requestedBy: id("user", "requested_by"),
    /** Bytes of each format, before they are sealed. */
    files: jsonb("files").$type<Record<string, number>>().notNull().default({}),
    /** How many events an export holds. */
    events: bigint("events", { mode: "number" }),
    createdAt: instant("created_at").notNull(),
    completedAt: instant("completed_at"),
    expiresAt: instant("expires_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index("reports_open").on(table.tenantId, table.digest, table.status),
    index("reports_expiry").on(table.expiresAt),
  ],
);
