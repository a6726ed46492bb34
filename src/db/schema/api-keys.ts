import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  foreignKey,
  index,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../columns.ts";
import { roles } from "./roles.ts";
import { tenants } from "./tenants.ts";
import { ofUser } from "./users.ts";

/** Who is no person: has roles and keys, and nothing to sign in with. */
export const serviceAccounts = pgTable(
  "service_accounts",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    id: id("serviceAccount", "id").notNull(),
    name: text("name").notNull(),
    description: text("description").notNull().default(""),
    enabled: boolean("enabled").notNull().default(true),
    createdAt: instant("created_at").notNull(),
    updatedAt: instant("updated_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex("service_accounts_name").on(table.tenantId, table.name),
  ],
);

export const serviceAccountRoles = pgTable(
  "service_account_roles",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    serviceAccountId: id("serviceAccount", "service_account_id").notNull(),
    roleId: id("role", "role_id").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.serviceAccountId, table.roleId] }),
    foreignKey({
      columns: [table.tenantId, table.serviceAccountId],
      foreignColumns: [serviceAccounts.tenantId, serviceAccounts.id],
    }).onDelete("cascade"),
    foreignKey({
      columns: [table.tenantId, table.roleId],
      foreignColumns: [roles.tenantId, roles.id],
    }).onDelete("cascade"),
    index("service_account_roles_role").on(table.tenantId, table.roleId),
  ],
);

/** Long-lived bearer keys of a user or of a service account. */
export const apiKeys = pgTable(
  "api_keys",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("apiKey", "id").notNull(),
    userId: id("user", "user_id"),
    serviceAccountId: id("serviceAccount", "service_account_id"),
    name: text("name").notNull(),
    /** SHA-256 of the secret. */
    hash: bytea("hash").notNull(),
    scopes: text("scopes").array().notNull(),
    createdAt: instant("created_at").notNull(),
    /** Null: until it is revoked. */
    expiresAt: instant("expires_at"),
    /** To the minute. */
    lastUsedAt: instant("last_used_at"),
    revokedAt: instant("revoked_at"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofUser(table),
    foreignKey({
      columns: [table.tenantId, table.serviceAccountId],
      foreignColumns: [serviceAccounts.tenantId, serviceAccounts.id],
    }).onDelete("cascade"),
    index("api_keys_user").on(table.tenantId, table.userId, table.createdAt),
    index("api_keys_service_account").on(table.tenantId, table.serviceAccountId, table.createdAt),
    index("api_keys_over").on(sql`least(${table.expiresAt}, ${table.revokedAt})`),
    check("api_keys_one_owner", sql`num_nonnulls(${table.userId}, ${table.serviceAccountId}) = 1`),
  ],
);
