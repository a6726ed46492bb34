import { foreignKey, index, integer, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../columns.ts";
import { sessions } from "./sessions.ts";
import { ofUser, users } from "./users.ts";

/** An administrator who signs in as a user, from the one-time link on; the session names it by its id. */
export const impersonations = pgTable(
  "impersonations",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("impersonation", "id").notNull(),
    /** As whom. */
    userId: id("user", "user_id").notNull(),
    impersonatorId: id("user", "impersonator_id").notNull(),
    /** The administrator's own session, with whose end it ends. */
    impersonatorSessionId: id("session", "impersonator_session_id").notNull(),
    reason: text("reason").notNull(),
    lifetimeSeconds: integer("lifetime_seconds").notNull(),
    /** SHA-256 of the link's secret. */
    hash: bytea("hash").notNull(),
    createdAt: instant("created_at").notNull(),
    /** Of the link. */
    expiresAt: instant("expires_at").notNull(),
    openedAt: instant("opened_at"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofUser(table),
    foreignKey({
      columns: [table.tenantId, table.impersonatorId],
      foreignColumns: [users.tenantId, users.id],
    }).onDelete("cascade"),
    foreignKey({
      columns: [table.tenantId, table.impersonatorSessionId],
      foreignColumns: [sessions.tenantId, sessions.id],
    }).onDelete("cascade"),
    index("impersonations_user").on(table.tenantId, table.userId, table.createdAt),
    index("impersonations_impersonator").on(table.tenantId, table.impersonatorId),
    index("impersonations_session").on(table.tenantId, table.impersonatorSessionId),
    index("impersonations_expiry").on(table.expiresAt),
  ],
);
