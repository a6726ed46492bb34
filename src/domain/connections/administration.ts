/** Connections, as administrators look after them. */
import { type Executor, violatesUnique } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { conflict, notFound, validationError } from "../../lib/errors.ts";
import { type Id, isId, newId } from "../../lib/ids.ts";
import type { PageRequest, PageResult } from "../../lib/page.ts";
import { type Administrator, requireMayChangeLinked } from "../administrators/service.ts";
import * as audit from "../audit/service.ts";
import { countAccounts } from "../external-accounts/service.ts";
import { findOrganization } from "../organizations/service.ts";
import { type Fixed, guardLinked, requireHarmlessRoles, requireUnchanged } from "./guards.ts";
import { changedConnection, type ConnectionChanges, newConnection, type NewConnection } from "./input.ts";
import type { Connection, ConnectionKind } from "./model.ts";
import * as repo from "./repo.ts";
import { sealSecrets, unsealSecrets } from "./secrets.ts";
import { forgetConnections } from "./service.ts";

export type { ConnectionChanges, NewConnection } from "./input.ts";

/** A connection and the names of what it keeps secret. */
export interface AdministeredConnection {
  readonly connection: Connection;
  readonly secrets: readonly string[];
}

type TenantId = Id<"tenant">;

/** Every one of a tenant, the oldest first. */
export const findConnections = repo.findAll;

export async function listConnections(
  deps: Deps,
  tenantId: TenantId,
  filter: {
    kind?: ConnectionKind | undefined;
    organizationId?: string | undefined;
    enabled?: boolean | undefined;
  },
  page: PageRequest<"created_at">,
): Promise<PageResult<AdministeredConnection>> {
  const { organizationId, ...others } = filter;
  if (organizationId !== undefined && !isId("organization", organizationId))
    return { items: [], hasMore: false, total: 0 };
  const found = await repo.listAdministered(deps.db, tenantId, { ...others, organizationId }, page);
  return { ...found, items: found.items.map((row) => shown(deps, row)) };
}

/** @throws AppError 404 */
export async function requireConnection(
  deps: Deps,
  tenantId: TenantId,
  id: string,
): Promise<AdministeredConnection> {
  return shown(deps, await requireRow(deps.db, tenantId, id));
}

/** @throws AppError 422 that names each wrong field, 409 for a key or a domain that another connection has */
export async function createConnection(
  deps: Deps,
  tenantId: TenantId,
  input: NewConnection & { organizationId?: string | null | undefined },
  by: Administrator,
): Promise<AdministeredConnection> {
  const now = deps.clock.now();
  const organizationId = await readOrganization(deps, tenantId, input.organizationId ?? null);
  const made = prepare(deps, tenantId, input, organizationId);
  await deps.db.transaction((tx) => insertMade(deps, tx, made, by, now));
  forgetConnections(deps, tenantId);
  return { connection: made.connection, secrets: Object.keys(made.secrets) };
}

/** A sound connection that is not there yet, of nobody in particular unless told. @throws AppError 422 */
export const prepare = (
  deps: Deps,
  tenantId: TenantId,
  input: NewConnection,
  organizationId: Id<"organization"> | null = null,
): ReturnType<typeof newConnection> =>
  newConnection(input, { tenantId, id: newId("connection"), organizationId }, surroundings(deps));

/**
 * In the caller's transaction.
 * @throws AppError 422 for roles, 409 for a key or a domain that another connection has
 */
export async function insertMade(
  deps: Deps,
  tx: Executor,
  { connection, secrets }: ReturnType<typeof newConnection>,
  by: Administrator,
  now: Date,
): Promise<void> {
  const { tenantId, id } = connection;
  await requireHarmlessRoles(tx, connection);
  await once(() => repo.insertConnection(tx, connection, sealSecrets(deps, id, secrets)));
  await audit.record(tx, {
    tenantId,
    type: "connection.created",
    actor: by.actor,
    target: { type: "connection", id },
    details: { after: describeConnection(connection), secrets: Object.keys(secrets) },
    context: by.context,
    now,
  });
}

/**
 * What is not said stays.
 * @throws AppError 404; 422 that names each wrong field; 409 for a domain that another one has, and for what would make
 *   other people of those that the linked accounts are known as; 403 where one of these is an administrator out of reach
 */
