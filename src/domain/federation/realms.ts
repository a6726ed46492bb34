import type { Deps } from "../../deps.ts";
import type { Tenant } from "../tenants/service.ts";
import * as repo from "./repo.ts";

/** Whether addresses of some domains lead to a connection, so that a sign-in may begin without a password. */
export async function hasRealms(deps: Deps, tenant: Pick<Tenant, "id">): Promise<boolean> {
  const cache = deps.caches.named<{ any: boolean }>("connection-realms", [
    "connections",
    "connection_domains",
  ]);
  const found = await cache.get(tenant.id, "any", async () => ({
    any: await repo.hasConnectionDomain(deps.db, tenant.id),
  }));
  return found?.any ?? false;
}
