import { and, eq, isNull } from "drizzle-orm";
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
  authorizationCodes,
  clients,
  pushedAuthorizationRequests,
  sessions,
  userEmails,
  users,
} from "../../db/schema/index.ts";
import { type Id, uuidFromId } from "../../lib/ids.ts";
import { primaryEmail, userColumns } from "../users/service.ts";

export const insertCode = preparedInsert(authorizationCodes);

const codeById = prepared((db) =>
  db
    .select({
      code: authorizationCodes,
      clientId: clients.clientId,
      user: userColumns,
      sessionRevokedAt: sessions.revokedAt,
      impersonationId: sessions.impersonationId,
      sessionExpiresAt: sessions.expiresAt,
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

/** Uses a code up, as the part of the statement that issues tokens for it: of two exchanges that race, one gets a row. */
export const codeConsumption =
  (tenantId: Id<"tenant">, id: Id<"authorizationCode">, familyId: Id<"tokenFamily">, now: Date) =>
  (sql: Sql): Fragment => sql`
    update authorization_codes
    set consumed_at = ${now.toISOString()}::timestamptz, family_id = ${uuidFromId("tokenFamily", familyId)}::uuid
    where tenant_id = ${uuidFromId("tenant", tenantId)}::uuid and id = ${uuidFromId("authorizationCode", id)}::uuid
      and consumed_at is null and exists (select 1 from live)
    returning 1`;

export async function insertPushedRequest(
  executor: Executor,
  request: typeof pushedAuthorizationRequests.$inferInsert,
): Promise<void> {
  await executor.insert(pushedAuthorizationRequests).values(request);
}

/** A pushed request, with its client's client_id. */
export async function findPushedRequest(executor: Executor, tenantId: Id<"tenant">, id: Id<"pushedRequest">) {
  const requests = pushedAuthorizationRequests;
  const [found] = await executor
    .select({
      id: requests.id,
      hash: requests.hash,
      clientId: clients.clientId,
      search: requests.search,
      expiresAt: requests.expiresAt,
      consumedAt: requests.consumedAt,
    })
    .from(requests)
    .innerJoin(clients, and(eq(clients.tenantId, requests.tenantId), eq(clients.id, requests.clientId)))
    .where(and(eq(requests.tenantId, tenantId), eq(requests.id, id)));
  return found;
}

/** One atomic statement: of two browsers that bring it, one gets true. */
export async function consumePushedRequest(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"pushedRequest">,
  now: Date,
): Promise<boolean> {
  const requests = pushedAuthorizationRequests;
  const consumed = await executor
    .update(requests)
    .set({ consumedAt: now })
    .where(and(eq(requests.tenantId, tenantId), eq(requests.id, id), isNull(requests.consumedAt)))
    .returning({ id: requests.id });
  return consumed.length > 0;
}
