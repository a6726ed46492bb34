/** What people do with their accounts beyond signing in: another address, a copy of their data, the end of it. */
import { boolean, index, jsonb, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";
import { sql } from "drizzle-orm";
import { bytea, id, instant } from "../columns.ts";
import { tenants } from "./tenants.ts";
import { ofUser } from "./users.ts";

/** A change of email address that waits for the old address to approve and the new one to confirm. */
export const emailChanges = pgTable(
  "email_changes",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("emailChange", "id").notNull(),
    userId: id("user", "user_id").notNull(),
    /** Kept, so that the old address can still be told when it no longer belongs to the user. */
    oldAddress: text("old_address"),
    /** Whether the old address is asked: not one that was never verified, nor where an administrator decides. */
    oldAsked: boolean("old_asked").notNull(),
    newAddress: text("new_address").notNull(),
    createdAt: instant("created_at").notNull(),
    expiresAt: instant("expires_at").notNull(),
    /** By the old address; from the start where there is none that was verified. */
    approvedAt: instant("approved_at"),
    /** By the new address. */
    confirmedAt: instant("confirmed_at"),
    completedAt: instant("completed_at"),
    cancelledAt: instant("cancelled_at"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofUser(table),
    index("email_changes_user").on(table.tenantId, table.userId),
    uniqueIndex("email_changes_open")
      .on(table.tenantId, table.userId)
      .where(sql`completed_at is null and cancelled_at is null`),
    index("email_changes_expiry").on(table.expiresAt),
  ],
);

/** A copy of a user's data, sealed, so that neither the database nor a backup of it shows it to anybody else. */
export const dataExports = pgTable(
  "data_exports",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("dataExport", "id").notNull(),
    userId: id("user", "user_id").notNull(),
    createdAt: instant("created_at").notNull(),
    readyAt: instant("ready_at"),
    expiresAt: instant("expires_at").notNull(),
    downloadedAt: instant("downloaded_at"),
    sealed: bytea("sealed"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofUser(table),
    index("data_exports_user").on(table.tenantId, table.userId, table.createdAt),
    index("data_exports_expiry").on(table.expiresAt),
  ],
);

/** Outlives the user whose account it ends: it says that somebody asked for it, and keeps nothing of theirs but the id. */
export const accountDeletions = pgTable(
  "account_deletions",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    id: id("accountDeletion", "id").notNull(),
    userId: id("user", "user_id").notNull(),
    requestedAt: instant("requested_at").notNull(),
    dueAt: instant("due_at").notNull(),
    cancelledAt: instant("cancelled_at"),
    erasedAt: instant("erased_at"),
    /** Whom the last mail goes to; emptied as soon as it is sent. */
    farewell: jsonb("farewell").$type<{ address: string; name: string | null; locale: string | null }>(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex("account_deletions_open")
      .on(table.tenantId, table.userId)
      .where(sql`cancelled_at is null and erased_at is null`),
    index("account_deletions_due").on(table.dueAt),
  ],
);
