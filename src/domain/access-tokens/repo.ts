import { and, eq, gt, isNull, notExists, sql as build } from "drizzle-orm";
import {
  type Database,
  type Executor,
  type Fragment,
  parameter,
  prepared,
  type Sql,
} from "../../db/client.ts";
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

const liveFamily = prepared((db) =>
  db
    .select({ user: userColumns, family })
    .from(tokenFamilies)
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
      and(
        eq(tokenFamilies.tenantId, parameter(tokenFamilies.tenantId, "tenantId")),
        eq(tokenFamilies.id, parameter(tokenFamilies.id, "familyId")),
        isNull(tokenFamilies.revokedAt),
        notExists(
          db
            .select({ one: build`1` })
            .from(revokedAccessTokens)
            .where(
              and(
                eq(revokedAccessTokens.tenantId, tokenFamilies.tenantId),
                eq(revokedAccessTokens.jti, parameter(revokedAccessTokens.jti, "jti")),
              ),
            ),
        ),
      ),
    )
    .prepare("live_family"),
);

/** The user behind a JWT, unless its family or the token itself was revoked or the user disabled: one round trip. */
export async function findLiveFamily(
  db: Database,
  token: { tenantId: Id<"tenant">; familyId: Id<"tokenFamily">; jti: string },
) {
  const [found] = await liveFamily(db).execute(token);
  return found;
}

const revokedJti = prepared((db) =>
  db
    .select({ jti: revokedAccessTokens.jti })
    .from(revokedAccessTokens)
    .where(
      and(
        eq(revokedAccessTokens.tenantId, parameter(revokedAccessTokens.tenantId, "tenantId")),
        eq(revokedAccessTokens.jti, parameter(revokedAccessTokens.jti, "jti")),
      ),
    )
    .prepare("revoked_jti"),
);

/** Whether a JWT of a client that acts for itself was revoked. */
export async function isRevoked(db: Database, tenantId: Id<"tenant">, jti: string): Promise<boolean> {
  return (await revokedJti(db).execute({ tenantId, jti })).length > 0;
}

const opaque = prepared((db) =>
  db
    .select({
      token: { hash: accessTokens.hash, claims: accessTokens.claims, familyId: accessTokens.familyId },
      family,
      user: userColumns,
    })
    .from(accessTokens)
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
    .where(
      and(
        eq(accessTokens.tenantId, parameter(accessTokens.tenantId, "tenantId")),
        eq(accessTokens.id, parameter(accessTokens.id, "id")),
        gt(accessTokens.expiresAt, parameter(accessTokens.expiresAt, "now")),
      ),
    )
    .prepare("opaque_access_token"),
);

/** An opaque token that has not expired, with its family and user where those stand: one round trip. */
export async function findOpaque(
  db: Database,
  token: { tenantId: Id<"tenant">; id: Id<"accessToken">; now: Date },
) {
  const [found] = await opaque(db).execute(token);
  return found && { ...found, user: isPresent(found.user) ? found.user : undefined };
}

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
