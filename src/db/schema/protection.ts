import { bigint, index, integer, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { id, instant } from "../columns.ts";

/**
 * How often credentials were tried against an account, or from an address. Without a foreign key to users: an
 * identifier that nobody has is counted and locked like any other.
 */
export const lockouts = pgTable(
  "lockouts",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    kind: text("kind").$type<"account" | "ip">().notNull(),
    /** A user's id, the keyed digest of an identifier that nobody has, an IPv4 address or an IPv6 /64. */
    key: text("key").notNull(),
    /** Wrong attempts since the window began. */
    failures: integer("failures").notNull(),
    /** Attempts that are under way, and when those that never ended are given up. */
    pending: integer("pending").notNull(),
    pendingUntil: instant("pending_until").notNull(),
    windowEndsAt: instant("window_ends_at").notNull(),
    /** How many lockouts there were before: each doubles the next. */
    lockouts: integer("lockouts").notNull(),
    lockedUntil: instant("locked_until"),
    /** When nothing of this matters any more. */
    expiresAt: instant("expires_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.kind, table.key] }),
    index("lockouts_expiry").on(table.expiresAt),
  ],
);

/**
 * Counters of requests, in the shape that `rate-limiter-flexible` expects. Of no tenant: the keys hold what they
 * count. Unlogged, since a count that a crash loses is worth no write-ahead log.
 */
export const rateLimits = pgTable(
  "rate_limits",
  {
    key: text("key").primaryKey(),
    points: integer("points").notNull(),
    /** Milliseconds since the epoch. */
    expire: bigint("expire", { mode: "number" }),
  },
  (table) => [index("rate_limits_expiry").on(table.expire)],
);
