/** What the `mailbox` mail driver keeps for a developer to look at, instead of sending it. */
import type { Executor } from "../../db/client.ts";
import { type Id, newId } from "../../lib/ids.ts";
import * as repo from "./repo.ts";
import type { MailboxMessage } from "./repo.ts";

export type { MailboxMessage } from "./repo.ts";

const KEPT_MESSAGES = 1000;
const MAX_LISTED = 1000;

/** Keeps one message a job, in the caller's transaction. */
export async function keepMessage(
  executor: Executor,
  message: Pick<MailboxMessage, "tenantId" | "jobId" | "to" | "subject" | "text" | "html"> & { now: Date },
): Promise<void> {
  const { now, ...content } = message;
  await repo.insertMessage(executor, { ...content, id: newId("message"), createdAt: now });
}

/** Newest first, of all tenants. @param limit at most 1000 */
export function listMessages(executor: Executor, limit: number): Promise<MailboxMessage[]> {
  return repo.listNewest(executor, Math.min(limit, MAX_LISTED));
}

export function findMessage(executor: Executor, id: Id<"message">): Promise<MailboxMessage | undefined> {
  return repo.findById(executor, id);
}

/** Lets go of all but the newest 1000. @returns how many went. */
export function trimMailbox(executor: Executor): Promise<number> {
  return repo.keepNewest(executor, KEPT_MESSAGES);
}
