import { and, asc, eq, isNotNull, isNull } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import { userPhones } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";

export type Phone = typeof userPhones.$inferSelect;

interface Owner {
  tenantId: Id<"tenant">;
  userId: Id<"user">;
}

const of = ({ tenantId, userId }: Owner) =>
  and(eq(userPhones.tenantId, tenantId), eq(userPhones.userId, userId));

export async function listPhones(executor: Executor, owner: Owner): Promise<Phone[]> {
  return executor.select().from(userPhones).where(of(owner)).orderBy(asc(userPhones.createdAt));
}

/** @returns the row that is there now, the new one or the one from before */
export async function upsertPhone(executor: Executor, phone: typeof userPhones.$inferInsert): Promise<Phone> {
  const [row] = await executor
    .insert(userPhones)
    .values(phone)
    .onConflictDoUpdate({
      target: [userPhones.tenantId, userPhones.userId, userPhones.number],
      set: { number: phone.number },
    })
    .returning();
  if (!row) throw new Error("a phone number was not written");
  return row;
}

export async function findPhone(
  executor: Executor,
  owner: Owner,
  id: Id<"phone">,
): Promise<Phone | undefined> {
  const [phone] = await executor
    .select()
    .from(userPhones)
    .where(and(of(owner), eq(userPhones.id, id)));
  return phone;
}

/** The primary number that a user verified. */
export async function findVerifiedPhone(executor: Executor, owner: Owner): Promise<Phone | undefined> {
  const [phone] = await executor
    .select()
    .from(userPhones)
    .where(and(of(owner), isNotNull(userPhones.verifiedAt)))
    .orderBy(asc(userPhones.verifiedAt))
    .limit(1);
  return phone;
}

export async function findOwnerOfNumber(
  executor: Executor,
  tenantId: Id<"tenant">,
  number: string,
): Promise<Phone | undefined> {
  const [phone] = await executor
    .select()
    .from(userPhones)
    .where(
      and(eq(userPhones.tenantId, tenantId), eq(userPhones.number, number), isNotNull(userPhones.verifiedAt)),
    );
  return phone;
}

export async function markVerified(executor: Executor, { tenantId, id }: Phone, now: Date): Promise<boolean> {
  const verified = await executor
    .update(userPhones)
    .set({ verifiedAt: now })
    .where(and(eq(userPhones.tenantId, tenantId), eq(userPhones.id, id), isNull(userPhones.verifiedAt)))
    .returning({ id: userPhones.id });
  return verified.length > 0;
}

/** @returns what is gone */
export async function deleteAll(executor: Executor, owner: Owner): Promise<Id<"phone">[]> {
  const deleted = await executor.delete(userPhones).where(of(owner)).returning({ id: userPhones.id });
  return deleted.map(({ id }) => id);
}

export async function deletePhone(executor: Executor, owner: Owner, id: Id<"phone">): Promise<boolean> {
  const deleted = await executor
    .delete(userPhones)
    .where(and(of(owner), eq(userPhones.id, id)))
    .returning({ id: userPhones.id });
  return deleted.length > 0;
}
