import { and, eq } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import { passwordCredentials } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";

export async function upsertPassword(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  hash: string,
  changedAt: Date,
): Promise<void> {
  await executor
    .insert(passwordCredentials)
    .values({ tenantId, userId, hash, changedAt })
    .onConflictDoUpdate({
      target: [passwordCredentials.tenantId, passwordCredentials.userId],
      set: { hash, changedAt },
    });
}

/** Holds the credential as it is until the transaction ends; @returns whether it still has this hash. */
export async function isCurrentHash(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  hash: string,
): Promise<boolean> {
  const rows = await executor
    .select({ userId: passwordCredentials.userId })
    .from(passwordCredentials)
    .where(
      and(
        eq(passwordCredentials.tenantId, tenantId),
        eq(passwordCredentials.userId, userId),
        eq(passwordCredentials.hash, hash),
      ),
    )
    .for("share");
  return rows.length > 0;
}

/** Replaces a hash by one of the same password at another cost. @returns false when it was changed meanwhile */
export async function replaceHash(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  from: string,
  to: string,
): Promise<boolean> {
  const replaced = await executor
    .update(passwordCredentials)
    .set({ hash: to })
    .where(
      and(
        eq(passwordCredentials.tenantId, tenantId),
        eq(passwordCredentials.userId, userId),
        eq(passwordCredentials.hash, from),
      ),
    )
    .returning({ userId: passwordCredentials.userId });
  return replaced.length > 0;
}
