import { and, eq, gt, isNull, notExists, sql as build } from "drizzle-orm";
import { byPlace, together, wantedBy } from "../../db/batched.ts";
import { type Executor, type Fragment, prepared, type Sql } from "../../db/client.ts";
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

const family = {
  id: tokenFamilies.id,
  sessionId: tokenFamilies.sessionId,
  claims: tokenFamilies.claims,
};

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

const liveFamilies = prepared((db) =>
  db
    .select({ place: wantedFamilies.place, user: userColumns, family })
    .from(wantedFamilies.table)
    .innerJoin(
      tokenFamilies,
      and(
        eq(tokenFamilies.tenantId, wantedFamilies.column("tenantId")),
        eq(tokenFamilies.id, wantedFamilies.column("familyId")),
        isNull(tokenFamilies.revokedAt),
      ),
    )
    .innerJoin(
      users,
      and(
        eq(users.tenantId, tokenFamilies.tenantId),
        eq(users.id, tokenFamilies.userId),
        eq(users.enabled, true),
      ),
    )
    .leftJoin(userEmails, primaryEmail)
    .where(
      notExists(
        db
          .select({ one: build`1` })
          .from(revokedAccessTokens)
          .where(
            and(
              eq(revokedAccessTokens.tenantId, wantedFamilies.column("tenantId")),
              eq(revokedAccessTokens.jti, wantedFamilies.column("jti")),
            ),
          ),
      ),
    )
    .prepare("live_families"),
);

/** The user behind a JWT, unless its family or the token itself was revoked or the user disabled: one round trip. */
export const findLiveFamily = together(async (db, tokens: readonly WantedFamily[]) => {
  const rows = await liveFamilies(db).execute(wantedFamilies.encode(tokens));
  return byPlace(rows, tokens.length);
});

interface WantedJti {
  tenantId: Id<"tenant">;
  jti: string;
}

const wantedJtis = wantedBy<WantedJti>({
  tenantId: revokedAccessTokens.tenantId,
  jti: revokedAccessTokens.jti,
});

const revokedJtis = prepared((db) =>
  db
    .select({ place: wantedJtis.place })
    .from(wantedJtis.table)
    .innerJoin(
      revokedAccessTokens,
      and(
        eq(revokedAccessTokens.tenantId, wantedJtis.column("tenantId")),
        eq(revokedAccessTokens.jti, wantedJtis.column("jti")),
      ),
    )
    .prepare("revoked_jtis"),
);

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

const opaques = prepared((db) =>
  db
    .select({
      place: wantedOpaques.place,
      token: { hash: accessTokens.hash, claims: accessTokens.claims, familyId: accessTokens.familyId },
      family,
      user: userColumns,
    })
    .from(wantedOpaques.table)
    .innerJoin(
      accessTokens,
      and(
        eq(accessTokens.tenantId, wantedOpaques.column("tenantId")),
        eq(accessTokens.id, wantedOpaques.column("id")),
        gt(accessTokens.expiresAt, wantedOpaques.column("now")),
      ),
    )
    .leftJoin(
      tokenFamilies,
      and(
        eq(tokenFamilies.tenantId, accessTokens.tenantId),
        eq(tokenFamilies.id, accessTokens.familyId),
        isNull(tokenFamilies.revokedAt),
      ),
    )
    .leftJoin(
      users,
      and(
        eq(users.tenantId, tokenFamilies.tenantId),
        eq(users.id, tokenFamilies.userId),
        eq(users.enabled, true),
      ),
    )
    .leftJoin(userEmails, primaryEmail)
    .prepare("opaque_access_tokens"),
);

/** An opaque token that has not expired, with its family and user where those stand: one round trip. */
export const findOpaque = together(async (db, tokens: readonly WantedOpaque[]) => {
  const rows = await opaques(db).execute(wantedOpaques.encode(tokens));
  return byPlace(rows, tokens.length).map(
    (found) => found && { ...found, user: isPresent(found.user) ? found.user : undefined },
  );
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
