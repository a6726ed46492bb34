import { and, eq, gt, isNotNull, isNull, notExists, or, sql as build } from "drizzle-orm";
import type { AnyPgColumn } from "drizzle-orm/pg-core";
import { byPlace, together, wantedBy } from "../../db/batched.ts";
import { type Database, type Executor, type Fragment, prepared, type Sql } from "../../db/client.ts";
import { preparedInsert } from "../../db/prepared-insert.ts";
import {
  accessTokens,
  revokedAccessTokens,
  tokenFamilies,
  userEmails,
  users,
} from "../../db/schema/index.ts";
import { type Id, uuidFromId } from "../../lib/ids.ts";
import { primaryEmail, type User, userColumns } from "../users/service.ts";

export type AccessTokenRow = typeof accessTokens.$inferInsert;

/** In the caller's transaction. */
export async function insertAccessToken(executor: Executor, row: AccessTokenRow): Promise<void> {
  await executor.insert(accessTokens).values(row);
}

/** On its own. */
export const insertLoneAccessToken = preparedInsert(accessTokens);

/**
 * Keeps an opaque token, as a part of a larger statement.
 * @param source the common table expression that has a row exactly when the token is issued
 */
export const accessTokenInsert = (sql: Sql, row: AccessTokenRow, source: string): Fragment => sql`
  insert into access_tokens (tenant_id, id, hash, client_id, family_id, claims, issued_at, expires_at)
  select ${uuidFromId("tenant", row.tenantId)}::uuid, ${uuidFromId("accessToken", row.id)}::uuid, ${row.hash}::bytea,
    ${uuidFromId("client", row.clientId)}::uuid, ${row.familyId ? uuidFromId("tokenFamily", row.familyId) : null}::uuid,
    ${JSON.stringify(row.claims)}::text::jsonb, ${row.issuedAt.toISOString()}::timestamptz,
    ${row.expiresAt.toISOString()}::timestamptz
  from ${sql(source)}`;

interface WantedFamily {
  tenantId: Id<"tenant">;
  familyId: Id<"tokenFamily">;
  jti: string;
}

const wantedFamilies = wantedBy<WantedFamily>({
  tenantId: tokenFamilies.tenantId,
  familyId: tokenFamilies.id,
  jti: revokedAccessTokens.jti,
});

const wantedFamily = (db: Database) =>
  db
    .select()
    .from(tokenFamilies)
    .where(
      and(
        eq(tokenFamilies.tenantId, wantedFamilies.column("tenantId")),
        eq(tokenFamilies.id, wantedFamilies.column("familyId")),
        isNull(tokenFamilies.revokedAt),
      ),
    )
    .limit(1)
    .as("family");

const revocationInFamily = (db: Database) =>
  db
    .select({ one: build`1` })
    .from(revokedAccessTokens)
    .where(
      and(
        eq(revokedAccessTokens.tenantId, wantedFamilies.column("tenantId")),
        eq(revokedAccessTokens.jti, wantedFamilies.column("jti")),
      ),
    );

type Owned = Record<"tenantId" | "userId", AnyPgColumn>;
const ownerOf = ({ tenantId, userId }: Owned) =>
  and(eq(users.tenantId, tenantId), eq(users.id, userId), eq(users.enabled, true));

const liveFamilies = prepared((db) => {
  const family = wantedFamily(db);
  return db
    .select({
      place: wantedFamilies.place,
      user: userColumns,
      family: { id: family.id, sessionId: family.sessionId, claims: family.claims },
    })
    .from(wantedFamilies.table)
    .innerJoinLateral(family, build`true`)
    .innerJoin(users, ownerOf(family))
    .leftJoin(userEmails, primaryEmail)
    .where(notExists(revocationInFamily(db)))
    .prepare("live_families");
});

/** The user behind a JWT, unless its family or the token itself was revoked or the user disabled: one round trip. */
export const findLiveFamily = together(async (db, tokens: readonly WantedFamily[]) => {
  const rows = await liveFamilies(db).execute(wantedFamilies.encode(tokens));
  return byPlace(rows, tokens.length);
});

const standingFamilies = prepared((db) => {
  const family = wantedFamily(db);
  return db
    .select({ place: wantedFamilies.place })
    .from(wantedFamilies.table)
    .innerJoinLateral(family, build`true`)
    .innerJoin(users, ownerOf(family))
    .where(notExists(revocationInFamily(db)))
    .prepare("standing_families");
});

/** Whether `findLiveFamily` would find it. */
export const isStandingFamily = together(async (db, tokens: readonly WantedFamily[]) => {
  const rows = await standingFamilies(db).execute(wantedFamilies.encode(tokens));
  return byPlace(rows, tokens.length).map((row) => row !== undefined);
});

interface WantedJti {
  tenantId: Id<"tenant">;
  jti: string;
}

