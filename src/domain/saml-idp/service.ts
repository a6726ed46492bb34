/** Applications that sign people in by SAML 2.0: found by requests, kept by administrators. */
import { type Executor, violatesUnique } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { conflict, notFound } from "../../lib/errors.ts";
import { type Id, newId } from "../../lib/ids.ts";
import type { PageRequest, PageResult } from "../../lib/page.ts";
import * as audit from "../audit/service.ts";
import type { ChangedBy } from "../clients/service.ts";
import { readSamlClient } from "./input.ts";
import { describeSamlClient, type SamlClient, type SamlClientRequest } from "./model.ts";
import * as repo from "./repo.ts";

export { describeSamlClient, type SamlClient, SamlClientMembers, SamlClientRequest } from "./model.ts";
export { findAll as findSamlClients } from "./repo.ts";

const cacheOf = (deps: Deps) => deps.caches.named<SamlClient>("saml-clients", ["saml_clients"]);

/** The application that a request is about, from the cache where possible; undefined when unknown or disabled. */
export async function findSamlClient(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: Id<"samlClient">,
): Promise<SamlClient | undefined> {
  const found = await cacheOf(deps).get(tenantId, id, () => repo.findCached(deps.db, tenantId, id));
  return found?.enabled ? found : undefined;
}

/** @throws AppError 404 */
export async function requireSamlClient(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: Id<"samlClient">,
): Promise<SamlClient> {
  const found = await repo.findById(deps.db, tenantId, id);
  if (!found) throw notFound();
  return found;
}

export function listSamlClients(
  deps: Deps,
  tenantId: Id<"tenant">,
  page: PageRequest<"created_at">,
): Promise<PageResult<SamlClient>> {
  return repo.listClients(deps.db, tenantId, page);
}

/** @throws AppError 422 that names each wrong field, 409 for an entityID that is there already */
export async function createSamlClient(
  deps: Deps,
  tenantId: Id<"tenant">,
  input: SamlClientRequest,
  by: ChangedBy,
): Promise<SamlClient> {
  const insert = prepareSamlClient(deps, input);
  return deps.db.transaction((tx) => insert(tx, tenantId, by));
}

/**
 * The same in another's transaction.
 * @returns what inserts it
 * @throws AppError 422 that names each wrong field
 */
export function prepareSamlClient(deps: Deps, input: SamlClientRequest) {
  const values = readSamlClient(input);
  const now = deps.clock.now();
  return async (tx: Executor, tenantId: Id<"tenant">, by: ChangedBy): Promise<SamlClient> => {
    const client = { ...values, tenantId, id: newId("samlClient"), createdAt: now, updatedAt: now };
    await once(() => repo.insertClient(tx, client));
    await audit.record(tx, {
      tenantId,
      type: "saml_client.created",
      target: { type: "saml_client", id: client.id },
      details: { after: describeSamlClient(client) },
      now,
      ...by,
    });
    return client;
  };
}

/** @throws AppError 404, 422 that names each wrong field, 409 when another one has this entityID */
export async function updateSamlClient(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: Id<"samlClient">,
  input: SamlClientRequest,
  by: ChangedBy,
): Promise<SamlClient> {
  const now = deps.clock.now();
  const changes = { ...readSamlClient(input), updatedAt: now };
  const updated = await deps.db.transaction(async (tx) => {
    const before = await repo.findById(tx, tenantId, id);
    if (!before) throw notFound();
    await once(() => repo.updateClient(tx, tenantId, id, changes));
    await audit.record(tx, {
      tenantId,
      type: "saml_client.updated",
      target: { type: "saml_client", id },
      details: { before: describeSamlClient(before), after: describeSamlClient(changes) },
      now,
      ...by,
    });
    return { ...before, ...changes };
  });
  cacheOf(deps).forget(tenantId);
  return updated;
}

/** @throws AppError 404 */
export async function deleteSamlClient(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: Id<"samlClient">,
  by: ChangedBy,
): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const before = await repo.findById(tx, tenantId, id);
    if (!before) throw notFound();
    await repo.deleteClient(tx, tenantId, id);
    await audit.record(tx, {
      tenantId,
      type: "saml_client.deleted",
      target: { type: "saml_client", id },
      details: { before: describeSamlClient(before) },
      now: deps.clock.now(),
      ...by,
    });
  });
  cacheOf(deps).forget(tenantId);
}

async function once<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (violatesUnique(error, "saml_clients_entity_id"))
      throw conflict("Another application has this entity_id already.");
    throw error;
  }
}
