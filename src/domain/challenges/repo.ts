import { and, eq, getTableColumns, gt, isNull, lt, sql } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import { challenges } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";

export type Challenge = typeof challenges.$inferSelect;
export type ChallengeKind = Challenge["kind"];

export async function insertChallenge(
  executor: Executor,
  challenge: Omit<Challenge, "attempts" | "consumedAt">,
): Promise<void> {
  await executor.insert(challenges).values(challenge);
}

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
    .where(isOpen(tenantId, kind, id, now));
  return challenge;
}

const isOpen = (tenantId: Id<"tenant">, kind: ChallengeKind, id: Id<"challenge">, now: Date) =>
  and(
    eq(challenges.tenantId, tenantId),
    eq(challenges.id, id),
    eq(challenges.kind, kind),
    isNull(challenges.consumedAt),
    gt(challenges.expiresAt, now),
  );

/** Consumes one challenge, by one atomic statement. @returns it, if it was open and has this hash */
export async function consumeOne(
  executor: Executor,
  challenge: { tenantId: Id<"tenant">; kind: ChallengeKind; id: Id<"challenge">; hash: Buffer; now: Date },
): Promise<Challenge | undefined> {
  const { tenantId, kind, id, hash, now } = challenge;
  const [consumed] = await executor
    .update(challenges)
    .set({ consumedAt: now })
    .where(and(isOpen(tenantId, kind, id, now), eq(challenges.hash, hash)))
    .returning();
  return consumed;
}

/** Counts an attempt at a challenge, by one atomic statement. @returns whether there was one left */
export async function countAttempt(
  executor: Executor,
  challenge: { tenantId: Id<"tenant">; kind: ChallengeKind; id: Id<"challenge">; most: number; now: Date },
): Promise<boolean> {
  const { tenantId, kind, id, most, now } = challenge;
  const counted = await executor
    .update(challenges)
    .set({ attempts: sql`${challenges.attempts} + 1` })
    .where(and(isOpen(tenantId, kind, id, now), lt(challenges.attempts, most)))
    .returning({ id: challenges.id });
  return counted.length > 0;
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
