import { and, asc, count, desc, eq, gt, ilike, isNull, lt, or, type SQL, sql } from "drizzle-orm";
import { type Database, type Executor, moment, parameter, prepared } from "../../db/client.ts";
import { clients, clientSecrets, grants } from "../../db/schema/index.ts";
import { type Id, isId, uuidFromId } from "../../lib/ids.ts";
import { COUNTED_AT_MOST, type PageRequest, pageOf, type PageResult } from "../../lib/page.ts";
import type { ClientMetadata } from "../../protocol/oauth/client-metadata.ts";
import type { Client } from "./model.ts";

const columns = {
  client: clients,
  secret: { hash: clientSecrets.hash, expiresAt: clientSecrets.expiresAt },
};
const itsSecrets = and(eq(clientSecrets.tenantId, clients.tenantId), eq(clientSecrets.clientId, clients.id));

const byClientId = prepared((db) =>
  db
    .select(columns)
    .from(clients)
    .leftJoin(clientSecrets, itsSecrets)
    .where(
      and(
        eq(clients.tenantId, parameter(clients.tenantId, "tenantId")),
        eq(clients.clientId, parameter(clients.clientId, "clientId")),
      ),
    )
    .orderBy(asc(clientSecrets.createdAt))
    .prepare("client_by_client_id"),
);

interface Row {
  readonly client: Omit<Client, "secrets">;
  readonly secret: { hash: Buffer; expiresAt: Date | null } | null;
}

function toClient(rows: readonly Row[]): Client | undefined {
  const [first] = rows;
  return first && { ...first.client, secrets: rows.flatMap(({ secret }) => (secret ? [secret] : [])) };
}

export async function findByClientId(
  db: Database,
  tenantId: Id<"tenant">,
  clientId: string,
): Promise<Client | undefined> {
  return toClient(await byClientId(db).execute({ tenantId, clientId }));
}

export async function findById(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"client">,
): Promise<Client | undefined> {
  const rows = await executor
    .select(columns)
    .from(clients)
    .leftJoin(clientSecrets, itsSecrets)
    .where(and(eq(clients.tenantId, tenantId), eq(clients.id, id)))
    .orderBy(asc(clientSecrets.createdAt));
  return toClient(rows);
}

/** Keeps others from changing the client until the transaction ends. @returns whether it is still there */
export async function lockClient(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"client">,
): Promise<boolean> {
  const rows = await executor
    .select({ id: clients.id })
    .from(clients)
    .where(and(eq(clients.tenantId, tenantId), eq(clients.id, id)))
    .for("update");
  return rows.length > 0;
}

/** The client of this client_id, which nobody else changes until the transaction ends. */
export async function lockByClientId(
  executor: Executor,
  tenantId: Id<"tenant">,
  clientId: string,
): Promise<Omit<Client, "secrets"> | undefined> {
  const [client] = await executor
    .select()
    .from(clients)
    .where(and(eq(clients.tenantId, tenantId), eq(clients.clientId, clientId)))
    .for("update");
  return client;
}

const mutable = (metadata: ClientMetadata) => ({
  ...metadata,
  contacts: [...metadata.contacts],
  grantTypes: [...metadata.grantTypes],
  redirectUris: [...metadata.redirectUris],
  postLogoutRedirectUris: [...metadata.postLogoutRedirectUris],
  scopes: [...metadata.scopes],
  resources: [...metadata.resources],
  defaultAcrValues: [...metadata.defaultAcrValues],
  tokenExchangeModes: [...metadata.tokenExchangeModes],
  jwks: metadata.jwks && { keys: [...metadata.jwks.keys] },
});

/** @returns false when another client has this client_id already */
export async function insertClient(
  executor: Executor,
  client: ClientMetadata &
    Pick<Client, "tenantId" | "id" | "clientId" | "origin" | "createdAt" | "updatedAt"> &
    Partial<Pick<Client, "registrationTokenHash" | "metadataExpiresAt">>,
): Promise<boolean> {
  const rows = await executor
    .insert(clients)
    .values({ ...client, ...mutable(client) })
    .onConflictDoNothing()
    .returning({ id: clients.id });
  return rows.length > 0;
}

