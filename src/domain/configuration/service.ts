/** Taking a tenant's configuration from one place to another. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { AppError } from "../../lib/errors.ts";
import { type Id, isId } from "../../lib/ids.ts";
import { type Administrator, keepingAdministrators } from "../administrators/service.ts";
import * as audit from "../audit/service.ts";
import { forgetConnections } from "../connections/service.ts";
import { describeClient, type Description, findAdministered, prepareClient } from "../clients/service.ts";
import { addGroupRoles } from "../group-roles/service.ts";
import { findTenantGroups, insertGroup } from "../groups/service.ts";
import { describeSamlClient, findSamlClients } from "../saml-idp/service.ts";
import { assignClientRoles, insertRole, replaceRole } from "../roles/administration.ts";
import { forgetPermissions } from "../roles/permissions.ts";
import { findClientRoles, findRoles } from "../roles/service.ts";
import { findTenantRecord, type TenantAdministrator, writeSettings } from "../tenants/administration.ts";
import { checkSettings } from "../tenants/settings.ts";
import {
  exportConnections,
  importConnections,
  prepareConnection,
  type PreparedConnection,
} from "./connections.ts";
import {
  type Configuration,
  CONFIGURATION_VERSION,
  type ConfigurationRequest,
  type ImportResult,
} from "./document.ts";
import { importSamlClients, prepareOne, type PreparedSamlClient } from "./saml-clients.ts";

/** @throws AppError 404 */
export async function exportConfiguration(
  deps: Deps,
  id: string,
  by: TenantAdministrator,
): Promise<Configuration> {
  const tenant = await findTenantRecord(deps, id, by);
  const [roles, groups, clients, samlClients, connections] = await Promise.all([
    findRoles(deps.db, tenant.id),
    findTenantGroups(deps.db, tenant.id),
    findAdministered(deps.db, tenant.id),
    findSamlClients(deps.db, tenant.id),
    exportConnections(deps, tenant.id),
  ]);
  const described = [];
  for (const client of clients) {
    const itsRoles = await findClientRoles(deps.db, tenant.id, client.id);
    const named = { client_id: client.clientId, roles: itsRoles.map(({ name }) => name) };
    described.push({ ...named, ...describeClient(client) });
  }
  return {
    version: CONFIGURATION_VERSION,
    exported_at: deps.clock.now().toISOString(),
    organization: { slug: tenant.slug, name: tenant.name, domains: [...tenant.domains] },
    settings: tenant.settings,
    roles: roles.map(({ name, description, permissions }) => ({
      name,
      description,
      permissions: [...permissions],
    })),
    groups: groups.map(({ displayName, roles: given }) => ({ name: displayName, roles: [...given] })),
    clients: described,
    saml_clients: samlClients.map(describeSamlClient),
    connections,
  };
}

/**
 * Adds what is missing, and takes nothing away: roles, what roles allow, groups and what they give, clients by their
 * client_id, SAML clients by their entityID, connections by their key. Settings are set as the document says. All of it or nothing.
 * @param dryRun tells what would come of it, and changes nothing
 * @throws AppError 404; 403 for what only a super_admin gives; 422 that names what is wrong, by its place in the document
 */
export async function importConfiguration(
  deps: Deps,
  id: string,
  document: ConfigurationRequest,
  { dryRun, ...by }: TenantAdministrator & { dryRun: boolean },
): Promise<ImportResult> {
  const tenant = await findTenantRecord(deps, id, by);
  const settings = await within("settings", () => checkSettings(document.settings ?? {}));
  const clients = await prepareClients(deps, document.clients ?? []);
  const samlClients: PreparedSamlClient[] = [];
  for (const [index, described] of (document.saml_clients ?? []).entries())
    samlClients.push(await within(`saml_clients.${index}`, () => prepareOne(deps, described)));
  const connections: PreparedConnection[] = [];
  for (const [index, described] of (document.connections ?? []).entries())
    connections.push(
      await within(`connections.${index}`, () => prepareConnection(deps, tenant.id, described)),
    );
  const now = deps.clock.now();
  const rehearsed = new Error("this import was not meant to be");
  let result: ImportResult | undefined;
  try {
    await deps.db.transaction((tx) =>
      keepingAdministrators(tx, tenant.id, async () => {
        const roles = await importRoles(tx, tenant.id, document.roles ?? [], by, now);
        const groups = await importGroups(tx, tenant.id, document.groups ?? [], by, now);
        const made = await importClients(tx, tenant.id, clients, by, now);
        const saml = await importSamlClients(tx, tenant.id, samlClients, by);
        const upstream = await importConnections(deps, tx, tenant.id, connections, by, now);
        const changed = await writeSettings(tx, tenant.id, settings, by, now);
        result = {
          settings: changed,
          roles,
          groups,
          clients: made,
          samlClients: saml,
          connections: upstream,
        };
        if (dryRun) throw rehearsed;
        await audit.record(tx, {
          tenantId: tenant.id,
          type: "tenant.imported",
          actor: by.actor,
          target: { type: "tenant", id: tenant.id },
          details: {
            settings: changed,
            roles,
            groups,
            clients: made.created.map(({ clientId }) => clientId),
            saml_clients: saml.created.map(({ id: made }) => made),
            connections: upstream.created.map(({ key }) => key),
          },
          context: by.context,
          now,
        });
      }),
    );
  } catch (error) {
    if (error !== rehearsed) throw error;
  }
  if (!result) throw new Error("an import ended without a result");
  if (!dryRun) {
    deps.caches.changed("tenants", tenant.id);
    forgetPermissions(deps, tenant.id);
    forgetConnections(deps, tenant.id);
    return result;
  }
  const created = result.clients.created.map((client) => ({ ...client, clientSecret: undefined }));
  return { ...result, clients: { ...result.clients, created } };
}

