import {
  boolean,
  foreignKey,
  index,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../columns.ts";
import { groups } from "./groups.ts";
import { ofOrganization } from "./organizations.ts";
import { tenants } from "./tenants.ts";
import { ofUser } from "./users.ts";

/** What SCIM knows of a user beyond `users` and `user_emails`. A user without a row was never provisioned. */
export const scimUsers = pgTable(
  "scim_users",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    userId: id("user", "user_id").notNull(),
    /** Whose provisioning client manages the user; null: the tenant's. */
    organizationId: id("organization", "organization_id"),
    /** Attributes of RFC 7643 that have no column of their own, as SCIM writes them. */
    attributes: jsonb("attributes").$type<Record<string, unknown>>().notNull().default({}),
    /** Whether the profile was filled by mappings of the organization's own: then `attributes` hold all of name, locale and timezone. */
    mapped: boolean("mapped").notNull().default(false),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.userId] }),
    ofUser(table),
    ofOrganization(table),
    index("scim_users_organization").on(table.tenantId, table.organizationId, table.userId),
  ],
);

/** What provisioning clients call the resources. `scope` is the organization's id, or the tenant's. */
export const scimExternalIds = pgTable(
  "scim_external_ids",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    scope: text("scope").notNull(),
    resourceType: text("resource_type").$type<"User" | "Group">().notNull(),
    externalId: text("external_id").notNull(),
    userId: id("user", "user_id"),
    groupId: id("group", "group_id"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.scope, table.resourceType, table.externalId] }),
    ofUser(table),
    foreignKey({
      columns: [table.tenantId, table.groupId],
      foreignColumns: [groups.tenantId, groups.id],
    }).onDelete("cascade"),
    uniqueIndex("scim_external_ids_user").on(table.tenantId, table.userId, table.scope),
    uniqueIndex("scim_external_ids_group").on(table.tenantId, table.groupId, table.scope),
  ],
);

/** Bearer tokens of provisioning clients. */
export const scimTokens = pgTable(
  "scim_tokens",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    id: id("scimToken", "id").notNull(),
    organizationId: id("organization", "organization_id"),
    name: text("name").notNull(),
    hash: bytea("hash").notNull(),
    createdAt: instant("created_at").notNull(),
    expiresAt: instant("expires_at"),
    lastUsedAt: instant("last_used_at"),
    revokedAt: instant("revoked_at"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofOrganization(table),
    index("scim_tokens_organization").on(table.tenantId, table.organizationId),
  ],
);
