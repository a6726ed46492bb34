import { index, pgTable, primaryKey, smallint, text } from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../columns.ts";
import { tenants } from "./tenants.ts";

/** What was answered to a request that said by which key it can be recognised (Idempotency-Key). */
export const idempotencyKeys = pgTable(
  "idempotency_keys",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    /** HMAC-SHA-256 of who asks, for what, and by which key. */
    hash: bytea("hash").notNull(),
    /** HMAC-SHA-256 of the request's query and body. A bare digest would let whoever reads it try passwords. */
    fingerprint: bytea("fingerprint").notNull(),
    /** Names the attempt that executes the request: only that one writes the answer. */
    lease: text("lease").notNull(),
    leasedUntil: instant("leased_until").notNull(),
    /** Null while the request is under way. */
    status: smallint("status"),
    /** Headers and body, sealed under the master key of this id: they may hold a secret that is shown once. */
    sealedAnswer: bytea("sealed_answer"),
    masterKeyId: text("master_key_id"),
    createdAt: instant("created_at").notNull(),
    expiresAt: instant("expires_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.hash] }),
    index("idempotency_keys_expiry").on(table.expiresAt),
  ],
);