type Insert = Awaited<ReturnType<typeof prepareClient>>;
interface Prepared {
  readonly place: string;
  readonly name: string;
  readonly clientId: Id<"client"> | undefined;
  readonly roles: readonly string[];
  readonly insert: Insert;
}

async function prepareClients(
  deps: Deps,
  described: NonNullable<ConfigurationRequest["clients"]>,
): Promise<Prepared[]> {
  const prepared: Prepared[] = [];
  for (const [index, { client_id: clientId, roles = [], ...others }] of described.entries()) {
    const place = `clients.${index}`;
    const description: Description = others;
    const insert = await within(place, () => prepareClient(deps, description));
    const name = String(description["name"]);
    prepared.push({ place, name, clientId: isId("client", clientId) ? clientId : undefined, roles, insert });
  }
  return prepared;
}

async function importRoles(
  tx: Executor,
  tenantId: Id<"tenant">,
  wanted: NonNullable<ConfigurationRequest["roles"]>,
  by: Administrator,
  now: Date,
): Promise<ImportResult["roles"]> {
  const result: ImportResult["roles"] = { created: [], extended: [] };
  for (const [index, { name, description = "", permissions = [] }] of wanted.entries()) {
    // Read anew: a document may name a role twice.
    const known = (await findRoles(tx, tenantId)).find((role) => role.name === name);
    const place = `roles.${index}`;
    if (!known) {
      await within(place, () => insertRole(tx, tenantId, { name, description, permissions }, by, now));
      result.created.push(name);
      continue;
    }
    const missing = permissions.filter((permission) => !known.permissions.includes(permission));
    if (missing.length === 0) continue;
    const extended = { ...known, permissions: [...known.permissions, ...missing] };
    await within(place, () => replaceRole(tx, tenantId, known.id, extended, by, now));
    result.extended.push(name);
  }
  return result;
}

async function importGroups(
  tx: Executor,
  tenantId: Id<"tenant">,
  wanted: NonNullable<ConfigurationRequest["groups"]>,
  by: Administrator,
  now: Date,
): Promise<ImportResult["groups"]> {
  const result: ImportResult["groups"] = { created: [], extended: [] };
  for (const [index, { name, roles = [] }] of wanted.entries()) {
    const known = (await findTenantGroups(tx, tenantId)).find((group) => group.displayName === name.trim());
    const place = `groups.${index}`;
    const missing = roles.filter((role) => !known?.roles.includes(role));
    const id = known?.id ?? (await within(place, () => insertGroup(tx, tenantId, name, by, now)));
    if (missing.length > 0)
      await within(place, () => addGroupRoles(tx, { tenantId, groupId: id }, missing, by, now));
    if (!known) result.created.push(name);
    else if (missing.length > 0) result.extended.push(name);
  }
  return result;
}

async function importClients(
  tx: Executor,
  tenantId: Id<"tenant">,
  wanted: readonly Prepared[],
  by: Administrator,
  now: Date,
): Promise<ImportResult["clients"]> {
  const result: ImportResult["clients"] = { created: [], skipped: [] };
  const known = new Set<string>((await findAdministered(tx, tenantId)).map(({ clientId }) => clientId));
  for (const { place, name, clientId, roles, insert } of wanted) {
    if (clientId && known.has(clientId)) {
      result.skipped.push(clientId);
      continue;
    }
    const { id, clientSecret } = await insert(tx, tenantId, by, clientId);
    await within(place, () => assignClientRoles(tx, { tenantId, clientId: id }, roles, now));
    known.add(clientId ?? id);
    result.created.push({ name, clientId: clientId ?? id, clientSecret });
  }
  return result;
}

/** Says where in the document a wrong field is. */
async function within<Result>(place: string, work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || !error.details) throw error;
    const details = error.details.map(({ field, message }) => ({ field: `${place}.${field}`, message }));
    throw new AppError(error.status, error.code, error.message, { details });
  }
}
