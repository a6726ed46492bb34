import type { Deps } from "../../deps.ts";
import type { Access } from "../../domain/access-tokens/access.ts";
import { findClient, NATIVE_CLIENT_ID } from "../../domain/clients/service.ts";
import type { Tenant } from "../../domain/tenants/service.ts";
import { forbidden } from "../../lib/errors.ts";

/**
 * For what only the service's own applications may show and change for their user: where they are signed in, and whom
 * they let in. An application of somebody else is none of them, whatever scopes it was granted: with these routes it
 * could sign its user out of everything, or take away what they granted to others. Nor may who acts for them
 * (RFC 8693 §1.1), or has no more than another issuer's word for who they are (RFC 7523 §2.1).
 * @throws AppError 403
 */
export async function requireOwnApplication(
  deps: Deps,
  { tenant, access }: { tenant: Tenant; access: Access },
): Promise<void> {
  if (access.delegated || access.sessionId === null) throw forbidden("This is only for the user themselves.");
  if (access.clientId === NATIVE_CLIENT_ID) return;
  const client = await findClient(deps, tenant.id, access.clientId);
  if (!client?.firstParty) throw forbidden("This is only for the service's own applications.");
}
