import { and, eq, gt, isNull } from "drizzle-orm";
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

/** One atomic statement: of two requests that race, one gets the row and the other nothing. */
export async function markConsumed(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"challenge">,
  now: Date,
): Promise<Challenge | undefined> {
  const [consumed] = await executor
    .update(challenges)
    .set({ consumedAt: now })
    .where(and(eq(challenges.tenantId, tenantId), eq(challenges.id, id), isNull(challenges.consumedAt)))
    .returning();
  return consumed;
}

export async function markAllConsumed(
  executor: Executor,
  tenantId: Id<"tenant">,
  kind: ChallengeKind,
  userId: Id<"user">,
  now: Date,
): Promise<void> {
  await executor
    .update(challenges)
    .set({ consumedAt: now })
    .where(
      and(
        eq(challenges.tenantId, tenantId),
        eq(challenges.userId, userId),
        eq(challenges.kind, kind),
        isNull(challenges.consumedAt),
      ),
    );
}
