import { and, eq, gt, isNull, lte, or, type SQL } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import { accountDeletions, emailChanges, userEmails, users } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";

export type EmailChange = typeof emailChanges.$inferSelect;
export type AccountDeletion = typeof accountDeletions.$inferSelect;

type Tenant = Id<"tenant">;

const openChange = (tenantId: Tenant, now: Date, condition: SQL | undefined) =>
  and(
    eq(emailChanges.tenantId, tenantId),
    isNull(emailChanges.completedAt),
    isNull(emailChanges.cancelledAt),
    gt(emailChanges.expiresAt, now),
    condition,
  );

export async function insertEmailChange(
  executor: Executor,
  change: typeof emailChanges.$inferInsert,
): Promise<void> {
  await executor.insert(emailChanges).values(change);
}

/** @returns whether there was one */
export async function cancelEmailChanges(
  executor: Executor,
  tenantId: Tenant,
  userId: Id<"user">,
  now: Date,
): Promise<boolean> {
  const cancelled = await executor
    .update(emailChanges)
    .set({ cancelledAt: now })
    .where(
      and(
        eq(emailChanges.tenantId, tenantId),
        eq(emailChanges.userId, userId),
        isNull(emailChanges.completedAt),
        isNull(emailChanges.cancelledAt),
      ),
    )
    .returning({ id: emailChanges.id });
  return cancelled.length > 0;
}

export async function findOpenChangeOfUser(
  executor: Executor,
  tenantId: Tenant,
  userId: Id<"user">,
  now: Date,
): Promise<EmailChange | undefined> {
  const [change] = await executor
    .select()
    .from(emailChanges)
    .where(openChange(tenantId, now, eq(emailChanges.userId, userId)));
  return change;
}

export async function findOpenChange(
  executor: Executor,
  tenantId: Tenant,
  id: Id<"emailChange">,
  now: Date,
): Promise<EmailChange | undefined> {
  const [change] = await executor
    .select()
    .from(emailChanges)
    .where(openChange(tenantId, now, eq(emailChanges.id, id)));
  return change;
}

/** Whatever became of it: for the mails that tell of it. */
export async function findChange(
  executor: Executor,
  tenantId: Tenant,
  id: Id<"emailChange">,
): Promise<EmailChange | undefined> {
  const [change] = await executor
    .select()
    .from(emailChanges)
    .where(and(eq(emailChanges.tenantId, tenantId), eq(emailChanges.id, id)));
  return change;
}

/** Takes one of the two consents, once. @returns the change with it; undefined when it was given before, or is too late */
export async function markConsent(
  executor: Executor,
  tenantId: Tenant,
  id: Id<"emailChange">,
  consent: "approvedAt" | "confirmedAt",
  now: Date,
): Promise<EmailChange | undefined> {
  const [change] = await executor
    .update(emailChanges)
    .set({ [consent]: now })
    .where(openChange(tenantId, now, and(eq(emailChanges.id, id), isNull(emailChanges[consent]))))
    .returning();
  return change;
}

export async function markChangeCompleted(
  executor: Executor,
  tenantId: Tenant,
  id: Id<"emailChange">,
  now: Date,
): Promise<void> {
  await executor
    .update(emailChanges)
    .set({ completedAt: now })
    .where(and(eq(emailChanges.tenantId, tenantId), eq(emailChanges.id, id)));
}

/** Puts a verified address in the place of the primary one, as a row of its own: nothing that was sent to the old one fits it. */
export async function replacePrimaryEmail(
  executor: Executor,
  email: {
    tenantId: Tenant;
    userId: Id<"user">;
    id: Id<"email">;
    address: string;
    addressKey: string;
    now: Date;
  },
): Promise<void> {
  const { tenantId, userId, now, ...address } = email;
  await executor
    .delete(userEmails)
    .where(
      and(
        eq(userEmails.tenantId, tenantId),
        eq(userEmails.userId, userId),
        or(eq(userEmails.isPrimary, true), eq(userEmails.addressKey, address.addressKey)),
      ),
    );
  await executor
    .insert(userEmails)
    .values({ tenantId, userId, ...address, isPrimary: true, verifiedAt: now, createdAt: now });
}

/** Holds the primary address as it is until the transaction ends. @returns whether it is verified */
export async function lockVerifiedEmail(
  executor: Executor,
  { tenantId, userId }: Pick<EmailChange, "tenantId" | "userId">,
): Promise<boolean> {
  const [email] = await executor
    .select({ verifiedAt: userEmails.verifiedAt })
    .from(userEmails)
    .where(
      and(eq(userEmails.tenantId, tenantId), eq(userEmails.userId, userId), eq(userEmails.isPrimary, true)),
    )
    .for("update");
  return email !== undefined && email.verifiedAt !== null;
}

