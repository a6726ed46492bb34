import { and, eq } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import { userEmails, users } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";
import { primaryEmail, type User, userColumns, usernameKey } from "../users/service.ts";

/** A user as administrators see one. */
export type AdministeredUser = User & { readonly lastLoginAt: Date | null };

const administeredColumns = { ...userColumns, lastLoginAt: users.lastLoginAt };

export async function findUser(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"user">,
): Promise<AdministeredUser | undefined> {
  const [user] = await executor
    .select(administeredColumns)
    .from(users)
    .leftJoin(userEmails, primaryEmail)
    .where(and(eq(users.tenantId, tenantId), eq(users.id, id)));
  return user;
}

/** Keeps others from changing the user until the transaction ends. @returns whether it is there */
export async function lockUser(executor: Executor, tenantId: Id<"tenant">, id: Id<"user">): Promise<boolean> {
  const rows = await executor
    .select({ id: users.id })
    .from(users)
    .where(and(eq(users.tenantId, tenantId), eq(users.id, id)))
    .for("no key update");
  return rows.length > 0;
}

export interface UserChanges {
  username?: string;
  givenName?: string | null;
  familyName?: string | null;
  picture?: string | null;
  locale?: string | null;
  zoneinfo?: string | null;
  enabled?: boolean;
}

export async function updateUser(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"user">,
  changes: UserChanges,
  now: Date,
): Promise<void> {
  const key = changes.username === undefined ? {} : { usernameKey: usernameKey(changes.username) };
  await executor
    .update(users)
    .set({ ...changes, ...key, updatedAt: now })
    .where(and(eq(users.tenantId, tenantId), eq(users.id, id)));
}
