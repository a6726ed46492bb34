import { sql } from "drizzle-orm";
import { boolean, index, jsonb, pgTable, text, uniqueIndex } from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../columns.ts";

/** Isolated user pools. On Citus a reference table: small, and read by every node. */
export const tenants = pgTable(
  "tenants",
  {
    id: id("tenant", "id").primaryKey(),
    slug: text("slug").notNull(),
    name: text("name").notNull(),
    isDefault: boolean("is_default").notNull().default(false),
    /** What differs from the defaults of `domain/tenants/settings.ts`. */
    /** What pairwise subjects are made with (OpenID Connect Core §8.1). Never changes: they would change with it. */
    pairwiseSalt: bytea("pairwise_salt")
      .notNull()
      .default(sql`uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())`),
    settings: jsonb("settings").$type<Record<string, unknown>>().notNull().default({}),
    createdAt: instant("created_at").notNull(),
    updatedAt: instant("updated_at").notNull(),
  },
  (table) => [
    uniqueIndex("tenants_slug").on(table.slug),
    uniqueIndex("tenants_one_default")
      .on(table.isDefault)
      .where(sql`is_default`),
  ],
);

/** Host names that name a tenant. The first one added is the tenant's issuer. */
export const tenantDomains = pgTable(
  "tenant_domains",
  {
    domain: text("domain").primaryKey(),
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [index("tenant_domains_tenant").on(table.tenantId)],
);
