import type { Executor } from "../../db/client.ts";
import { usedTokens } from "../../db/schema/index.ts";

export type UsedToken = typeof usedTokens.$inferInsert;

/** One atomic statement: of two that race, one gets true. */
export async function insertUse(executor: Executor, use: UsedToken): Promise<boolean> {
  const inserted = await executor
    .insert(usedTokens)
    .values(use)
    .onConflictDoNothing()
    .returning({ kind: usedTokens.kind });
  return inserted.length > 0;
}
