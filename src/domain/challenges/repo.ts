import { and, eq, getTableColumns, gt, isNull } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import { challenges } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";

export type Challenge = typeof challenges.$inferSelect;
export type ChallengeKind = Challenge["kind"];

/** Of a challenge that was opened before, the time starts anew: a mail that is tried again must hold a working link. */
export async function upsertChallenge(
  executor: Executor,
  challenge: Omit<Challenge, "attempts" | "consumedAt">,
): Promise<void> {
  const { hash, expiresAt } = challenge;
  await executor
    .insert(challenges)
    .values(challenge)
    .onConflictDoUpdate({
      target: [challenges.tenantId, challenges.id],
      set: { hash, expiresAt },
      setWhere: isNull(challenges.consumedAt),
    });
}

export async function findOpen(
  executor: Executor,
  tenantId: Id<"tenant">,
  kind: ChallengeKind,
  id: Id<"challenge">,
  now: Date,
): Promise<Challenge | undefined> {
  const [challenge] = await executor
    .select()
    .from(challenges)
    .where(
      and(
        eq(challenges.tenantId, tenantId),
        eq(challenges.id, id),
        eq(challenges.kind, kind),
        isNull(challenges.consumedAt),
        gt(challenges.expiresAt, now),
      ),
    );
  return challenge;
}

/**
 * Consumes every open challenge of this kind that the user was sent. One atomic statement, which takes the rows in one
 * order: of two requests that race, with one link or with two, the second finds nothing left, and neither waits for
 * the other for ever.
 * @returns what was open until now
 */
export async function consumeOpen(
  executor: Executor,
  tenantId: Id<"tenant">,
  kind: ChallengeKind,
  userId: Id<"user">,
  now: Date,
): Promise<Challenge[]> {
  const open = executor.$with("open").as(
    executor
      .select({ id: challenges.id })
      .from(challenges)
      .where(
        and(
          eq(challenges.tenantId, tenantId),
          eq(challenges.userId, userId),
          eq(challenges.kind, kind),
          isNull(challenges.consumedAt),
        ),
      )
      .orderBy(challenges.id)
      .for("update"),
  );
  return executor
    .with(open)
    .update(challenges)
    .set({ consumedAt: now })
    .from(open)
    .where(and(eq(challenges.tenantId, tenantId), eq(challenges.id, open.id)))
    .returning(getTableColumns(challenges));
}
