import { index, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../columns.ts";
import { tenants } from "./tenants.ts";

export const signingKeys = pgTable(
  "signing_keys",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    /** Also the `kid`. */
    id: id("signingKey", "id").notNull(),
    alg: text("alg").notNull(),
    publicJwk: jsonb("public_jwk").$type<Record<string, unknown>>().notNull(),
    /** PKCS #8, sealed with AES-256-GCM for the context `signing-key/<id>`. */
    sealedPrivateKey: bytea("sealed_private_key").notNull(),
    masterKeyId: text("master_key_id").notNull(),
    createdAt: instant("created_at").notNull(),
    /** Published at once, signs from here on. */
    activeFrom: instant("active_from").notNull(),
    /** DER, for `x5c` (RFC 7517 §4.7): RSA keys only. */
    certificate: bytea("certificate"),
    /** Somebody else may have it: nothing that it signed is believed any more. */
    revokedAt: instant("revoked_at"),
    /** From here on it signs nothing and is not published. Null: no end is planned. */
    retiredAt: instant("retired_at"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index("signing_keys_active").on(table.tenantId, table.alg, table.activeFrom),
  ],
);
