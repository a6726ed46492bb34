import { and, asc, count, desc, eq, getTableColumns, gt, isNull, lt, ne, type SQL, sql } from "drizzle-orm";
import { type Database, type Executor, moment, parameter, prepared } from "../../db/client.ts";
import { connectionDomains, connections } from "../../db/schema/index.ts";
import { type Id, isId, uuidFromId } from "../../lib/ids.ts";
import type { SealedBox } from "../../lib/master-keys.ts";
import { COUNTED_AT_MOST, type PageRequest, pageOf, type PageResult } from "../../lib/page.ts";
import { connectionOf, readConfig } from "./kinds.ts";
import type { Connection, ConnectionKind } from "./model.ts";

const { sealedSecrets: _sealed, masterKeyId: _key, ...told } = getTableColumns(connections);
const columns = {
  ...told,
  domains: sql<string[]>`array(select d.domain from connection_domains d
    where d.tenant_id = connections.tenant_id and d.connection_id = connections.id order by d.domain)`,
};

type Row = Omit<typeof connections.$inferSelect, "sealedSecrets" | "masterKeyId"> & { domains: string[] };

/** @throws Error for a configuration that no build of this version wrote */
function toConnection({ kind, config, ...row }: Row): Connection {
  const configured = readConfig(kind, config);
  if (!configured) throw new Error(`the configuration of ${row.id} is none of a connection of kind ${kind}`);
  return connectionOf(row, configured);
}

const of = (tenantId: Id<"tenant">, ...conditions: (SQL | undefined)[]) =>
  and(eq(connections.tenantId, tenantId), ...conditions);

const byId = prepared((db) =>
  db
    .select(columns)
    .from(connections)
    .where(
      and(
        eq(connections.tenantId, parameter(connections.tenantId, "tenantId")),
        eq(connections.id, parameter(connections.id, "id")),
      ),
    )
    .prepare("connection_by_id"),
);
const byKey = prepared((db) =>
  db
    .select(columns)
    .from(connections)
    .where(
      and(
        eq(connections.tenantId, parameter(connections.tenantId, "tenantId")),
        eq(connections.key, parameter(connections.key, "key")),
      ),
    )
    .prepare("connection_by_key"),
);

export async function findById(
  db: Database,
  tenantId: Id<"tenant">,
  id: Id<"connection">,
): Promise<Connection | undefined> {
  const [row] = await byId(db).execute({ tenantId, id });
  return row && toConnection(row);
}

export async function findByKey(
  db: Database,
  tenantId: Id<"tenant">,
  key: string,
): Promise<Connection | undefined> {
  const [row] = await byKey(db).execute({ tenantId, key });
  return row && toConnection(row);
}

/** @returns the id of the connection that the people of a domain are sent to */
export async function findIdByDomain(
  db: Database,
  tenantId: Id<"tenant">,
  domain: string,
): Promise<Id<"connection"> | undefined> {
  const [row] = await db
    .select({ id: connectionDomains.connectionId })
    .from(connectionDomains)
    .where(and(eq(connectionDomains.tenantId, tenantId), eq(connectionDomains.domain, domain)));
  return row?.id;
}

/** @param organizationId null: those of nobody in particular */
export async function findForSignIn(
  db: Database,
  tenantId: Id<"tenant">,
  organizationId: Id<"organization"> | null,
  most: number,
): Promise<Connection[]> {
  const rows = await db
    .select(columns)
    .from(connections)
    .where(
      of(
        tenantId,
        organizationId === null
          ? isNull(connections.organizationId)
          : eq(connections.organizationId, organizationId),
        eq(connections.enabled, true),
        eq(connections.allowSignIn, true),
      ),
    )
    .orderBy(asc(connections.createdAt), asc(connections.id))
    .limit(most);
  return rows.map(toConnection);
}

export async function findSealedSecrets(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"connection">,
): Promise<SealedBox | undefined> {
  const [row] = await executor
    .select({ box: connections.sealedSecrets, keyId: connections.masterKeyId })
    .from(connections)
    .where(of(tenantId, eq(connections.id, id)));
  return row?.box && row.keyId ? { box: row.box, keyId: row.keyId } : undefined;
}

/** With its secrets, sealed. */
export interface AdministeredRow {
  readonly connection: Connection;
  readonly sealed: SealedBox | undefined;
}

const administered = { ...columns, box: connections.sealedSecrets, keyId: connections.masterKeyId };

function toAdministered({
  box,
  keyId,
  ...row
}: Row & { box: Buffer | null; keyId: string | null }): AdministeredRow {
  return { connection: toConnection(row), sealed: box && keyId ? { box, keyId } : undefined };
}

export async function findAdministered(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"connection">,
  { lock = false } = {},
): Promise<AdministeredRow | undefined> {
  const query = executor
    .select(administered)
    .from(connections)
    .where(of(tenantId, eq(connections.id, id)));
  const [row] = lock ? await query.for("update") : await query;
  return row && toAdministered(row);
}

export interface ConnectionFilter {
  readonly kind?: ConnectionKind | undefined;
  readonly organizationId?: Id<"organization"> | undefined;
  readonly enabled?: boolean | undefined;
}

