import { sql } from "drizzle-orm";
import { bigint, index, integer, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../columns.ts";

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
    actorType: text("actor_type")
      .$type<"user" | "client" | "service_account" | "scim_token" | "system" | "anonymous">()
      .notNull(),
    actorId: text("actor_id"),
    targetType: text("target_type"),
    targetId: text("target_id"),
    ip: text("ip"),
    userAgent: text("user_agent"),
    requestId: text("request_id"),
    details: jsonb("details").$type<Record<string, unknown>>().notNull(),
    /**
     * The place in the trail, in the order of writing, which is not that of committing: what seals and the live stream go
     * by. The database numbers the rows; nobody else sets it.
     */
    seq: bigint("seq", { mode: "number" })
      .notNull()
      .default(sql`next_audit_seq()`),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.createdAt, table.id] }),
    index("audit_events_type").on(table.tenantId, table.type, table.createdAt),
    index("audit_events_target").on(table.tenantId, table.targetId, table.createdAt),
    index("audit_events_actor").on(table.tenantId, table.actorId, table.createdAt),
    index("audit_events_place").on(table.tenantId, table.seq),
  ],
);

/**
 * A tenant's chain of seals, append-only like what it seals. Without a foreign key: what proves the trail outlives the
 * tenant, as the trail does.
 */
export const auditSeals = pgTable(
  "audit_seals",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    /** 1, 2, 3 …: none is left out. */
    number: integer("number").notNull(),
    kind: text("kind").$type<"batch" | "retention">().notNull(),
    /** The last place in the trail that is sealed. */
    through: bigint("through", { mode: "number" }).notNull(),
    /** `YYYY-MM`, in UTC: the partition that all rows of the batch lie in, or that was dropped. */
    month: text("month").notNull(),
    events: integer("events").notNull(),
    /** The seal itself, signed (RFC 7515). The columns beside it only help to find it. */
    jws: text("jws").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.number] }),
    index("audit_seals_month").on(table.tenantId, table.month),
  ],
);

/** The public keys that seals are checked with, kept beyond the life of the signing keys. */
export const auditSealKeys = pgTable(
  "audit_seal_keys",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    kid: id("signingKey", "kid").notNull(),
    publicJwk: jsonb("public_jwk").$type<Record<string, unknown>>().notNull(),
    /** HMAC-SHA-256 under a key of the master key: whoever may write to the database alone cannot add a key. */
    proof: bytea("proof").notNull(),
    masterKeyId: text("master_key_id").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.kid] })],
);
