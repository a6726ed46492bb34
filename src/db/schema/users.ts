import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  boolean,
  foreignKey,
  index,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { id, instant } from "../columns.ts";
import { tenants } from "./tenants.ts";

export const users = pgTable(
  "users",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    id: id("user", "id").notNull(),
    username: text("username").notNull(),
    /** NFKC and lower case: what uniqueness and sign-in compare. */
    usernameKey: text("username_key").notNull(),
    givenName: text("given_name"),
    familyName: text("family_name"),
    picture: text("picture"),
    locale: text("locale"),
    zoneinfo: text("zoneinfo"),
    enabled: boolean("enabled").notNull().default(true),
    lastLoginAt: instant("last_login_at"),
    createdAt: instant("created_at").notNull(),
    updatedAt: instant("updated_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex("users_username").on(table.tenantId, table.usernameKey),
    index("users_created").on(table.tenantId, table.createdAt, table.id),
    index("users_updated").on(table.tenantId, table.updatedAt, table.id),
    // Few, and otherwise looked for among all.
    index("users_disabled")
      .on(table.tenantId, table.createdAt, table.id)
      .where(sql`not enabled`),
    // Who never signed in did so before everybody else.
    index("users_last_login").on(
      table.tenantId,
      sql`coalesce(${table.lastLoginAt}, '1970-01-01 00:00:00+00'::timestamptz)`,
      table.id,
    ),
  ],
);

export const userEmails = pgTable(
  "user_emails",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("email", "id").notNull(),
    userId: id("user", "user_id").notNull(),
    address: text("address").notNull(),
    /** Lower case: what uniqueness and sign-in compare. */
    addressKey: text("address_key").notNull(),
    isPrimary: boolean("is_primary").notNull(),
    /** "work", "home" …: as its provisioning client calls it (RFC 7643 §4.1.2). */
    type: text("type"),
    display: text("display"),
    verifiedAt: instant("verified_at"),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofUser(table),
    uniqueIndex("user_emails_address").on(table.tenantId, table.addressKey),
    index("user_emails_user").on(table.tenantId, table.userId),
  ],
);

/** The foreign key of what belongs to a user of the same tenant, and goes with them. */
export const ofUser = (table: { tenantId: AnyPgColumn; userId: AnyPgColumn }) =>
  foreignKey({
    columns: [table.tenantId, table.userId],
    foreignColumns: [users.tenantId, users.id],
  }).onDelete("cascade");
