import { and, eq } from "drizzle-orm";
import type { Executor, Fragment, Sql } from "../../../db/client.ts";
import { sessions } from "../../../db/schema/index.ts";
import { type Id, uuidFromId } from "../../../lib/ids.ts";
import type { User } from "../../users/service.ts";

/**
 * Whether the user signed in before with the same browser, or never at all: the first sign-in is not news to anyone.
 * A user agent is a weak sign, which is enough to decide about a notice and for nothing else. A part of a larger statement,
 * of which it sees nothing; no row for a user who is gone.
 */
export function signedInFrom(
  sql: Sql,
  user: Pick<User, "tenantId" | "id">,
  userAgent: string | undefined,
): Fragment {
  const tenant = uuidFromId("tenant", user.tenantId);
  const id = uuidFromId("user", user.id);
  // Not by their sessions whether it is the first: those of a person who was long away are cleaned up.
  return sql`
    select u.last_login_at is null or exists (
      select 1 from sessions s
      where s.tenant_id = ${tenant}::uuid and s.user_id = ${id}::uuid and s.impersonation_id is null
        and s.user_agent is not distinct from ${userAgent ?? null}::text) as known
    from users u
    where u.tenant_id = ${tenant}::uuid and u.id = ${id}::uuid`;
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
