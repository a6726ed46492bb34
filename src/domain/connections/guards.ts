/** What keeps a connection from being changed. */
import type { Executor } from "../../db/client.ts";
import { AppError, type FieldError, validationError } from "../../lib/errors.ts";
import { type Administrator, administers, requireMayChangeLinked } from "../administrators/service.ts";
import { countAccounts } from "../external-accounts/service.ts";
import { requireRoles } from "../roles/service.ts";
import type { ConnectionChanges } from "./input.ts";
import type { Connection } from "./model.ts";

/** What cannot be said anew. */
export interface Fixed {
  readonly kind?: string | undefined;
  readonly preset?: string | null | undefined;
  readonly key?: string | undefined;
  readonly organizationId?: string | null | undefined;
}

/** A redirect URI and a kind of messages are agreed with somebody else: what is another one is a new connection. */
export function requireUnchanged(before: Connection, changes: Fixed): void {
  const fixed = {
    kind: [before.kind, changes.kind],
    preset: [before.preset, changes.preset],
    key: [before.key, changes.key],
    organization_id: [before.organizationId, changes.organizationId],
  };
  const problems: FieldError[] = Object.entries(fixed)
    .filter(([, [is, said]]) => said !== undefined && said !== is)
    .map(([field]) => ({ field, message: "Cannot be changed." }));
  if (problems.length > 0) throw validationError(problems);
}

/** Who could write an upstream role could otherwise administer this tenant. @throws AppError 422 */
export async function requireHarmlessRoles(tx: Executor, connection: Connection): Promise<void> {
  const { tenantId, defaultRole } = connection;
  const byGroup = connection.kind === "ldap" ? Object.values(connection.config.group_roles).flat() : [];
  const problem = (field: string) =>
    validationError([{ field, message: "A connection appoints no administrators." }]);
  if (defaultRole !== null && administers([defaultRole])) throw problem("default_role");
  if (administers(byGroup)) throw problem("config.group_roles");
  if (defaultRole !== null) await requireRoles(tx, tenantId, [defaultRole], "default_role");
  if (byGroup.length > 0) await requireRoles(tx, tenantId, [...new Set(byGroup)], "config.group_roles");
}

/** Members of a configuration that say whose names it is that the linked accounts are known by. */
const NAMESPACE = ["issuer", "issuer_template", "userinfo_endpoint", "idp_entity_id", "subject_attribute"];

/**
 * Holds back a change of what linked accounts depend on, in the transaction that makes it.
 * @throws AppError 403 where one of them is an administrator out of reach; 409 for a change of what names their users
 */
export async function guardLinked(
  tx: Executor,
  before: Connection,
  after: Connection,
  changes: ConnectionChanges,
  by: Administrator,
): Promise<void> {
  const trustsMore = after.trustUpstreamMfa && !before.trustUpstreamMfa;
  const vouches = changes.config ?? changes.secrets ?? changes.attributeMapping ?? (trustsMore || undefined);
  if (vouches === undefined || (await countAccounts(tx, before.tenantId, before.id)) === 0) return;
  await requireMayChangeLinked(tx, before.tenantId, before.id, by);
  const namespaceOf = ({ config, attributeMapping }: Connection) =>
    JSON.stringify([
      Object.entries(config)
        .filter(([member]) => NAMESPACE.includes(member))
        .toSorted(),
      attributeMapping.subject,
    ]);
  if (namespaceOf(before) !== namespaceOf(after))
    throw new AppError(
      409,
      "connection_in_use",
      "Accounts are linked by what this connection calls their users: what names them cannot change any more.",
    );
}
