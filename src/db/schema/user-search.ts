import { index, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { id, instant } from "../columns.ts";
import { ofUser } from "./users.ts";

/**
 * What administrators look for users by, kept by triggers on `users` and `user_emails`. A table of its own: every sign-in
 * writes to `users`, and would pay for the index of trigrams.
 */
export const userSearch = pgTable(
  "user_search",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    userId: id("user", "user_id").notNull(),
    /** Username, addresses and names, one a line, as the function `search_form` writes them. */
    text: text("text").notNull(),
    /** Of the primary address; empty for who has none, so that every user has a place in the order by address. */
    emailKey: text("email_key").notNull(),
    /** Of the user, whom it never changes for: what is found is put into this order without a look at `users`. */
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.userId] }),
    ofUser(table),
    // Without the tenant: its list of all users would be read beside those of the trigrams, which are few.
    index("user_search_text").using("gin", table.text.op("gin_trgm_ops")),
    index("user_search_created").on(table.tenantId, table.createdAt, table.userId),
    index("user_search_email").on(table.tenantId, table.emailKey, table.userId),
  ],
);