export async function updateConnection(
  deps: Deps,
  tenantId: TenantId,
  id: string,
  changes: ConnectionChanges & Fixed,
  by: Administrator,
): Promise<AdministeredConnection> {
  const now = deps.clock.now();
  const updated = await once(() =>
    deps.db.transaction(async (tx) => {
      const row = await requireRow(tx, tenantId, id, { lock: true });
      const before = row.connection;
      requireUnchanged(before, changes);
      const secretsBefore = unsealSecrets(deps, before.id, row.sealed);
      const { connection, secrets } = changedConnection(
        { connection: before, secrets: secretsBefore },
        changes,
        surroundings(deps),
      );
      await requireHarmlessRoles(tx, connection);
      await guardLinked(tx, before, connection, changes, by);
      const unsaid = changes.secrets === undefined;
      await repo.updateConnection(
        tx,
        connection,
        unsaid ? row.sealed : sealSecrets(deps, before.id, secrets),
      );
      await audit.record(tx, {
        tenantId,
        type: "connection.updated",
        actor: by.actor,
        target: { type: "connection", id: before.id },
        details: {
          before: describeConnection(before),
          after: describeConnection(connection),
          secrets: Object.keys(changes.secrets ?? {}).filter(
            (name) => name in secrets || name in secretsBefore,
          ),
        },
        context: by.context,
        now,
      });
      return { connection, secrets: Object.keys(secrets) };
    }),
  );
  forgetConnections(deps, tenantId);
  return updated;
}

/** @param force takes the accounts that are linked to it along @throws AppError 404, 409 while there are such, 403 */
export async function deleteConnection(
  deps: Deps,
  tenantId: TenantId,
  id: string,
  { force }: { force: boolean },
  by: Administrator,
): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const { connection } = await requireRow(tx, tenantId, id, { lock: true });
    const linked = await countAccounts(tx, tenantId, connection.id);
    if (linked > 0 && !force)
      throw conflict("Accounts are linked to this connection. `?force=true` takes their links along.");
    if (linked > 0) await requireMayChangeLinked(tx, tenantId, connection.id, by);
    await repo.deleteConnection(tx, tenantId, connection.id);
    await audit.record(tx, {
      tenantId,
      type: "connection.deleted",
      actor: by.actor,
      target: { type: "connection", id: connection.id },
      details: { before: describeConnection(connection), external_accounts: linked },
      context: by.context,
      now: deps.clock.now(),
    });
  });
  forgetConnections(deps, tenantId);
}

/** All of a connection but its secrets, as documents and the audit trail tell it. */
export function describeConnection(connection: Connection) {
  return {
    preset: connection.preset,
    kind: connection.kind,
    key: connection.key,
    name: connection.name,
    organization_id: connection.organizationId,
    enabled: connection.enabled,
    allow_sign_in: connection.allowSignIn,
    allow_sign_up: connection.allowSignUp,
    block_email_subaddresses: connection.blockEmailSubaddresses,
    link_policy: connection.linkPolicy,
    trust_emails: connection.trustEmails,
    trust_upstream_mfa: connection.trustUpstreamMfa,
    default_role: connection.defaultRole,
    attribute_mapping: { ...connection.attributeMapping },
    domains: [...connection.domains],
    config: { ...connection.config },
  };
}

const surroundings = (deps: Deps) => ({
  now: deps.clock.now(),
  plainLdap: deps.config.env !== "production",
});

const shown = (deps: Deps, { connection, sealed }: repo.AdministeredRow): AdministeredConnection => ({
  connection,
  secrets: Object.keys(unsealSecrets(deps, connection.id, sealed)),
});

async function requireRow(
  executor: Executor,
  tenantId: TenantId,
  id: string,
  options: { lock?: boolean } = {},
): Promise<repo.AdministeredRow> {
  const row = isId("connection", id)
    ? await repo.findAdministered(executor, tenantId, id, options)
    : undefined;
  if (!row) throw notFound("There is no such connection.");
  return row;
}

async function readOrganization(
  deps: Deps,
  tenantId: TenantId,
  given: string | null,
): Promise<Id<"organization"> | null> {
  if (given === null) return null;
  const found = isId("organization", given) && (await findOrganization(deps.db, tenantId, given));
  if (!found) throw validationError([{ field: "organization_id", message: "Is no organization's." }]);
  return found.id;
}

async function once<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (violatesUnique(error, "connections_key")) throw conflict("Another connection has this key already.");
    if (violatesUnique(error, "connection_domains_tenant_id_domain_pk"))
      throw conflict("One of these domains leads to another connection already.");
    throw error;
  }
}
