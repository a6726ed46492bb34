/** Metadata, in both directions: ours for identity providers, and theirs for us. */
import type { Deps } from "../../deps.ts";
import { AppError } from "../../lib/errors.ts";
import { SamlError } from "../../protocol/saml/errors.ts";
import { readIdpMetadata } from "../../protocol/saml/idp-metadata.ts";
import { decodeUtf8 } from "../../protocol/saml/xml.ts";
import { OutboundError } from "../../outbound/errors.ts";
import * as audit from "../audit/service.ts";
import { forgetConnections, type SamlConnection } from "../connections/service.ts";
import { systemContext } from "../request-context.ts";
import { samlCredentials } from "../saml-idp/credentials.ts";
import { findTenantById, type Tenant } from "../tenants/service.ts";
import { serviceProviderOf } from "./entity.ts";
import { findSamlConnection } from "./identity-provider.ts";
import * as repo from "./repo.ts";

/** What an identity provider has to know of us: where answers go, and every key of ours that is used now or next. */
export async function samlSpMetadata(
  deps: Deps,
  tenant: Tenant,
  connection: SamlConnection,
): Promise<string> {
  const { writeMetadata } = await import("./samlify.ts");
  const { published } = await samlCredentials(deps, tenant.id);
  return writeMetadata({
    ...serviceProviderOf(deps, tenant, connection),
    nameIdFormat: connection.config.name_id_format,
    authnRequestsSigned: connection.config.sign_authn_requests,
    certificates: published,
  });
}

const BATCH = 100;
const MOST_BYTES = 1024 * 1024;

export interface MetadataRefresh {
  readonly read: number;
  readonly changed: number;
  /** Which could not be read, or were not believed: what was known of those stays, for as long as it holds. */
  readonly failed: number;
}

/**
 * Reads the metadata of every identity provider that has an address for it, so that a certificate which is replaced there
 * is known here before it signs. One that fails keeps none of the others.
 */
export async function refreshSamlMetadata(
  deps: Deps,
  now: Date,
  signal?: AbortSignal,
): Promise<MetadataRefresh> {
  const counts = { read: 0, changed: 0, failed: 0 };
  let after: repo.MetadataSource | undefined;
  for (;;) {
    const sources = await repo.findMetadataSources(deps.db, after, BATCH);
    for (const source of sources) {
      if (signal?.aborted) return counts;
      counts[await refresh(deps, source, now)] += 1;
    }
    after = sources.at(-1);
    if (sources.length < BATCH) return counts;
  }
}

async function refresh(deps: Deps, source: repo.MetadataSource, now: Date): Promise<keyof MetadataRefresh> {
  const tenant = await findTenantById(deps, source.tenantId);
  const connection = tenant && (await findSamlConnection(deps, tenant, source.id));
  const url = connection?.config.metadata_url;
  if (!connection || url === undefined) return "read";
  try {
    const document = await fetchDocument(deps, url);
    const { certificates, validUntil } = readIdpMetadata(document, connection.config.idp_entity_id, now);
    const learnt = { certificates, metadata_valid_until: validUntil?.toISOString() ?? null };
    return (await learn(deps, connection, { ...learnt, url, now })) ? "changed" : "read";
  } catch (err) {
    if (!(err instanceof OutboundError) && !(err instanceof AppError)) throw err;
    deps.log.warn({ err, connectionId: source.id }, "SAML metadata could not be read");
    return "failed";
  }
}

async function fetchDocument(deps: Deps, url: string): Promise<string> {
  const { status, body } = await deps.outbound.request(url, {
    accept: "application/samlmetadata+xml, application/xml, text/xml",
    maxBytes: MOST_BYTES,
  });
  if (status !== 200) throw new SamlError("metadata", `answered with ${status}`);
  return decodeUtf8(body);
}

/** @returns whether it said anything new of its certificates */
async function learn(
  deps: Deps,
  connection: SamlConnection,
  learnt: {
    certificates: readonly string[];
    metadata_valid_until: string | null;
    url: string;
    now: Date;
  },
): Promise<boolean> {
  const { tenantId, id, config } = connection;
  const { certificates, metadata_valid_until, url, now } = learnt;
  const known = config.certificates.map((pem) => pem.trim());
  const same =
    known.length === certificates.length && certificates.every((pem) => known.includes(pem.trim()));
  if (same && (config.metadata_valid_until ?? null) === metadata_valid_until) return false;
  await deps.db.transaction(async (tx) => {
    const read = { metadataUrl: url, entityId: config.idp_entity_id, now };
    const stored = await repo.storeMetadata(
      tx,
      { tenantId, id },
      { certificates, metadata_valid_until },
      read,
    );
    if (!stored || same) return;
    await audit.record(tx, {
      tenantId,
      type: "connection.updated",
      actor: { type: "system" },
      target: { type: "connection", id },
      details: { reason: "metadata", certificates: certificates.length },
      context: systemContext,
      now,
    });
  });
  forgetConnections(deps, tenantId);
  return !same;
}
