import { and, asc, count, eq, ne, sql } from "drizzle-orm";
import type { Database, Executor } from "../../db/client.ts";
import {
  connections,
  externalAccounts,
  formerExternalTokens,
  passkeys,
  passwordCredentials,
  userEmails,
  userPhones,
} from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";
import type { SealedBox } from "../../lib/master-keys.ts";

export interface Owner {
  readonly tenantId: Id<"tenant">;
  readonly userId: Id<"user">;
}

const told = {
  id: externalAccounts.id,
  connectionId: externalAccounts.connectionId,
  connectionKey: connections.key,
  connectionName: connections.name,
  preset: connections.preset,
  kind: connections.kind,
  subject: externalAccounts.subject,
  email: externalAccounts.email,
  createdAt: externalAccounts.createdAt,
  lastSignInAt: externalAccounts.lastSignInAt,
};

const connection = and(
  eq(connections.tenantId, externalAccounts.tenantId),
  eq(connections.id, externalAccounts.connectionId),
);
const ofOwner = ({ tenantId, userId }: Owner) =>
  and(eq(externalAccounts.tenantId, tenantId), eq(externalAccounts.userId, userId));

/** The oldest first. */
export const listOfUser = (executor: Executor, owner: Owner) =>
  executor
    .select(told)
    .from(externalAccounts)
    .innerJoin(connections, connection)
    .where(ofOwner(owner))
    .orderBy(asc(externalAccounts.createdAt), asc(externalAccounts.id));

export async function findOfUser(executor: Executor, owner: Owner, id: Id<"externalAccount">) {
  const [found] = await executor
    .select(told)
    .from(externalAccounts)
    .innerJoin(connections, connection)
    .where(and(ofOwner(owner), eq(externalAccounts.id, id)));
  return found;
}

export type ExternalAccountRow = Awaited<ReturnType<typeof listOfUser>>[number];

/** @returns what was deleted, with its tokens */
export async function deleteOfUser(
  executor: Executor,
  owner: Owner,
  id: Id<"externalAccount">,
): Promise<{ connectionId: Id<"connection">; tokens: SealedBox | undefined } | undefined> {
  const [gone] = await executor
    .delete(externalAccounts)
    .where(and(ofOwner(owner), eq(externalAccounts.id, id)))
    .returning({
      connectionId: externalAccounts.connectionId,
      box: externalAccounts.sealedTokens,
      keyId: externalAccounts.masterKeyId,
    });
  if (!gone) return undefined;
  const { connectionId, box, keyId } = gone;
  return { connectionId, tokens: box && keyId ? { box, keyId } : undefined };
}

export async function countOfConnection(
  executor: Executor,
  tenantId: Id<"tenant">,
  connectionId: Id<"connection">,
): Promise<number> {
  const [row] = await executor
    .select({ accounts: count() })
    .from(externalAccounts)
    .where(and(eq(externalAccounts.tenantId, tenantId), eq(externalAccounts.connectionId, connectionId)));
  return row?.accounts ?? 0;
}

/** What a user could sign in with, apart from one external account. */
export async function findWaysIn(
  executor: Executor,
  { tenantId, userId }: Owner,
  apartFrom: Id<"externalAccount">,
): Promise<{ password: boolean; passkey: boolean; email: boolean; phone: boolean; external: boolean }> {
  const [row] = await executor.execute<Record<Way, boolean>>(sql`select
    exists (${of(executor, passwordCredentials)}) as password,
    exists (${of(executor, passkeys)}) as passkey,
    exists (${executor
      .select({ one: sql`1` })
      .from(userEmails)
      .where(
        and(
          eq(userEmails.tenantId, tenantId),
          eq(userEmails.userId, userId),
          sql`${userEmails.verifiedAt} is not null`,
        ),
      )}) as email,
    exists (${executor
      .select({ one: sql`1` })
      .from(userPhones)
      .where(
        and(
          eq(userPhones.tenantId, tenantId),
          eq(userPhones.userId, userId),
          sql`${userPhones.verifiedAt} is not null`,
        ),
      )}) as phone,
    exists (${executor
      .select({ one: sql`1` })
      .from(externalAccounts)
      .innerJoin(connections, connection)
      .where(
        and(
          ofOwner({ tenantId, userId }),
          ne(externalAccounts.id, apartFrom),
          eq(connections.enabled, true),
          eq(connections.allowSignIn, true),
        ),
      )}) as external`);
  if (!row) throw new Error("a select of five truths answered with none");
  return row;

  function of(by: Executor, table: typeof passwordCredentials | typeof passkeys) {
    return by
      .select({ one: sql`1` })
      .from(table)
      .where(and(eq(table.tenantId, tenantId), eq(table.userId, userId)));
  }
}

type Way = "password" | "passkey" | "email" | "phone" | "external";

export async function insertFormerTokens(
  executor: Executor,
  row: typeof formerExternalTokens.$inferInsert,
): Promise<void> {
  await executor.insert(formerExternalTokens).values(row);
}

export type FormerTokens = typeof formerExternalTokens.$inferSelect;

export async function findFormerTokens(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"externalAccount">,
): Promise<FormerTokens | undefined> {
  const [row] = await executor
    .select()
    .from(formerExternalTokens)
    .where(and(eq(formerExternalTokens.tenantId, tenantId), eq(formerExternalTokens.id, id)));
  return row;
}

export async function deleteFormerTokens(
  db: Database,
  tenantId: Id<"tenant">,
  id: Id<"externalAccount">,
): Promise<void> {
  await db
    .delete(formerExternalTokens)
    .where(and(eq(formerExternalTokens.tenantId, tenantId), eq(formerExternalTokens.id, id)));
}

/** Tokens that are sealed under another master key than this one, of all tenants: kept ones, and those to be revoked. */
export async function findSealedElsewhere(
  db: Database,
  keyId: string,
  most: number,
): Promise<SealedTokens[]> {
  const found = await Promise.all(
    [externalAccounts, formerExternalTokens].map((table) =>
      db
        .select({ tenantId: table.tenantId, id: table.id, box: table.sealedTokens, keyId: table.masterKeyId })
        .from(table)
        .where(ne(table.masterKeyId, keyId))
        .limit(most),
    ),
  );
  return found
    .flat()
    .flatMap(({ tenantId, id, box, keyId: by }) =>
      box && by ? [{ tenantId, id, sealed: { box, keyId: by } }] : [],
    );
}

export interface SealedTokens {
  readonly tenantId: Id<"tenant">;
  readonly id: Id<"externalAccount">;
  readonly sealed: SealedBox;
}

/** Wherever they are by now, unless they are others. */
export async function replaceSeal(
  db: Database,
  { tenantId, id, sealed }: SealedTokens,
  fresh: SealedBox,
): Promise<void> {
  for (const table of [externalAccounts, formerExternalTokens])
    await db
      .update(table)
      .set({ sealedTokens: fresh.box, masterKeyId: fresh.keyId })
      .where(and(eq(table.tenantId, tenantId), eq(table.id, id), eq(table.sealedTokens, sealed.box)));
}
