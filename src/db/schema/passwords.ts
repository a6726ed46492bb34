import { pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { id, instant } from "../columns.ts";
import { ofUser } from "./users.ts";

export const passwordCredentials = pgTable(
  "password_credentials",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    userId: id("user", "user_id").notNull(),
    /** PHC string format: algorithm, parameters, salt and digest in one. */
    hash: text("hash").notNull(),
    changedAt: instant("changed_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.userId] }), ofUser(table)],
);
