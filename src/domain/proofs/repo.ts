import { and, desc, eq, gt, isNotNull, isNull, lt, sql } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import { proofs } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";

export type Proof = typeof proofs.$inferSelect;
export type ProofKind = Proof["kind"];
export type ProofPurpose = Proof["purpose"];

export async function insertProof(executor: Executor, proof: typeof proofs.$inferInsert): Promise<void> {
  await executor.insert(proofs).values(proof);
}

const open = (tenantId: Id<"tenant">, now: Date) =>
  and(eq(proofs.tenantId, tenantId), isNull(proofs.consumedAt), gt(proofs.expiresAt, now));

export async function findOpen(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"proof">,
  now: Date,
): Promise<Proof | undefined> {
  const [proof] = await executor
    .select()
    .from(proofs)
    .where(and(open(tenantId, now), eq(proofs.id, id)));
  return proof;
}

/** The newest one: a code that was sent again takes the place of the one before. */
export async function findNewestOfUser(
  executor: Executor,
  of: {
    tenantId: Id<"tenant">;
    userId: Id<"user">;
    kind: ProofKind;
    purpose: ProofPurpose;
    phoneId?: Id<"phone"> | undefined;
  },
  now: Date,
): Promise<Proof | undefined> {
  const [proof] = await executor
    .select()
    .from(proofs)
    .where(
      and(
        open(of.tenantId, now),
        eq(proofs.userId, of.userId),
        eq(proofs.kind, of.kind),
        eq(proofs.purpose, of.purpose),
        of.phoneId && eq(proofs.phoneId, of.phoneId),
      ),
    )
    .orderBy(desc(proofs.id))
    .limit(1);
  return proof;
}

/** Counts a try before what was sent is looked at. @returns whether there was one left */
export async function countAttempt(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"proof">,
  most: number,
  now: Date,
): Promise<boolean> {
  const counted = await executor
    .update(proofs)
    .set({ attempts: sql`${proofs.attempts} + 1` })
    .where(and(open(tenantId, now), eq(proofs.id, id), lt(proofs.attempts, most)))
    .returning({ id: proofs.id });
  return counted.length > 0;
}

/** @returns whether it was open until now, and not confirmed before */
export async function approve(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"proof">,
  now: Date,
): Promise<boolean> {
  const approved = await executor
    .update(proofs)
    .set({ approvedAt: now })
    .where(and(open(tenantId, now), eq(proofs.id, id), isNull(proofs.approvedAt)))
    .returning({ id: proofs.id });
  return approved.length > 0;
}

/** Uses a proof up by one atomic statement: of two requests that race, one gets it. */
export async function consume(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"proof">,
  options: { approved: boolean; now: Date },
): Promise<boolean> {
  const consumed = await executor
    .update(proofs)
    .set({ consumedAt: options.now })
    .where(
      and(
        open(tenantId, options.now),
        eq(proofs.id, id),
        options.approved ? isNotNull(proofs.approvedAt) : undefined,
      ),
    )
    .returning({ id: proofs.id });
  return consumed.length > 0;
}

/**
 * How many of a kind were asked for since a moment, for one purpose: a stranger who asks for sign-in codes of somebody
 * else keeps no second factor from them.
 */
export async function countSince(
  executor: Executor,
  { tenantId, userId, kind, purpose }: Pick<Proof, "tenantId" | "kind" | "purpose"> & { userId: Id<"user"> },
  since: Date,
): Promise<number> {
  return executor.$count(
    proofs,
    and(
      eq(proofs.tenantId, tenantId),
      eq(proofs.userId, userId),
      eq(proofs.kind, kind),
      eq(proofs.purpose, purpose),
      gt(proofs.createdAt, since),
    ),
  );
}
