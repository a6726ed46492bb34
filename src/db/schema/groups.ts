import { type AnyPgColumn, foreignKey, index, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { id, instant } from "../columns.ts";
import { ofOrganization } from "./organizations.ts";
import { roles } from "./roles.ts";
import { tenants } from "./tenants.ts";
import { ofUser } from "./users.ts";

/** Groups of users; of the whole tenant, or of one organization in it. */
export const groups = pgTable(
  "groups",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    id: id("group", "id").notNull(),
    organizationId: id("organization", "organization_id"),
    displayName: text("display_name").notNull(),
    createdAt: instant("created_at").notNull(),
    updatedAt: instant("updated_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofOrganization(table),
    index("groups_organization").on(table.tenantId, table.organizationId),
    index("groups_created").on(table.tenantId, table.createdAt, table.id),
  ],
);

/** The foreign key of what belongs to a group of the same tenant, and goes with it. */
const ofGroup = (tenantId: AnyPgColumn, groupId: AnyPgColumn) =>
  foreignKey({ columns: [tenantId, groupId], foreignColumns: [groups.tenantId, groups.id] }).onDelete(
    "cascade",
  );

export const groupUsers = pgTable(
  "group_users",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    groupId: id("group", "group_id").notNull(),
    userId: id("user", "user_id").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.groupId, table.userId] }),
    ofGroup(table.tenantId, table.groupId),
    ofUser(table),
    index("group_users_user").on(table.tenantId, table.userId),
  ],
);

/** Groups inside groups. */
export const groupGroups = pgTable(
  "group_groups",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    groupId: id("group", "group_id").notNull(),
    memberId: id("group", "member_id").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.groupId, table.memberId] }),
    ofGroup(table.tenantId, table.groupId),
    ofGroup(table.tenantId, table.memberId),
    index("group_groups_member").on(table.tenantId, table.memberId),
  ],
);

/** Roles that members of a group have, those of its nested groups included. */
export const groupRoles = pgTable(
  "group_roles",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    groupId: id("group", "group_id").notNull(),
    roleId: id("role", "role_id").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.groupId, table.roleId] }),
    ofGroup(table.tenantId, table.groupId),
    foreignKey({
      columns: [table.tenantId, table.roleId],
      foreignColumns: [roles.tenantId, roles.id],
    }).onDelete("cascade"),
    index("group_roles_role").on(table.tenantId, table.roleId),
  ],
);
