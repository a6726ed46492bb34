import { and, eq, sql } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import { grants } from "../../db/schema/index.ts";
import { type Id, newId } from "../../lib/ids.ts";

export async function findGrant(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  clientId: Id<"client">,
): Promise<{ scopes: string[]; updatedAt: Date } | undefined> {
  const [grant] = await executor
    .select({ scopes: grants.scopes, updatedAt: grants.updatedAt })
    .from(grants)
    .where(and(eq(grants.tenantId, tenantId), eq(grants.userId, userId), eq(grants.clientId, clientId)));
  return grant;
}

/** Adds scopes to what the user granted before, or makes the grant. */
export async function upsertGrant(
  executor: Executor,
  grant: {
    tenantId: Id<"tenant">;
    userId: Id<"user">;
    clientId: Id<"client">;
    scopes: readonly string[];
    now: Date;
  },
): Promise<void> {
  const { now, scopes, ...key } = grant;
  await executor
    .insert(grants)
    .values({ ...key, id: newId("grant"), scopes: [...scopes], createdAt: now, updatedAt: now })
    .onConflictDoUpdate({
      target: [grants.tenantId, grants.userId, grants.clientId],
      set: {
        scopes: sql`array(select distinct unnest(${grants.scopes} || excluded.scopes) order by 1)`,
        updatedAt: now,
      },
    });
}
