import { and, eq, isNull, notExists, sql } from "drizzle-orm";
import type { Executor } from "../../db/client.ts";
import {
  connectionDomains,
  connections,
  externalAccounts,
  organizationMembers,
  scimExternalIds,
  scimUsers,
  userEmails,
  users,
} from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";
import type { SealedBox } from "../../lib/master-keys.ts";
import { emailKey } from "../users/service.ts";

export type ExternalAccount = typeof externalAccounts.$inferSelect;

type TenantId = Id<"tenant">;
type UserId = Id<"user">;

export async function findAccount(
  executor: Executor,
  tenantId: TenantId,
  connectionId: Id<"connection">,
  subject: string,
): Promise<ExternalAccount | undefined> {
  const [account] = await executor
    .select()
    .from(externalAccounts)
    .where(
      and(
        eq(externalAccounts.tenantId, tenantId),
        eq(externalAccounts.connectionId, connectionId),
        eq(externalAccounts.subject, subject),
      ),
    );
  return account;
}

export async function findAccountOfUser(
  executor: Executor,
  tenantId: TenantId,
  userId: UserId,
  id: Id<"externalAccount">,
): Promise<ExternalAccount | undefined> {
  const [account] = await executor
    .select()
    .from(externalAccounts)
    .where(
      and(
        eq(externalAccounts.tenantId, tenantId),
        eq(externalAccounts.userId, userId),
        eq(externalAccounts.id, id),
      ),
    );
  return account;
}

/** @throws the unique index's error when somebody has the subject by now (`isAlreadyLinked`) */
export async function insertAccount(
  executor: Executor,
  account: typeof externalAccounts.$inferInsert,
): Promise<void> {
  await executor.insert(externalAccounts).values(account);
}

export async function updateAccount(
  executor: Executor,
  { tenantId, id }: Pick<ExternalAccount, "tenantId" | "id">,
  changes: Partial<Pick<ExternalAccount, "email" | "profile" | "lastSignInAt" | "updatedAt">>,
): Promise<void> {
  await executor
    .update(externalAccounts)
    .set(changes)
    .where(and(eq(externalAccounts.tenantId, tenantId), eq(externalAccounts.id, id)));
}

export async function storeTokens(
  executor: Executor,
  { tenantId, id }: Pick<ExternalAccount, "tenantId" | "id">,
  { box, keyId }: SealedBox,
  now: Date,
): Promise<void> {
  await executor
    .update(externalAccounts)
    .set({ sealedTokens: box, masterKeyId: keyId, updatedAt: now })
    .where(and(eq(externalAccounts.tenantId, tenantId), eq(externalAccounts.id, id)));
}

/** Stores tokens in the place of those that were read with the account. @returns false when others are there by now */
export async function replaceTokens(
  executor: Executor,
  { tenantId, id, sealedTokens }: Pick<ExternalAccount, "tenantId" | "id" | "sealedTokens">,
  tokens: SealedBox | undefined,
  now: Date,
): Promise<boolean> {
  if (sealedTokens === null) return false;
  const replaced = await executor
    .update(externalAccounts)
    .set({ sealedTokens: tokens?.box ?? null, masterKeyId: tokens?.keyId ?? null, updatedAt: now })
    .where(
      and(
        eq(externalAccounts.tenantId, tenantId),
        eq(externalAccounts.id, id),
        eq(externalAccounts.sealedTokens, sealedTokens),
      ),
    )
    .returning({ id: externalAccounts.id });
  return replaced.length > 0;
}

/** Whose address it is, and whether they confirmed it. @param lock holds it as it is until the transaction ends */
export async function findHolder(
  executor: Executor,
  tenantId: TenantId,
  address: string,
  { lock }: { lock: boolean } = { lock: false },
): Promise<{ userId: UserId; verified: boolean } | undefined> {
  const query = executor
    .select({ userId: userEmails.userId, verifiedAt: userEmails.verifiedAt })
    .from(userEmails)
    .where(and(eq(userEmails.tenantId, tenantId), eq(userEmails.addressKey, emailKey(address))));
  const [row] = lock ? await query.for("update") : await query;
  return row && { userId: row.userId, verified: row.verifiedAt !== null };
}

/** Whom the organization's directory provisioned by this name. */
export async function findProvisioned(
  executor: Executor,
  tenantId: TenantId,
  organizationId: Id<"organization">,
  externalId: string,
): Promise<UserId | undefined> {
  const [row] = await executor
    .select({ userId: scimExternalIds.userId })
    .from(scimExternalIds)
    .where(
      and(
        eq(scimExternalIds.tenantId, tenantId),
        eq(scimExternalIds.scope, organizationId),
        eq(scimExternalIds.resourceType, "User"),
        eq(scimExternalIds.externalId, externalId),
      ),
    );
  return row?.userId ?? undefined;
}

export async function isProvisioned(
  executor: Executor,
  tenantId: TenantId,
  userId: UserId,
): Promise<boolean> {
  const rows = await executor
    .select({ userId: scimUsers.userId })
    .from(scimUsers)
    .where(and(eq(scimUsers.tenantId, tenantId), eq(scimUsers.userId, userId)));
  return rows.length > 0;
}

/**
 * Takes an address from whoever wrote it down and never confirmed it, unless a directory did. Looked at as the row is
 * now: a confirmation that comes first keeps it.
 * @returns whose it was
 */
export async function releaseUnconfirmed(
  executor: Executor,
  tenantId: TenantId,
  address: string,
): Promise<UserId | undefined> {
  const provisioned = executor
    .select({ one: sql`1` })
    .from(scimUsers)
    .where(and(eq(scimUsers.tenantId, userEmails.tenantId), eq(scimUsers.userId, userEmails.userId)));
  const [released] = await executor
    .delete(userEmails)
    .where(
      and(
        eq(userEmails.tenantId, tenantId),
        eq(userEmails.addressKey, emailKey(address)),
        isNull(userEmails.verifiedAt),
        notExists(provisioned),
      ),
    )
    .returning({ userId: userEmails.userId });
  return released?.userId;
}

export async function addMember(
  executor: Executor,
  member: typeof organizationMembers.$inferInsert,
): Promise<void> {
  await executor.insert(organizationMembers).values(member).onConflictDoNothing();
}

export async function updateProfile(
  executor: Executor,
  tenantId: TenantId,
  userId: UserId,
  changes: Partial<Pick<typeof users.$inferSelect, "givenName" | "familyName" | "picture" | "locale">>,
  now: Date,
): Promise<void> {
  await executor
    .update(users)
    .set({ ...changes, updatedAt: now })
    .where(and(eq(users.tenantId, tenantId), eq(users.id, userId)));
}

/** Whether some enabled connection has a domain. */
export async function hasConnectionDomain(executor: Executor, tenantId: TenantId): Promise<boolean> {
  const rows = await executor
    .select({ domain: connectionDomains.domain })
    .from(connectionDomains)
    .innerJoin(
      connections,
      and(
        eq(connections.tenantId, connectionDomains.tenantId),
        eq(connections.id, connectionDomains.connectionId),
      ),
    )
    .where(
      and(
        eq(connectionDomains.tenantId, tenantId),
        eq(connections.enabled, true),
        eq(connections.allowSignIn, true),
      ),
    )
    .limit(1);
  return rows.length > 0;
}

export async function hasUsername(executor: Executor, tenantId: TenantId, key: string): Promise<boolean> {
  const rows = await executor
    .select({ id: users.id })
    .from(users)
    .where(and(eq(users.tenantId, tenantId), eq(users.usernameKey, key)));
  return rows.length > 0;
}
