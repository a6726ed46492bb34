import { and, eq, isNull } from "drizzle-orm";
import { type Database, type Executor, parameter, prepared } from "../../db/client.ts";
import { authorizationCodes, clients, sessions, userEmails, users } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";
import { primaryEmail, userColumns } from "../users/service.ts";

export async function insertCode(
  executor: Executor,
  code: typeof authorizationCodes.$inferInsert,
): Promise<void> {
  await executor.insert(authorizationCodes).values(code);
}

const codeById = prepared((db) =>
  db
    .select({
      code: authorizationCodes,
      clientId: clients.clientId,
      user: userColumns,
      sessionRevokedAt: sessions.revokedAt,
    })
    .from(authorizationCodes)
    .innerJoin(
      clients,
      and(eq(clients.tenantId, authorizationCodes.tenantId), eq(clients.id, authorizationCodes.clientId)),
    )
    .innerJoin(
      users,
      and(eq(users.tenantId, authorizationCodes.tenantId), eq(users.id, authorizationCodes.userId)),
    )
    .innerJoin(
      sessions,
      and(eq(sessions.tenantId, authorizationCodes.tenantId), eq(sessions.id, authorizationCodes.sessionId)),
    )
    .leftJoin(userEmails, primaryEmail)
    .where(
      and(
        eq(authorizationCodes.tenantId, parameter(authorizationCodes.tenantId, "tenantId")),
        eq(authorizationCodes.id, parameter(authorizationCodes.id, "id")),
      ),
    )
    .prepare("authorization_code_by_id"),
);

/** A code with its client's client_id, its user and whether its session still stands, in one round trip. */
export async function findCode(db: Database, tenantId: Id<"tenant">, id: Id<"authorizationCode">) {
  const [found] = await codeById(db).execute({ tenantId, id });
  return found;
}

/** One atomic statement: of two exchanges that race, one gets true. */
export async function consumeCode(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"authorizationCode">,
  familyId: Id<"tokenFamily">,
  now: Date,
): Promise<boolean> {
  const consumed = await executor
    .update(authorizationCodes)
    .set({ consumedAt: now, familyId })
    .where(
      and(
        eq(authorizationCodes.tenantId, tenantId),
        eq(authorizationCodes.id, id),
        isNull(authorizationCodes.consumedAt),
      ),
    )
    .returning({ id: authorizationCodes.id });
  return consumed.length > 0;
}
