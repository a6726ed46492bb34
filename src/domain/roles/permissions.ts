/** What users and clients may do, by their roles: from the cache, so that no token waits for it. */
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import * as repo from "./repo.ts";

/** The scope that asks for the claim `permissions` of the same name. */
export const PERMISSIONS_SCOPE = "permissions";

const rolesCache = (deps: Deps) =>
  deps.caches.named<ReadonlyMap<string, readonly string[]>>("role-permissions", [
    "roles",
    "role_permissions",
  ]);
const clientsCache = (deps: Deps) =>
  deps.caches.named<readonly string[]>("client-roles", ["roles", "client_roles", "clients"]);

/** For who has just changed them: other processes hear of it within moments. */
export function forgetPermissions(deps: Deps, tenantId: Id<"tenant">): void {
  rolesCache(deps).forget(tenantId);
  clientsCache(deps).forget(tenantId);
}

/** @param roles by name @returns sorted, each once */
export async function permissionsOf(
  deps: Deps,
  tenantId: Id<"tenant">,
  roles: readonly string[],
): Promise<string[]> {
  if (roles.length === 0) return [];
  const known = await rolesCache(deps).get(tenantId, "all", async () => {
    const all = await repo.findRoles(deps.db, tenantId);
    return new Map(all.map(({ name, permissions }) => [name, permissions]));
  });
  return [...new Set(roles.flatMap((role) => known?.get(role) ?? []))].toSorted();
}

/** Names of the roles that a client has for what it does on its own behalf. */
export async function rolesOfClient(
  deps: Deps,
  tenantId: Id<"tenant">,
  clientId: Id<"client">,
): Promise<readonly string[]> {
  const roles = await clientsCache(deps).get(tenantId, clientId, async () =>
    (await repo.findClientRoles(deps.db, tenantId, clientId)).map(({ name }) => name),
  );
  return roles ?? [];
}
