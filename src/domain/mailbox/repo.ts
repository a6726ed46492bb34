import { desc, eq, sql } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import { mailboxMessages } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";

export type MailboxMessage = typeof mailboxMessages.$inferSelect;

/** A job's second message is dropped. */
export async function insertMessage(executor: Executor, message: MailboxMessage): Promise<void> {
  await executor
    .insert(mailboxMessages)
    .values(message)
    .onConflictDoNothing({ target: [mailboxMessages.tenantId, mailboxMessages.jobId] });
}

export async function listNewest(executor: Executor, limit: number): Promise<MailboxMessage[]> {
  return executor
    .select()
    .from(mailboxMessages)
    .orderBy(desc(mailboxMessages.createdAt), desc(mailboxMessages.id))
    .limit(limit);
}

export async function findById(executor: Executor, id: Id<"message">): Promise<MailboxMessage | undefined> {
  const [message] = await executor.select().from(mailboxMessages).where(eq(mailboxMessages.id, id));
  return message;
}

/** @returns how many messages went. */
export async function keepNewest(executor: Executor, count: number): Promise<number> {
  const removed = await executor
    .delete(mailboxMessages)
    .where(
      sql`(${mailboxMessages.tenantId}, ${mailboxMessages.id}) in (
        select tenant_id, id from ${mailboxMessages} order by created_at desc, id desc offset ${count})`,
    )
    .returning({ id: mailboxMessages.id });
  return removed.length;
}
