import { and, asc, count, desc, eq, gt, lt, type SQL, sql } from "drizzle-orm";
import { type Database, type Executor, moment } from "../../db/client.ts";
import { initialAccessTokens } from "../../db/schema/index.ts";
import { type Id, isId, uuidFromId } from "../../lib/ids.ts";
import { COUNTED_AT_MOST, type PageRequest, pageOf, type PageResult } from "../../lib/page.ts";

export type StoredInitialAccessToken = typeof initialAccessTokens.$inferSelect;

export async function insertToken(executor: Executor, token: StoredInitialAccessToken): Promise<void> {
  await executor.insert(initialAccessTokens).values(token);
}

const theToken = (tenantId: Id<"tenant">, id: Id<"initialAccessToken">) =>
  and(eq(initialAccessTokens.tenantId, tenantId), eq(initialAccessTokens.id, id));

export async function findToken(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"initialAccessToken">,
): Promise<StoredInitialAccessToken | undefined> {
  const [token] = await executor.select().from(initialAccessTokens).where(theToken(tenantId, id));
  return token;
}

/** Takes one use off, in one statement: of two registrations that race for the last one, one gets it. */
export async function consumeToken(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"initialAccessToken">,
  now: Date,
): Promise<boolean> {
  const rows = await executor
    .update(initialAccessTokens)
    .set({ usesLeft: sql`${initialAccessTokens.usesLeft} - 1` })
    .where(
      and(
        theToken(tenantId, id),
        gt(initialAccessTokens.usesLeft, 0),
        gt(initialAccessTokens.expiresAt, now),
      ),
    )
    .returning({ id: initialAccessTokens.id });
  return rows.length > 0;
}

/** @returns whether it was there */
export async function deleteToken(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"initialAccessToken">,
): Promise<boolean> {
  const rows = await executor
    .delete(initialAccessTokens)
    .where(theToken(tenantId, id))
    .returning({ id: initialAccessTokens.id });
  return rows.length > 0;
}

export async function listTokens(
  db: Database,
  tenantId: Id<"tenant">,
  page: PageRequest<"created_at">,
): Promise<PageResult<StoredInitialAccessToken>> {
  const matching = eq(initialAccessTokens.tenantId, tenantId);
  const direction = page.order === "asc" ? asc : desc;
  const [rows, [counted]] = await Promise.all([
    db
      .select()
      .from(initialAccessTokens)
      .where(and(matching, following(page)))
      .orderBy(direction(initialAccessTokens.createdAt), direction(initialAccessTokens.id))
      .limit(page.limit + 1),
    db
      .select({ total: count() })
      .from(
        db
          .select({ id: initialAccessTokens.id })
          .from(initialAccessTokens)
          .where(matching)
          .limit(COUNTED_AT_MOST)
          .as("matching"),
      ),
  ]);
  return pageOf(rows, page.limit, counted?.total ?? 0);
}

function following({ after, order }: PageRequest<"created_at">): SQL | undefined {
  if (!after || !isId("initialAccessToken", after.id)) return undefined;
  const beyond = order === "asc" ? gt : lt;
  return beyond(
    sql`(${initialAccessTokens.createdAt}, ${initialAccessTokens.id})`,
    sql`(${moment(new Date(after.value))}, ${uuidFromId("initialAccessToken", after.id)}::uuid)`,
  );
}
