import type { Executor } from "../../db/client.ts";
import { type Id } from "../../lib/ids.ts";
import { ScimError } from "../../protocol/scim/error.ts";
import type { ResourceSchema } from "../../protocol/scim/resource-schema.ts";
import { enqueue } from "../../queue/outbox.ts";
import * as audit from "../audit/service.ts";
import type { ScimMapping } from "../organizations/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import type { Scope } from "./scope.ts";

/** Who provisions, for whom, and with which schemas. */
export interface Provisioning {
  readonly tenant: Tenant;
  readonly organizationId: Id<"organization"> | null;
  readonly actor: audit.Actor;
  /** Whether it may change those who administer every tenant, and who they are. */
  readonly superAdmin: boolean;
  readonly context: RequestContext;
  readonly schema: ResourceSchema;
  /** How the organization's people get their profile; empty: by the defaults. */
  readonly mapping: ScimMapping;
  /** Of the SCIM surface, without a slash at its end. */
  readonly baseUrl: string;
}

export const scopeOf = ({ tenant, organizationId }: Provisioning): Scope => ({
  tenantId: tenant.id,
  organizationId,
});

export const notFound = (id: string) =>
  new ScimError(404, undefined, `There is no user ${JSON.stringify(id.slice(0, 64))}.`);

export const forbidden = (detail: string) => new ScimError(403, undefined, detail);

/** An organization vouches for nobody's address; the tenant's own directory does, unless the tenant says otherwise. */
export const emailsVerified = ({ tenant, organizationId }: Provisioning) =>
  organizationId === null && tenant.settings.scim_emails_verified;

/** One row of the audit trail about a user. */
export function record(
  tx: Executor,
  by: Provisioning,
  id: Id<"user">,
  type: audit.AuditEventType,
  details: Record<string, unknown>,
  now: Date,
): Promise<void> {
  const { tenant, actor, context } = by;
  const target = { type: "user", id } as const;
  return audit.record(tx, { tenantId: tenant.id, type, actor, target, details, context, now });
}

/** Tells the worker, which does whatever else follows from it. */
export async function announce(
  tx: Executor,
  by: Provisioning,
  id: Id<"user">,
  name: "user_provisioned" | "user_deprovisioned",
  now: Date,
): Promise<void> {
  const payload = { user_id: id, ...(by.organizationId ? { organization_id: by.organizationId } : {}) };
  await enqueue(tx, { tenantId: by.tenant.id, queue: "scim", name, payload, now });
}
