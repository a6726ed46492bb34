import { and, asc, eq, gt, isNull, or } from "drizzle-orm";
import { type Database, type Executor, parameter, prepared } from "../../db/client.ts";
import { signingKeys } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";

export type SigningKeyRow = typeof signingKeys.$inferSelect;

const published = prepared((db) =>
  db
    .select()
    .from(signingKeys)
    .where(
      and(
        eq(signingKeys.tenantId, parameter(signingKeys.tenantId, "tenantId")),
        or(isNull(signingKeys.retiredAt), gt(signingKeys.retiredAt, parameter(signingKeys.retiredAt, "now"))),
      ),
    )
    .orderBy(asc(signingKeys.activeFrom), asc(signingKeys.id))
    .prepare("published_signing_keys"),
);

/** Every key that may still verify something, oldest first. */
export async function findPublished(
  db: Database,
  tenantId: Id<"tenant">,
  now: Date,
): Promise<SigningKeyRow[]> {
  return published(db).execute({ tenantId, now });
}

export async function insertKeys(
  executor: Executor,
  rows: (typeof signingKeys.$inferInsert)[],
): Promise<void> {
  await executor.insert(signingKeys).values(rows);
}
