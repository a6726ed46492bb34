import { boolean, index, integer, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";
import { sql } from "drizzle-orm";
import { bytea, id, instant } from "../columns.ts";
import { ofUser } from "./users.ts";

/** Phone numbers of users, in E.164. Whoever verified a number has it alone; merely claiming one keeps nobody out. */
export const userPhones = pgTable(
  "user_phones",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("phone", "id").notNull(),
    userId: id("user", "user_id").notNull(),
    number: text("number").notNull(),
    isPrimary: boolean("is_primary").notNull(),
    verifiedAt: instant("verified_at"),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofUser(table),
    uniqueIndex("user_phones_number").on(table.tenantId, table.userId, table.number),
    uniqueIndex("user_phones_verified")
      .on(table.tenantId, table.number)
      .where(sql`verified_at is not null`),
  ],
);

/**
 * One code or link that was sent to prove who somebody is. Neither is stored: both are derived from the id under a key
 * of the server's. A row without a user answers somebody who named an address that nobody has.
 */
export const proofs = pgTable(
  "proofs",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("proof", "id").notNull(),
    kind: text("kind").$type<"email_code" | "magic_link" | "sms_code">().notNull(),
    /** What it is good for: a sign-in, the second step of one, or confirming a phone number. */
    purpose: text("purpose").$type<"sign_in" | "second_factor" | "verify_phone">().notNull(),
    userId: id("user", "user_id"),
    emailId: id("email", "email_id"),
    phoneId: id("phone", "phone_id"),
    /** SHA-256 of the secret that whoever asked was given: only they can go on. */
    holderHash: bytea("holder_hash").notNull(),
    /** From where it was asked for: told to whoever confirms a link elsewhere. */
    ip: text("ip"),
    userAgent: text("user_agent"),
    attempts: integer("attempts").notNull().default(0),
    createdAt: instant("created_at").notNull(),
    expiresAt: instant("expires_at").notNull(),
    /** When a link was confirmed, wherever it was opened. */
    approvedAt: instant("approved_at"),
    consumedAt: instant("consumed_at"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofUser(table),
    index("proofs_user").on(table.tenantId, table.userId, table.createdAt),
    index("proofs_expiry").on(table.expiresAt),
  ],
);
