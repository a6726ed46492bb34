import { index, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";
import { id, instant } from "../columns.ts";

/** What the `mailbox` mail driver keeps for a developer instead of sending it. Empty in production. */
export const mailboxMessages = pgTable(
  "mailbox_messages",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("message", "id").notNull(),
    /** One message a job, however often the job is tried. */
    jobId: text("job_id").notNull(),
    to: text("to").notNull(),
    subject: text("subject").notNull(),
    text: text("text").notNull(),
    html: text("html").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex("mailbox_messages_job").on(table.tenantId, table.jobId),
    index("mailbox_messages_recent").on(table.createdAt),
  ],
);
