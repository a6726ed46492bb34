import type { Executor } from "../../db/client.ts";
import { auditEvents } from "../../db/schema/index.ts";

export type AuditRow = typeof auditEvents.$inferInsert;

export async function insertEvents(executor: Executor, rows: AuditRow[]): Promise<void> {
  await executor.insert(auditEvents).values(rows);
}
