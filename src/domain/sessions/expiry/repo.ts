import { and, isNull, lte, sql } from "drizzle-orm";
import type { Executor } from "../../../db/client.ts";
import { sessions } from "../../../db/schema/index.ts";
import type { Id } from "../../../lib/ids.ts";

export interface Expired {
  readonly tenantId: Id<"tenant">;
  readonly id: Id<"session">;
  readonly userId: Id<"user">;
}

/** Marks sessions as ended whose time is over, past those that somebody is using. */
export async function endExpired(executor: Executor, now: Date, limit: number): Promise<Expired[]> {
  const over = executor
    .select({ tenantId: sessions.tenantId, id: sessions.id })
    .from(sessions)
    .where(and(lte(sessions.expiresAt, now), isNull(sessions.revokedAt)))
    .orderBy(sessions.expiresAt)
    .limit(limit)
    .for("update", { skipLocked: true });
  return executor
    .update(sessions)
    .set({ revokedAt: now })
    .where(sql`(${sessions.tenantId}, ${sessions.id}) in ${over}`)
    .returning({ tenantId: sessions.tenantId, id: sessions.id, userId: sessions.userId });
}
