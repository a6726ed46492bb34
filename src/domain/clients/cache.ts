import type { TenantCache } from "../../db/caches.ts";
import type { Deps } from "../../deps.ts";
import type { Client } from "./model.ts";

/** Clients by client_id. Triggers empty it everywhere; `forget` lets the process that made a change see it at once. */
export function clientCache(deps: Deps): TenantCache<Client> {
  return deps.caches.named<Client>("clients", ["clients", "client_secrets"]);
}