export async function listAdministered(
  db: Database,
  tenantId: Id<"tenant">,
  { kind, organizationId, enabled }: ConnectionFilter,
  page: PageRequest<"created_at">,
): Promise<PageResult<AdministeredRow>> {
  const matching = of(
    tenantId,
    kind && eq(connections.kind, kind),
    organizationId && eq(connections.organizationId, organizationId),
    enabled === undefined ? undefined : eq(connections.enabled, enabled),
  );
  const direction = page.order === "asc" ? asc : desc;
  const [rows, [counted]] = await Promise.all([
    db
      .select(administered)
      .from(connections)
      .where(and(matching, following(page)))
      .orderBy(direction(connections.createdAt), direction(connections.id))
      .limit(page.limit + 1),
    db
      .select({ total: count() })
      .from(
        db
          .select({ id: connections.id })
          .from(connections)
          .where(matching)
          .limit(COUNTED_AT_MOST)
          .as("matching"),
      ),
  ]);
  return pageOf(rows.map(toAdministered), page.limit, counted?.total ?? 0);
}

function following({ after, order }: PageRequest<"created_at">): SQL | undefined {
  if (!after || !isId("connection", after.id)) return undefined;
  const beyond = order === "asc" ? gt : lt;
  return beyond(
    sql`(${connections.createdAt}, ${connections.id})`,
    sql`(${moment(new Date(after.value))}, ${uuidFromId("connection", after.id)}::uuid)`,
  );
}

/** Every one of a tenant, the oldest first. */
export async function findAll(executor: Executor, tenantId: Id<"tenant">): Promise<Connection[]> {
  const rows = await executor
    .select(columns)
    .from(connections)
    .where(of(tenantId))
    .orderBy(asc(connections.createdAt), asc(connections.id));
  return rows.map(toConnection);
}

function rowOf({ domains, config, attributeMapping, ...row }: Connection, sealed: SealedBox | undefined) {
  const plain = { config: { ...config }, attributeMapping: { ...attributeMapping } };
  const secrets = { sealedSecrets: sealed?.box ?? null, masterKeyId: sealed?.keyId ?? null };
  return { columnsOfRow: { ...row, ...plain, ...secrets }, domains };
}

/** @throws the unique indexes' errors for a key or a domain that another one has */
export async function insertConnection(
  executor: Executor,
  connection: Connection,
  sealed: SealedBox | undefined,
): Promise<void> {
  const { columnsOfRow, domains } = rowOf(connection, sealed);
  await executor.insert(connections).values(columnsOfRow);
  await insertDomains(executor, connection, domains);
}

/** @throws the primary key's error for a domain that another one has */
export async function updateConnection(
  executor: Executor,
  connection: Connection,
  sealed: SealedBox | undefined,
): Promise<void> {
  const { tenantId, id } = connection;
  const { columnsOfRow, domains } = rowOf(connection, sealed);
  await executor
    .update(connections)
    .set(columnsOfRow)
    .where(of(tenantId, eq(connections.id, id)));
  await executor
    .delete(connectionDomains)
    .where(and(eq(connectionDomains.tenantId, tenantId), eq(connectionDomains.connectionId, id)));
  await insertDomains(executor, connection, domains);
}

async function insertDomains(
  executor: Executor,
  { tenantId, id }: Pick<Connection, "tenantId" | "id">,
  domains: readonly string[],
): Promise<void> {
  if (domains.length === 0) return;
  await executor
    .insert(connectionDomains)
    .values(domains.map((domain) => ({ tenantId, connectionId: id, domain })));
}

export async function deleteConnection(
  executor: Executor,
  tenantId: Id<"tenant">,
  id: Id<"connection">,
): Promise<void> {
  await executor.delete(connections).where(of(tenantId, eq(connections.id, id)));
}

/** Whose secrets are sealed under another master key than this one, of all tenants. */
export async function findSealedElsewhere(
  db: Database,
  keyId: string,
  most: number,
): Promise<{ tenantId: Id<"tenant">; id: Id<"connection">; sealed: SealedBox }[]> {
  const rows = await db
    .select({
      tenantId: connections.tenantId,
      id: connections.id,
      box: connections.sealedSecrets,
      keyId: connections.masterKeyId,
    })
    .from(connections)
    .where(ne(connections.masterKeyId, keyId))
    .limit(most);
  return rows.flatMap(({ tenantId, id, box, keyId: sealedBy }) =>
    box && sealedBy ? [{ tenantId, id, sealed: { box, keyId: sealedBy } }] : [],
  );
}

/** Unless somebody changed them since. */
export async function replaceSealedSecrets(
  db: Database,
  { tenantId, id, sealed }: { tenantId: Id<"tenant">; id: Id<"connection">; sealed: SealedBox },
  fresh: SealedBox,
): Promise<void> {
  await db
    .update(connections)
    .set({ sealedSecrets: fresh.box, masterKeyId: fresh.keyId })
    .where(of(tenantId, eq(connections.id, id), eq(connections.sealedSecrets, sealed.box)));
}
