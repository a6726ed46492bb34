import { and, asc, eq, or, sql } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import { passkeys } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";

export type Passkey = typeof passkeys.$inferSelect;

export interface Owner {
  readonly tenantId: Id<"tenant">;
  readonly userId: Id<"user">;
}

const ofOwner = ({ tenantId, userId }: Owner) =>
  and(eq(passkeys.tenantId, tenantId), eq(passkeys.userId, userId));

export async function insertPasskey(
  executor: Executor,
  passkey: typeof passkeys.$inferInsert,
): Promise<void> {
  await executor.insert(passkeys).values(passkey);
}

/** Oldest first. */
export function listByOwner(executor: Executor, owner: Owner): Promise<Passkey[]> {
  return executor
    .select()
    .from(passkeys)
    .where(ofOwner(owner))
    .orderBy(asc(passkeys.createdAt), asc(passkeys.id));
}

export async function findByCredentialId(
  executor: Executor,
  tenantId: Id<"tenant">,
  credentialId: Buffer,
): Promise<Passkey | undefined> {
  const [passkey] = await executor
    .select()
    .from(passkeys)
    .where(and(eq(passkeys.tenantId, tenantId), eq(passkeys.credentialId, credentialId)));
  return passkey;
}

/**
 * Notes that a passkey was used, by one atomic statement, unless its counter did not move on: then there may be two of it
 * (WebAuthn Level 3 §6.1.1). Authenticators that keep no counter say 0 always.
 * @returns whether it counts
 */
export async function noteUse(
  executor: Executor,
  owner: Owner,
  use: { id: Id<"passkey">; signCount: number; backedUp: boolean; now: Date },
): Promise<boolean> {
  const used = await executor
    .update(passkeys)
    .set({ signCount: use.signCount, backedUp: use.backedUp, lastUsedAt: use.now })
    .where(
      and(
        ofOwner(owner),
        eq(passkeys.id, use.id),
        or(
          sql`${passkeys.signCount} < ${use.signCount}`,
          and(eq(passkeys.signCount, 0), sql`${use.signCount} = 0`),
        ),
      ),
    )
    .returning({ id: passkeys.id });
  return used.length > 0;
}

/** @returns whether there is such a passkey */
export async function rename(
  executor: Executor,
  owner: Owner,
  id: Id<"passkey">,
  name: string,
): Promise<Passkey | undefined> {
  const [renamed] = await executor
    .update(passkeys)
    .set({ name })
    .where(and(ofOwner(owner), eq(passkeys.id, id)))
    .returning();
  return renamed;
}

/** @returns what is gone */
export function deleteAll(executor: Executor, owner: Owner): Promise<Pick<Passkey, "id" | "name">[]> {
  return executor.delete(passkeys).where(ofOwner(owner)).returning({ id: passkeys.id, name: passkeys.name });
}

export async function deletePasskey(
  executor: Executor,
  owner: Owner,
  id: Id<"passkey">,
): Promise<Pick<Passkey, "id" | "name"> | undefined> {
  const [gone] = await executor
    .delete(passkeys)
    .where(and(ofOwner(owner), eq(passkeys.id, id)))
    .returning({ id: passkeys.id, name: passkeys.name });
  return gone;
}
