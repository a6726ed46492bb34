import { and, eq, exists, isNull, sql } from "drizzle-orm";
import type { Executor } from "../../../db/client.ts";
import { sessions, users } from "../../../db/schema/index.ts";
import type { Id } from "../../../lib/ids.ts";
import type { User } from "../../users/service.ts";

/**
 * Whether the user signed in before with the same browser, or never at all: the first sign-in is not news to anyone.
 * A user agent is a weak sign, which is enough to decide about a notice and for nothing else.
 */
export async function hasSignedInFrom(
  executor: Executor,
  user: User,
  userAgent: string | undefined,
): Promise<boolean> {
  const ofUser = and(eq(sessions.tenantId, user.tenantId), eq(sessions.userId, user.id));
  const [row] = await executor
    .select({
      // Not by their sessions: those of a person who was long away are cleaned up.
      first: sql<boolean>`${users.lastLoginAt} is null`,
      same: exists(
        executor
          .select({ one: sql`1` })
          .from(sessions)
          .where(
            and(
              ofUser,
              isNull(sessions.impersonationId),
              sql`${sessions.userAgent} is not distinct from ${userAgent ?? null}`,
            ),
          ),
      ).mapWith(Boolean),
    })
    .from(users)
    .where(and(eq(users.tenantId, user.tenantId), eq(users.id, user.id)));
  return row === undefined || row.first || row.same;
}

/** When and from where a session was begun. */
export async function findSignIn(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  sessionId: Id<"session">,
): Promise<{ at: Date; ip: string | null; userAgent: string | null } | undefined> {
  const [row] = await executor
    .select({ at: sessions.createdAt, ip: sessions.ip, userAgent: sessions.userAgent })
    .from(sessions)
    .where(and(eq(sessions.tenantId, tenantId), eq(sessions.userId, userId), eq(sessions.id, sessionId)));
  return row;
}
