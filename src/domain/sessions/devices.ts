import { and, eq, sql } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import { sessions } from "../../db/schema/index.ts";
import type { RequestContext } from "../request-context.ts";
import type { User } from "../users/service.ts";

/**
 * Whether the user signed in before with the same browser, or never signed in at all: the first sign-in is not news
 * to anyone. A user agent is a weak sign, which is enough to decide about a notice and for nothing else.
 */
export async function isKnownDevice(
  executor: Executor,
  user: User,
  context: RequestContext,
): Promise<boolean> {
  const [row] = await executor
    .select({
      any: sql<boolean>`count(*) > 0`,
      same: sql<boolean>`coalesce(bool_or(${sessions.userAgent} is not distinct from ${context.userAgent ?? null}), false)`,
    })
    .from(sessions)
    .where(and(eq(sessions.tenantId, user.tenantId), eq(sessions.userId, user.id)));
  return !row?.any || row.same;
}
