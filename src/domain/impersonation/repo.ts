import { and, eq, gt, isNull } from "drizzle-orm";
import { type Database, type Executor, parameter, prepared } from "../../db/client.ts";
import { impersonations, sessions, userEmails, users } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";
import { primaryEmail, type User, userColumns } from "../users/service.ts";

export type ImpersonationRow = typeof impersonations.$inferSelect;

/** An impersonation, with the administrator and the session that it hangs on, as they are now. */
export interface FoundImpersonation {
  readonly impersonation: ImpersonationRow;
  readonly impersonator: User;
  readonly session: { revokedAt: Date | null; expiresAt: Date; secretHash: Buffer | null };
}

const byId = prepared((db) =>
  db
    .select({
      impersonation: impersonations,
      impersonator: userColumns,
      session: {
        revokedAt: sessions.revokedAt,
        expiresAt: sessions.expiresAt,
        secretHash: sessions.secretHash,
      },
    })
    .from(impersonations)
    .innerJoin(
      users,
      and(eq(users.tenantId, impersonations.tenantId), eq(users.id, impersonations.impersonatorId)),
    )
    .leftJoin(userEmails, primaryEmail)
    .innerJoin(
      sessions,
      and(
        eq(sessions.tenantId, impersonations.tenantId),
        eq(sessions.id, impersonations.impersonatorSessionId),
      ),
    )
    .where(
      and(
        eq(impersonations.tenantId, parameter(impersonations.tenantId, "tenantId")),
        eq(impersonations.id, parameter(impersonations.id, "id")),
      ),
    )
    .prepare("impersonation_by_id"),
);

export async function findImpersonation(
  db: Database,
  tenantId: Id<"tenant">,
  id: Id<"impersonation">,
): Promise<FoundImpersonation | undefined> {
  const [found] = await byId(db).execute({ tenantId, id });
  return found;
}

/** Which impersonation a session is, if it is one. */
export async function findImpersonationId(
  db: Database,
  tenantId: Id<"tenant">,
  sessionId: Id<"session">,
): Promise<Id<"impersonation"> | null> {
  const [row] = await db
    .select({ id: sessions.impersonationId })
    .from(sessions)
    .where(and(eq(sessions.tenantId, tenantId), eq(sessions.id, sessionId)));
  return row?.id ?? null;
}

export async function insertImpersonation(executor: Executor, row: ImpersonationRow): Promise<void> {
  await executor.insert(impersonations).values(row);
}

/** One atomic statement: of two that open a link at once, one does. */
export async function open(
  executor: Executor,
  { tenantId, id }: Pick<ImpersonationRow, "tenantId" | "id">,
  now: Date,
): Promise<boolean> {
  const opened = await executor
    .update(impersonations)
    .set({ openedAt: now })
    .where(
      and(
        eq(impersonations.tenantId, tenantId),
        eq(impersonations.id, id),
        isNull(impersonations.openedAt),
        gt(impersonations.expiresAt, now),
      ),
    )
    .returning({ id: impersonations.id });
  return opened.length > 0;
}