/** Whether the address still belongs to the user. */
export async function hasEmail(
  executor: Executor,
  tenantId: Tenant,
  userId: Id<"user">,
  emailId: Id<"email">,
): Promise<boolean> {
  const rows = await executor
    .select({ id: userEmails.id })
    .from(userEmails)
    .where(and(eq(userEmails.tenantId, tenantId), eq(userEmails.userId, userId), eq(userEmails.id, emailId)));
  return rows.length > 0;
}

export interface ProfileChanges {
  givenName?: string | null;
  familyName?: string | null;
  picture?: string | null;
  locale?: string | null;
  zoneinfo?: string | null;
}

export async function updateProfile(
  executor: Executor,
  tenantId: Tenant,
  userId: Id<"user">,
  changes: ProfileChanges,
  now: Date,
): Promise<void> {
  await executor
    .update(users)
    .set({ ...changes, updatedAt: now })
    .where(and(eq(users.tenantId, tenantId), eq(users.id, userId)));
}

const openDeletion = and(isNull(accountDeletions.cancelledAt), isNull(accountDeletions.erasedAt));

/** @returns false when the account is to be deleted already */
export async function insertDeletion(
  executor: Executor,
  deletion: typeof accountDeletions.$inferInsert,
): Promise<boolean> {
  const inserted = await executor
    .insert(accountDeletions)
    .values(deletion)
    .onConflictDoNothing()
    .returning({ id: accountDeletions.id });
  return inserted.length > 0;
}

/** @returns what stood until now */
export async function cancelDeletion(
  executor: Executor,
  tenantId: Tenant,
  id: Id<"accountDeletion">,
  now: Date,
): Promise<AccountDeletion | undefined> {
  const [cancelled] = await executor
    .update(accountDeletions)
    .set({ cancelledAt: now })
    .where(and(eq(accountDeletions.tenantId, tenantId), eq(accountDeletions.id, id), openDeletion))
    .returning();
  return cancelled;
}

export async function findOpenDeletion(
  executor: Executor,
  tenantId: Tenant,
  id: Id<"accountDeletion">,
): Promise<AccountDeletion | undefined> {
  const [deletion] = await executor
    .select()
    .from(accountDeletions)
    .where(and(eq(accountDeletions.tenantId, tenantId), eq(accountDeletions.id, id), openDeletion));
  return deletion;
}

/** Takes hold of a deletion whose time has come; one that another worker holds is left to it. */
export async function lockDueDeletion(
  executor: Executor,
  now: Date,
  which?: { tenantId: Tenant; id: Id<"accountDeletion"> },
): Promise<AccountDeletion | undefined> {
  const one = which && and(eq(accountDeletions.tenantId, which.tenantId), eq(accountDeletions.id, which.id));
  const [due] = await executor
    .select()
    .from(accountDeletions)
    .where(and(lte(accountDeletions.dueAt, now), openDeletion, one))
    .orderBy(accountDeletions.dueAt)
    .limit(1)
    .for("update", which ? {} : { skipLocked: true });
  return due;
}

export async function markErased(
  executor: Executor,
  { tenantId, id }: AccountDeletion,
  farewell: AccountDeletion["farewell"],
  now: Date,
): Promise<void> {
  await executor
    .update(accountDeletions)
    .set({ erasedAt: now, farewell })
    .where(and(eq(accountDeletions.tenantId, tenantId), eq(accountDeletions.id, id)));
}

export async function findDeletion(
  executor: Executor,
  tenantId: Tenant,
  id: Id<"accountDeletion">,
): Promise<AccountDeletion | undefined> {
  const [deletion] = await executor
    .select()
    .from(accountDeletions)
    .where(and(eq(accountDeletions.tenantId, tenantId), eq(accountDeletions.id, id)));
  return deletion;
}

export async function clearFarewell(
  executor: Executor,
  tenantId: Tenant,
  id: Id<"accountDeletion">,
): Promise<void> {
  await executor
    .update(accountDeletions)
    .set({ farewell: null })
    .where(and(eq(accountDeletions.tenantId, tenantId), eq(accountDeletions.id, id)));
}

/** Everything that belongs to a user goes with their row. @returns whether there was one */
export async function deleteUser(executor: Executor, tenantId: Tenant, userId: Id<"user">): Promise<boolean> {
  const deleted = await executor
    .delete(users)
    .where(and(eq(users.tenantId, tenantId), eq(users.id, userId)))
    .returning({ id: users.id });
  return deleted.length > 0;
}
