import { and, count, desc, eq, gt, isNull, lt, or, type SQL, sql } from "drizzle-orm";
import { type Database, type Executor, parameter, prepared } from "../../db/client.ts";
import {
  accountDeletions,
  apiKeys,
  roles,
  serviceAccountRoles,
  serviceAccounts,
  userEmails,
  users,
} from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";
import { primaryEmail, type User, userColumns } from "../users/service.ts";

export type ApiKey = typeof apiKeys.$inferSelect;

/** Whose keys. */
export type KeyOwner = { readonly tenantId: Id<"tenant"> } & (
  { readonly userId: Id<"user"> } | { readonly serviceAccountId: Id<"serviceAccount"> }
);

const accountColumns = {
  id: serviceAccounts.id,
  enabled: serviceAccounts.enabled,
  roles: sql<string[]>`array(select ${roles.name} from ${serviceAccountRoles}
    join ${roles} on ${roles.tenantId} = ${serviceAccountRoles.tenantId} and ${roles.id} = ${serviceAccountRoles.roleId}
    where ${serviceAccountRoles.tenantId} = ${apiKeys.tenantId}
      and ${serviceAccountRoles.serviceAccountId} = ${apiKeys.serviceAccountId}
    order by ${roles.name})`,
};

/** Whether the owner asked for their account to be deleted: they are signed out everywhere, until they call it off. */
const leaving = sql<boolean>`exists (select 1 from ${accountDeletions}
  where ${accountDeletions.tenantId} = ${apiKeys.tenantId} and ${accountDeletions.userId} = ${apiKeys.userId}
    and ${accountDeletions.cancelledAt} is null and ${accountDeletions.erasedAt} is null)`;

const byId = prepared((db) =>
  db
    .select({ key: apiKeys, user: userColumns, account: accountColumns, leaving: leaving.as("leaving") })
    .from(apiKeys)
    .leftJoin(users, and(eq(users.tenantId, apiKeys.tenantId), eq(users.id, apiKeys.userId)))
    .leftJoin(userEmails, primaryEmail)
    .leftJoin(
      serviceAccounts,
      and(eq(serviceAccounts.tenantId, apiKeys.tenantId), eq(serviceAccounts.id, apiKeys.serviceAccountId)),
    )
    .where(
      and(
        eq(apiKeys.tenantId, parameter(apiKeys.tenantId, "tenantId")),
        eq(apiKeys.id, parameter(apiKeys.id, "id")),
      ),
    )
    .prepare("api_key_by_id"),
);

/** A key with its owner, as they are now: one round trip. */
export async function findKey(
  db: Database,
  key: { tenantId: Id<"tenant">; id: Id<"apiKey"> },
): Promise<
  | {
      key: ApiKey;
      user: User | undefined;
      leaving: boolean;
      account: { id: Id<"serviceAccount">; enabled: boolean; roles: readonly string[] } | undefined;
    }
  | undefined
> {
  const [found] = await byId(db).execute(key);
  if (!found) return undefined;
  const { account } = found;
  return {
    key: found.key,
    leaving: found.leaving,
    user: isPresent(found.user) ? found.user : undefined,
    account:
      account?.id && account.enabled !== null
        ? { id: account.id, enabled: account.enabled, roles: account.roles }
        : undefined,
  };
}

/** What a left join did not find comes as an object of nulls. */
function isPresent(user: { [Column in keyof User]: User[Column] | null } | null): user is User {
  return user !== null && user.id !== null;
}

export async function insertKey(executor: Executor, row: typeof apiKeys.$inferInsert): Promise<void> {
  await executor.insert(apiKeys).values(row);
}

const ownedBy = (owner: KeyOwner): SQL | undefined =>
  and(
    eq(apiKeys.tenantId, owner.tenantId),
    "userId" in owner
      ? eq(apiKeys.userId, owner.userId)
      : eq(apiKeys.serviceAccountId, owner.serviceAccountId),
  );

/** Revoked ones too, the newest first. */
export async function listKeys(executor: Executor, owner: KeyOwner, limit: number): Promise<ApiKey[]> {
  return executor
    .select()
    .from(apiKeys)
    .where(ownedBy(owner))
    .orderBy(desc(apiKeys.createdAt), desc(apiKeys.id))
    .limit(limit);
}

export async function countLiveKeys(executor: Executor, owner: KeyOwner, now: Date): Promise<number> {
  const [row] = await executor
    .select({ total: count() })
    .from(apiKeys)
    .where(
      and(
        ownedBy(owner),
        isNull(apiKeys.revokedAt),
        or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, now)),
      ),
    );
  return row?.total ?? 0;
}

/** @returns the key as it is now; undefined when the owner has none of this id */
export async function revokeKey(
  executor: Executor,
  owner: KeyOwner,
  id: Id<"apiKey">,
  now: Date,
): Promise<{ changed: boolean } | undefined> {
  const own = and(ownedBy(owner), eq(apiKeys.id, id));
  const revoked = await executor
    .update(apiKeys)
    .set({ revokedAt: now })
    .where(and(own, isNull(apiKeys.revokedAt)))
    .returning({ id: apiKeys.id });
  if (revoked.length > 0) return { changed: true };
  const [before] = await executor.select({ id: apiKeys.id }).from(apiKeys).where(own);
  return before && { changed: false };
}

/** Of requests that come at once, one writes. */
export async function touchKey(
  db: Database,
  key: { tenantId: Id<"tenant">; id: Id<"apiKey"> },
  moments: { now: Date; before: Date },
): Promise<void> {
  await db
    .update(apiKeys)
    .set({ lastUsedAt: moments.now })
    .where(
      and(
        eq(apiKeys.tenantId, key.tenantId),
        eq(apiKeys.id, key.id),
        or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, moments.before)),
      ),
    );
}
