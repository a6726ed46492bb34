import type { Id } from "../../lib/ids.ts";

/** Whose resources: of one organization's provisioning client, or all of the tenant's. */
export interface Scope {
  readonly tenantId: Id<"tenant">;
  readonly organizationId: Id<"organization"> | null;
}

/** What external ids are unique within. */
export const scopeKey = ({ organizationId, tenantId }: Scope): string => organizationId ?? tenantId;
