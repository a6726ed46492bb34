import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import { isClientIdentifierUrl } from "../../protocol/oauth/client-id-metadata-document.ts";
import { findTenantById, type Tenant } from "../tenants/service.ts";
import { findDocumentClient } from "./metadata-documents.ts";
import { clientCache } from "./cache.ts";
import type { Client } from "./model.ts";
import * as repo from "./repo.ts";

export {
  type ChangedBy,
  createClient,
  createClientFrom,
  deleteClient,
  describeClient,
  type Description,
  type MadeClient,
  type NewClient,
  prepareClient,
  replaceMetadata,
  rotateSecret,
  updateClient,
} from "./administration.ts";
export {
  administrativeMembers,
  type Member,
  registrationMembers,
} from "../../protocol/oauth/client-metadata-members.ts";
export { type Client, DEFAULT_SCOPES, NATIVE_CLIENT_ID } from "./model.ts";
export { insertRegisteredClient } from "./registered-client.ts";
export { type ClientSort, findAdministered } from "./repo.ts";
export { checkSectorIdentifier } from "./sector-identifier.ts";

/**
 * A client by what it calls itself, from the cache where possible; undefined when unknown or disabled. A URL is fetched
 * where the tenant lets clients describe themselves by a document.
 */
export async function findClient(
  deps: Deps,
  tenantId: Id<"tenant">,
  clientId: string,
): Promise<Client | undefined> {
  // Longer ones cannot be ours, and would only fill the cache's keys.
  if (clientId.length > 512) return undefined;
  const known = await clientCache(deps).get(tenantId, clientId, () =>
    repo.findByClientId(deps.db, tenantId, clientId),
  );
  if (known && !known.enabled) return undefined;
  if (known && known.origin !== "dynamic" && known.origin !== "metadata_document") return known;
  if (!known && !isClientIdentifierUrl(clientId)) return undefined;
  const tenant = await findTenantById(deps, tenantId);
  if (!tenant) return undefined;
  const client =
    known?.origin === "dynamic" ? known : await findDocumentClient(deps, tenant, clientId, known);
  return client && withinBounds(client, tenant);
}

/** What the tenant lets such clients have counts when they use it, not when they registered. */
function withinBounds(client: Client, { settings }: Tenant): Client {
  return {
    ...client,
    firstParty: false,
    scopes: client.scopes.filter((scope) => settings.self_registered_scopes.includes(scope)),
    resources: settings.self_registered_resources,
  };
}

/** A client by the id of its record, enabled or not, as the database has it now. */
export function findClientById(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: Id<"client">,
): Promise<Client | undefined> {
  return repo.findById(deps.db, tenantId, id);
}

/** @param page whose `after.value` is a moment for created_at */
export function listClients(
  deps: Deps,
  tenantId: Id<"tenant">,
  page: Parameters<typeof repo.listClients>[2],
): ReturnType<typeof repo.listClients> {
  return repo.listClients(deps.db, tenantId, page);
}

/** SHA-256 of each secret of the client that is valid at `now`. */
export function validSecretHashes(client: Client, now: Date): Buffer[] {
  return client.secrets.filter(({ expiresAt }) => !expiresAt || expiresAt > now).map(({ hash }) => hash);
}
