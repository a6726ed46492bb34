import { sql } from "drizzle-orm";
import { type AnyPgColumn, foreignKey, index, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../columns.ts";
import { ofUser } from "./users.ts";

/** One sign-in on one device: by the hosted pages (with a cookie) or by the native API (without). */
export const sessions = pgTable(
  "sessions",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("session", "id").notNull(),
    userId: id("user", "user_id").notNull(),
    /** SHA-256 of the cookie's secret; null for a session that has no cookie. */
    secretHash: bytea("secret_hash"),
    /** When the user last proved who they are: `auth_time` (OpenID Connect Core §2). */
    authTime: instant("auth_time").notNull(),
    acr: text("acr").notNull(),
    /** RFC 8176 values. */
    amr: text("amr").array().notNull(),
    ip: text("ip"),
    userAgent: text("user_agent"),
    /**
     * Set where an administrator signed in as the user. No foreign key, which would cost every session an index: a session
     * whose impersonation is gone is none.
     */
    impersonationId: id("impersonation", "impersonation_id"),
    createdAt: instant("created_at").notNull(),
    lastSeenAt: instant("last_seen_at").notNull(),
    expiresAt: instant("expires_at").notNull(),
    revokedAt: instant("revoked_at"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofUser(table),
    index("sessions_user").on(table.tenantId, table.userId, table.createdAt),
    index("sessions_expiry").on(table.expiresAt),
    // Those whose end is still to be noticed: few, among all that are over.
    index("sessions_unended")
      .on(table.expiresAt)
      .where(sql`revoked_at is null`),
  ],
);

/** The foreign key of what belongs to a session of the same tenant, and goes with it. */
export const ofSession = (table: { tenantId: AnyPgColumn; sessionId: AnyPgColumn }) =>
  foreignKey({
    columns: [table.tenantId, table.sessionId],
    foreignColumns: [sessions.tenantId, sessions.id],
  }).onDelete("cascade");
