import { and, eq, exists, isNull, sql } from "drizzle-orm";
import { type Database, type Executor, parameter, prepared } from "../../db/client.ts";
import { sessions, users } from "../../db/schema/index.ts";
import { userEmails } from "../../db/schema/users.ts";
import type { Id } from "../../lib/ids.ts";
import { primaryEmail, type User, userColumns } from "../users/service.ts";

export type SessionRow = typeof sessions.$inferSelect;

const withUser = prepared((db) =>
  db
    .select({ session: sessions, user: userColumns })
    .from(sessions)
    .innerJoin(users, and(eq(users.tenantId, sessions.tenantId), eq(users.id, sessions.userId)))
    .leftJoin(userEmails, primaryEmail)
    .where(
      and(
        eq(sessions.tenantId, parameter(sessions.tenantId, "tenantId")),
        eq(sessions.id, parameter(sessions.id, "id")),
      ),
    )
    .prepare("session_with_user"),
);

/** A session and its user, in one round trip. */
export async function findWithUser(
  db: Database,
  tenantId: Id<"tenant">,
  id: Id<"session">,
): Promise<{ session: SessionRow; user: User } | undefined> {
  const [row] = await withUser(db).execute({ tenantId, id });
  return row;
}

export async function insertSession(
  executor: Executor,
  session: typeof sessions.$inferInsert,
): Promise<void> {
  await executor.insert(sessions).values(session);
}

/** Holds the session as it is until the transaction ends; @returns whether it stands. */
export async function lockLiveSession(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"session">,
): Promise<boolean> {
  const [row] = await executor
    .select({ revokedAt: sessions.revokedAt })
    .from(sessions)
    .where(and(eq(sessions.tenantId, tenantId), eq(sessions.id, id)))
    .for("share");
  return row !== undefined && !row.revokedAt;
}

/** @returns whether the session still stood. */
export async function renew(
  executor: Executor,
  session: Omit<typeof sessions.$inferInsert, "createdAt">,
): Promise<boolean> {
  const { tenantId, id, userId, ...changes } = session;
  const renewed = await executor
    .update(sessions)
    .set(changes)
    .where(
      and(
        eq(sessions.tenantId, tenantId),
        eq(sessions.id, id),
        eq(sessions.userId, userId),
        isNull(sessions.revokedAt),
      ),
    )
    .returning({ id: sessions.id });
  return renewed.length > 0;
}

/** @returns whether the session was still open. */
export async function markRevoked(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"session">,
  now: Date,
): Promise<boolean> {
  const revoked = await executor
    .update(sessions)
    .set({ revokedAt: now })
    .where(and(eq(sessions.tenantId, tenantId), eq(sessions.id, id), isNull(sessions.revokedAt)))
    .returning({ id: sessions.id });
  return revoked.length > 0;
}

export async function markAllRevoked(
  executor: Executor,
  tenantId: Id<"tenant">,
  userId: Id<"user">,
  now: Date,
): Promise<number> {
  const revoked = await executor
    .update(sessions)
    .set({ revokedAt: now })
    .where(and(eq(sessions.tenantId, tenantId), eq(sessions.userId, userId), isNull(sessions.revokedAt)))
    .returning({ id: sessions.id });
  return revoked.length;
}

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
          .where(and(ofUser, sql`${sessions.userAgent} is not distinct from ${userAgent ?? null}`)),
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