export async function updateClient(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"client">,
  changes: ClientMetadata & { updatedAt: Date; metadataExpiresAt?: Date },
): Promise<void> {
  await executor
    .update(clients)
    .set({ ...changes, ...mutable(changes) })
    .where(and(eq(clients.tenantId, tenantId), eq(clients.id, id)));
}

/** Asks a metadata document again at this time, and says nothing of when it was last read. */
export async function postponeRefresh(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"client">,
  metadataExpiresAt: Date,
): Promise<void> {
  await executor
    .update(clients)
    .set({ metadataExpiresAt })
    .where(and(eq(clients.tenantId, tenantId), eq(clients.id, id)));
}

/** Everything that was issued to the client goes with it: codes, families with their tokens, consents. */
export async function deleteClient(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"client">,
): Promise<void> {
  await executor.delete(clients).where(and(eq(clients.tenantId, tenantId), eq(clients.id, id)));
}

/** Whoever consented is asked again. */
export async function forgetConsents(
  executor: Executor,
  tenantId: Id<"tenant">,
  clientId: Id<"client">,
): Promise<void> {
  await executor.delete(grants).where(and(eq(grants.tenantId, tenantId), eq(grants.clientId, clientId)));
}

export async function insertSecret(
  executor: Executor,
  secret: typeof clientSecrets.$inferInsert,
): Promise<void> {
  await executor.insert(clientSecrets).values(secret);
}

/** The client's secrets work until then at the longest; at `now` they are gone at once, with those that ended before. */
export async function endSecrets(
  executor: Executor,
  tenantId: Id<"tenant">,
  clientId: Id<"client">,
  { at, now }: { at: Date; now: Date },
): Promise<void> {
  const ofClient = and(eq(clientSecrets.tenantId, tenantId), eq(clientSecrets.clientId, clientId));
  await executor
    .update(clientSecrets)
    .set({ expiresAt: at })
    .where(and(ofClient, or(isNull(clientSecrets.expiresAt), gt(clientSecrets.expiresAt, at))));
  await executor
    .delete(clientSecrets)
    .where(and(ofClient, sql`${clientSecrets.expiresAt} <= ${moment(now)}`));
}

/** All that administrators made; not what registered itself, and not what is built in. */
export async function findAdministered(
  executor: Executor,
  tenantId: Id<"tenant">,
): Promise<Omit<Client, "secrets">[]> {
  return executor
    .select()
    .from(clients)
    .where(and(eq(clients.tenantId, tenantId), eq(clients.origin, "administrator")))
    .orderBy(clients.createdAt, clients.id);
}

export type ClientSort = "created_at" | "name";

/** @param page whose `after.value` is a moment for created_at */
export async function listClients(
  db: Database,
  tenantId: Id<"tenant">,
  page: PageRequest<ClientSort>,
): Promise<PageResult<Omit<Client, "secrets">>> {
  const pattern = page.search && `%${page.search.replace(/[\\%_]/g, "\\$&")}%`;
  const matching = and(
    eq(clients.tenantId, tenantId),
    pattern === undefined ? undefined : or(ilike(clients.name, pattern), ilike(clients.clientId, pattern)),
  );
  const column = page.sort === "name" ? clients.name : clients.createdAt;
  const direction = page.order === "asc" ? asc : desc;
  const [rows, [counted]] = await Promise.all([
    db
      .select()
      .from(clients)
      .where(and(matching, following(page)))
      .orderBy(direction(column), direction(clients.id))
      .limit(page.limit + 1),
    db
      .select({ total: count() })
      .from(
        db.select({ id: clients.id }).from(clients).where(matching).limit(COUNTED_AT_MOST).as("matching"),
      ),
  ]);
  return pageOf(rows, page.limit, counted?.total ?? 0);
}

function following({ after, sort, order }: PageRequest<ClientSort>): SQL | undefined {
  if (!after || !isId("client", after.id)) return undefined;
  const uuid = uuidFromId("client", after.id);
  const beyond = order === "asc" ? gt : lt;
  return sort === "name"
    ? beyond(sql`(${clients.name}, ${clients.id})`, sql`(${after.value}::text, ${uuid}::uuid)`)
    : beyond(
        sql`(${clients.createdAt}, ${clients.id})`,
        sql`(${moment(new Date(after.value))}, ${uuid}::uuid)`,
      );
}
