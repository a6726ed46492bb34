/** Clients that describe themselves by a document at their client_id (OAuth Client ID Metadata Document). */
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { newId } from "../../lib/ids.ts";
import {
  type FetchedDocument,
  isTemporaryFailure,
  METADATA_DOCUMENT_MAX_BYTES,
  metadataLifetimeSeconds,
  readMetadataDocument,
} from "../../protocol/oauth/client-id-metadata-document.ts";
import type { ClientMetadata } from "../../protocol/oauth/client-metadata.ts";
import { administeredMembers } from "../../protocol/oauth/registration.ts";
import * as audit from "../audit/service.ts";
import { systemContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import { differences, looksLikeAnother } from "./differences.ts";
import { clientCache } from "./cache.ts";
import type { Client } from "./model.ts";
import * as repo from "./repo.ts";
import { checkSectorIdentifier } from "./sector-identifier.ts";

/** For so long after a document was last read, trouble on its server does not lock the client's users out. */
const STALE_SECONDS = 48 * 3600;
/** When it is asked again after such trouble. */
const RETRY_SECONDS = 60;

/** Strangers choose the addresses: what a process waits for at the same time is bounded. */
const MAX_UNDER_WAY = 64;

/** One fetch at a time for each client of a process: many users may come with the same one. */
const underWay = new WeakMap<object, Map<string, Promise<Client | undefined>>>();

/**
 * @param known the client as it was last read
 * @returns undefined when the tenant does not let clients describe themselves, or there is no such document
 */
export async function findDocumentClient(
  deps: Deps,
  tenant: Tenant,
  clientId: string,
  known: Client | undefined,
): Promise<Client | undefined> {
  if (!tenant.settings.client_id_metadata_documents) return undefined;
  if (known?.metadataExpiresAt && known.metadataExpiresAt > deps.clock.now()) return known;
  const running = underWay.get(deps.caches) ?? new Map<string, Promise<Client | undefined>>();
  underWay.set(deps.caches, running);
  const key = `${tenant.id}/${clientId}`;
  const mayFetch = running.size < MAX_UNDER_WAY;
  const begun =
    running.get(key) ??
    refresh(deps, tenant, { clientId, known, mayFetch }).finally(() => running.delete(key));
  running.set(key, begun);
  return begun;
}

async function refresh(
  deps: Deps,
  tenant: Tenant,
  { clientId, known, mayFetch }: { clientId: string; known: Client | undefined; mayFetch: boolean },
): Promise<Client | undefined> {
  const fetched = mayFetch ? await fetchDocument(deps, clientId) : undefined;
  if (!fetched) return known && keepForNow(deps, known);
  const read = readMetadataDocument(clientId, fetched, tenant.settings.self_registered_scopes);
  const problems = read.ok ? await checkSectorIdentifier(deps, read.metadata) : read.problems;
  if (!read.ok || problems.length > 0) {
    deps.log.info({ clientId, problems }, "a client's metadata document was refused");
    return undefined;
  }
  await keep(deps, tenant, clientId, read.metadata, metadataLifetimeSeconds(fetched.headers));
  clientCache(deps).forget(tenant.id);
  const client = await repo.findByClientId(deps.db, tenant.id, clientId);
  return client?.enabled && client.origin === "metadata_document" ? client : undefined;
}

/** @returns undefined when nothing can be said of the document now */
async function fetchDocument(deps: Deps, clientId: string): Promise<FetchedDocument | undefined> {
  try {
    // Redirects are not followed (§5): an answer that is one is no document.
    const fetched = await deps.outbound.request(clientId, {
      accept: "application/json",
      maxBytes: METADATA_DOCUMENT_MAX_BYTES,
    });
    return isTemporaryFailure(fetched.status) ? undefined : fetched;
  } catch (err) {
    deps.log.info({ clientId, err }, "a client's metadata document could not be fetched");
    return undefined;
  }
}

async function keepForNow(deps: Deps, known: Client): Promise<Client | undefined> {
  const now = deps.clock.now();
  if (addSeconds(known.updatedAt, STALE_SECONDS) <= now) return undefined;
  await repo.postponeRefresh(deps.db, known.tenantId, known.id, addSeconds(now, RETRY_SECONDS));
  clientCache(deps).forget(known.tenantId);
  return known;
}

/** Writes what was read. Whoever consented to another name or other redirect URIs is asked again (§8.4). */
async function keep(
  deps: Deps,
  tenant: Tenant,
  clientId: string,
  metadata: ClientMetadata,
  lifetimeSeconds: number,
): Promise<void> {
  const now = deps.clock.now();
  const tenantId = tenant.id;
  const times = { updatedAt: now, metadataExpiresAt: addSeconds(now, lifetimeSeconds) };
  const event = { tenantId, actor: { type: "system" }, context: systemContext, now } as const;
  await deps.db.transaction(async (tx) => {
    const id = newId("client");
    const identity = { tenantId, id, clientId, origin: "metadata_document" } as const;
    const isNew = await repo.insertClient(tx, { ...metadata, ...identity, ...times, createdAt: now });
    if (isNew) {
      const details = { after: administeredMembers(metadata) };
      await audit.record(tx, { ...event, type: "client.created", target: { type: "client", id }, details });
      return;
    }
    const before = await repo.lockByClientId(tx, tenantId, clientId);
    if (before?.origin !== "metadata_document") return;
    // An administrator may have disabled it: its document does not enable it again.
    const after = { ...metadata, enabled: before.enabled };
    await repo.updateClient(tx, tenantId, before.id, { ...after, ...times });
    const changes = differences(before, after);
    if (Object.keys(changes.after).length === 0) return;
    if (looksLikeAnother(changes)) await repo.forgetConsents(tx, tenantId, before.id);
    const target = { type: "client", id: before.id } as const;
    await audit.record(tx, { ...event, type: "client.updated", target, details: changes });
  });
}
