import { boolean, index, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
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
    /** Whether a mailed link was enough to set it: then it proves a mailbox, and no more. */
    setByMail: boolean("set_by_mail").notNull().default(false),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.userId] }), ofUser(table)],
);

/** Hashes that a user had before the current one, as many as can be asked about; the ids tell their order. */
export const passwordHistory = pgTable(
  "password_history",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("formerPassword", "id").notNull(),
    userId: id("user", "user_id").notNull(),
    hash: text("hash").notNull(),
    replacedAt: instant("replaced_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofUser(table),
    index("password_history_user").on(table.tenantId, table.userId, table.id),
  ],
);
