import { index, integer, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../columns.ts";
import { ofUser } from "./users.ts";

/** One pending proof: a link or a code that somebody was sent. Consumed by one atomic statement. */
export const challenges = pgTable(
  "challenges",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("challenge", "id").notNull(),
    kind: text("kind").$type<"verify_email" | "reset_password">().notNull(),
    userId: id("user", "user_id").notNull(),
    hash: bytea("hash").notNull(),
    /** What the proof is about, e.g. the address that a link confirms. */
    data: jsonb("data").$type<Record<string, unknown>>().notNull().default({}),
    attempts: integer("attempts").notNull().default(0),
    createdAt: instant("created_at").notNull(),
    expiresAt: instant("expires_at").notNull(),
    consumedAt: instant("consumed_at"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofUser(table),
    index("challenges_user").on(table.tenantId, table.userId, table.kind),
    index("challenges_expiry").on(table.expiresAt),
  ],
);
