import type { Executor, Fragment, Sql } from "../../db/client.ts";
import { uuidFromId } from "../../lib/ids.ts";
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

/** The same as the part of a statement that does something with it: of two that race, one gets a row. */
export const useConsumption =
  ({ tenantId, kind, hash, expiresAt }: UsedToken) =>
  (sql: Sql): Fragment => sql`
    insert into used_tokens (tenant_id, kind, hash, expires_at)
    select ${uuidFromId("tenant", tenantId)}::uuid, ${kind}::text, ${hash}::bytea, ${expiresAt.toISOString()}::timestamptz
    from live
    on conflict do nothing
    returning 1`;
