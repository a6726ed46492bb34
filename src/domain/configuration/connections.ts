import { type Static, Type } from "@sinclair/typebox";
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import type { Administrator } from "../administrators/service.ts";
import { describeConnection, findConnections, insertMade, prepare } from "../connections/administration.ts";
import type { ImportResult } from "./document.ts";

const Text = (maxLength: number) => Type.Optional(Type.String({ maxLength }));
const Flag = Type.Optional(Type.Boolean());

/** As `describeConnection` tells it. Whose organization's it is, is told and not taken over: ids are of one tenant. */
export const ConnectionDocument = Type.Object({
  preset: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Null()])),
  kind: Text(64),
  key: Type.String({ maxLength: 64 }),
  name: Text(128),
  organization_id: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Null()])),
  allow_sign_in: Flag,
  allow_sign_up: Flag,
  block_email_subaddresses: Flag,
  link_policy: Text(64),
  trust_emails: Text(64),
  trust_upstream_mfa: Flag,
  default_role: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Null()])),
  attribute_mapping: Type.Optional(
    Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 1000 })),
  ),
  domains: Type.Optional(Type.Array(Type.String({ maxLength: 253 }), { maxItems: 100 })),
  config: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), Type.Unknown())),
});
export type ConnectionDocument = Static<typeof ConnectionDocument>;

/** Of nobody in particular: what belongs to an organization is of no use without it. */
export async function exportConnections(
  deps: Deps,
  tenantId: Id<"tenant">,
): Promise<ReturnType<typeof describeConnection>[]> {
  const all = await findConnections(deps.db, tenantId);
  return all.filter(({ organizationId }) => organizationId === null).map(describeConnection);
}

export type PreparedConnection = ReturnType<typeof prepare>;

/** Off, until somebody gives it its secrets. @throws AppError 422 that names each wrong field */
export const prepareConnection = (
  deps: Deps,
  tenantId: Id<"tenant">,
  document: ConnectionDocument,
): PreparedConnection =>
  prepare(deps, tenantId, {
    preset: document.preset ?? undefined,
    kind: document.kind,
    key: document.key,
    name: document.name,
    enabled: false,
    allowSignIn: document.allow_sign_in,
    allowSignUp: document.allow_sign_up,
    blockEmailSubaddresses: document.block_email_subaddresses,
    linkPolicy: document.link_policy,
    trustEmails: document.trust_emails,
    trustUpstreamMfa: document.trust_upstream_mfa,
    defaultRole: document.default_role,
    attributeMapping: document.attribute_mapping,
    domains: document.domains,
    config: document.config,
  });

/** Those that are not there yet, by their key. */
export async function importConnections(
  deps: Deps,
  tx: Executor,
  tenantId: Id<"tenant">,
  wanted: readonly PreparedConnection[],
  by: Administrator,
  now: Date,
): Promise<ImportResult["connections"]> {
  const result: ImportResult["connections"] = { created: [], skipped: [] };
  const known = new Set((await findConnections(tx, tenantId)).map(({ key }) => key));
  for (const made of wanted) {
    const { id, key, name } = made.connection;
    if (known.has(key)) {
      result.skipped.push(key);
      continue;
    }
    await insertMade(deps, tx, made, by, now);
    known.add(key);
    result.created.push({ id, key, name });
  }
  return result;
}