const wantedJtis = wantedBy<WantedJti>({
  tenantId: revokedAccessTokens.tenantId,
  jti: revokedAccessTokens.jti,
});

const revokedJtis = prepared((db) => {
  const revocation = db
    .select()
    .from(revokedAccessTokens)
    .where(
      and(
        eq(revokedAccessTokens.tenantId, wantedJtis.column("tenantId")),
        eq(revokedAccessTokens.jti, wantedJtis.column("jti")),
      ),
    )
    .limit(1)
    .as("revocation");
  return db
    .select({ place: wantedJtis.place })
    .from(wantedJtis.table)
    .innerJoinLateral(revocation, build`true`)
    .prepare("revoked_jtis");
});

/** Whether a JWT of a client that acts for itself was revoked. */
export const isRevoked = together(async (db, tokens: readonly WantedJti[]) => {
  const rows = await revokedJtis(db).execute(wantedJtis.encode(tokens));
  return byPlace(rows, tokens.length).map((row) => row !== undefined);
});

interface WantedOpaque {
  tenantId: Id<"tenant">;
  id: Id<"accessToken">;
  now: Date;
}

const wantedOpaques = wantedBy<WantedOpaque>({
  tenantId: accessTokens.tenantId,
  id: accessTokens.id,
  now: accessTokens.expiresAt,
});

const wantedOpaque = (db: Database) =>
  db
    .select()
    .from(accessTokens)
    .where(
      and(
        eq(accessTokens.tenantId, wantedOpaques.column("tenantId")),
        eq(accessTokens.id, wantedOpaques.column("id")),
        gt(accessTokens.expiresAt, wantedOpaques.column("now")),
      ),
    )
    .limit(1)
    .as("token");

const familyOf = (db: Database, token: Record<"tenantId" | "familyId", AnyPgColumn>) =>
  db
    .select()
    .from(tokenFamilies)
    .where(
      and(
        eq(tokenFamilies.tenantId, token.tenantId),
        eq(tokenFamilies.id, token.familyId),
        isNull(tokenFamilies.revokedAt),
      ),
    )
    .limit(1)
    .as("family");

const opaques = prepared((db) => {
  const token = wantedOpaque(db);
  const family = familyOf(db, token);
  return db
    .select({
      place: wantedOpaques.place,
      token: { hash: token.hash, claims: token.claims, familyId: token.familyId },
      family: { id: family.id, sessionId: family.sessionId, claims: family.claims },
      user: userColumns,
    })
    .from(wantedOpaques.table)
    .innerJoinLateral(token, build`true`)
    .leftJoinLateral(family, build`true`)
    .leftJoin(users, ownerOf(family))
    .leftJoin(userEmails, primaryEmail)
    .prepare("opaque_access_tokens");
});

/** An opaque token that has not expired, with its family and user where those stand: one round trip. */
export const findOpaque = together(async (db, tokens: readonly WantedOpaque[]) => {
  const rows = await opaques(db).execute(wantedOpaques.encode(tokens));
  return byPlace(rows, tokens.length).map(
    (found) => found && { ...found, user: isPresent(found.user) ? found.user : undefined },
  );
});

const standingOpaques = prepared((db) => {
  const token = wantedOpaque(db);
  const family = familyOf(db, token);
  const owner = db.select({ id: users.id }).from(users).where(ownerOf(family)).limit(1).as("owner");
  return db
    .select({ place: wantedOpaques.place, hash: token.hash, claims: token.claims })
    .from(wantedOpaques.table)
    .innerJoinLateral(token, build`true`)
    .leftJoinLateral(family, build`true`)
    .leftJoinLateral(owner, build`true`)
    .where(or(isNull(token.familyId), isNotNull(owner.id)))
    .prepare("standing_opaque_access_tokens");
});

/** The same without family and user: found only where those stand. */
export const findStandingOpaque = together(async (db, tokens: readonly WantedOpaque[]) => {
  const rows = await standingOpaques(db).execute(wantedOpaques.encode(tokens));
  return byPlace(rows, tokens.length);
});

/** What a left join did not find comes as an object of nulls. */
function isPresent(user: { [Column in keyof User]: User[Column] | null }): user is User {
  return user.id !== null;
}

export async function deleteOpaque(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"accessToken">,
): Promise<boolean> {
  const deleted = await executor
    .delete(accessTokens)
    .where(and(eq(accessTokens.tenantId, tenantId), eq(accessTokens.id, id)))
    .returning({ id: accessTokens.id });
  return deleted.length > 0;
}

/** @returns whether it was not revoked before. */
export async function insertRevocation(
  executor: Executor,
  row: typeof revokedAccessTokens.$inferInsert,
): Promise<boolean> {
  const inserted = await executor
    .insert(revokedAccessTokens)
    .values(row)
    .onConflictDoNothing()
    .returning({ jti: revokedAccessTokens.jti });
  return inserted.length > 0;
}
