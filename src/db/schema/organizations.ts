import {
  type AnyPgColumn,
  foreignKey,
  index,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { id, instant } from "../columns.ts";
import { tenants } from "./tenants.ts";
import { ofUser } from "./users.ts";

/** Customer companies inside a tenant. */
export const organizations = pgTable(
  "organizations",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    id: id("organization", "id").notNull(),
    slug: text("slug").notNull(),
    name: text("name").notNull(),
    /** How its provisioning client's attributes become ours; empty: the defaults of `domain/organizations`. */
    scimAttributeMappings: jsonb("scim_attribute_mappings")
      .$type<Record<string, string>>()
      .notNull()
      .default({}),
    createdAt: instant("created_at").notNull(),
    updatedAt: instant("updated_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex("organizations_slug").on(table.tenantId, table.slug),
  ],
);

/** The foreign key of what belongs to an organization of the same tenant, and goes with it. */
export const ofOrganization = (table: { tenantId: AnyPgColumn; organizationId: AnyPgColumn }) =>
  foreignKey({
    columns: [table.tenantId, table.organizationId],
    foreignColumns: [organizations.tenantId, organizations.id],
  }).onDelete("cascade");

export const organizationMembers = pgTable(
  "organization_members",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    organizationId: id("organization", "organization_id").notNull(),
    userId: id("user", "user_id").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.organizationId, table.userId] }),
    ofOrganization(table),
    ofUser(table),
    index("organization_members_user").on(table.tenantId, table.userId),
  ],
);
