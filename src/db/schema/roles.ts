import { foreignKey, index, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";
import { id, instant } from "../columns.ts";
import { ofClient } from "./clients.ts";
import { tenants } from "./tenants.ts";
import { ofUser } from "./users.ts";

export const roles = pgTable(
  "roles",
  {
    tenantId: id("tenant", "tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    id: id("role", "id").notNull(),
    name: text("name").notNull(),
    description: text("description").notNull().default(""),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex("roles_name").on(table.tenantId, table.name),
  ],
);

export const userRoles = pgTable(
  "user_roles",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    userId: id("user", "user_id").notNull(),
    roleId: id("role", "role_id").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.userId, table.roleId] }),
    ofUser(table),
    foreignKey({
      columns: [table.tenantId, table.roleId],
      foreignColumns: [roles.tenantId, roles.id],
    }).onDelete("cascade"),
    index("user_roles_holders").on(table.tenantId, table.roleId, table.userId),
  ],
);

/** What a role allows, in the words of the applications that ask. */
export const rolePermissions = pgTable(
  "role_permissions",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    roleId: id("role", "role_id").notNull(),
    permission: text("permission").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.roleId, table.permission] }),
    foreignKey({
      columns: [table.tenantId, table.roleId],
      foreignColumns: [roles.tenantId, roles.id],
    }).onDelete("cascade"),
  ],
);

/** Roles of clients, for what they do on their own behalf. */
export const clientRoles = pgTable(
  "client_roles",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    clientId: id("client", "client_id").notNull(),
    roleId: id("role", "role_id").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.clientId, table.roleId] }),
    ofClient(table),
    foreignKey({
      columns: [table.tenantId, table.roleId],
      foreignColumns: [roles.tenantId, roles.id],
    }).onDelete("cascade"),
    index("client_roles_role").on(table.tenantId, table.roleId),
  ],
);
