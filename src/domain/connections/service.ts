/** Finding connections: for sign-in pages, callbacks and tests of the domain of an email address. */
import type { Deps } from "../../deps.ts";
import { type Id, isId } from "../../lib/ids.ts";
import type { Tenant } from "../tenants/model.ts";
import { emailDomain } from "./domains.ts";
import type { Connection } from "./model.ts";
import * as repo from "./repo.ts";
import { unsealSecrets } from "./secrets.ts";

export type {
  Connection,
  LdapConnection,
  Oauth2Connection,
  OidcConnection,
  SamlConnection,
} from "./model.ts";

/** Of one page: nobody looks through more buttons. */
const MOST_ON_A_PAGE = 100;

const tables = ["connections", "connection_domains"];
const cache = (deps: Deps) => deps.caches.named<Connection>("connections", tables);
const listCache = (deps: Deps) => deps.caches.named<readonly Connection[]>("connections-listed", tables);

/** For who has just changed one: other processes hear of it within moments. */
export function forgetConnections(deps: Deps, tenantId: Id<"tenant">): void {
  cache(deps).forget(tenantId);
  listCache(deps).forget(tenantId);
}

/** A connection by its id or its key, enabled or not. */
export async function findConnection(
  deps: Deps,
  tenantId: Id<"tenant">,
  keyOrId: string,
): Promise<Connection | undefined> {
  if (isId("connection", keyOrId))
    return cache(deps).get(tenantId, keyOrId, () => repo.findById(deps.db, tenantId, keyOrId));
  if (!isConnectionKey(keyOrId)) return undefined;
  return cache(deps).get(tenantId, `key:${keyOrId}`, () => repo.findByKey(deps.db, tenantId, keyOrId));
}

/** Lower-case letters, digits and inner hyphens: it stands in addresses. */
export const isConnectionKey = (key: string): boolean => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(key);

/**
 * The connections that a sign-in page offers, the oldest first: enabled, and made for sign-in.
 * @param organizationId those of this organization; null, those of nobody in particular
 */
export async function listSignInConnections(
  deps: Deps,
  tenant: Pick<Tenant, "id">,
  organizationId: Id<"organization"> | null = null,
): Promise<readonly Connection[]> {
  const found = await listCache(deps).get(tenant.id, organizationId ?? "tenant", () =>
    repo.findForSignIn(deps.db, tenant.id, organizationId, MOST_ON_A_PAGE),
  );
  return found ?? [];
}

/** Home-realm discovery: where the people of an address's domain sign in. Undefined: here. */
export async function connectionForEmail(
  deps: Deps,
  tenant: Pick<Tenant, "id">,
  email: string,
): Promise<Connection | undefined> {
  const domain = emailDomain(email);
  if (domain === undefined) return undefined;
  const found = await cache(deps).get(tenant.id, `domain:${domain}`, async () => {
    const id = await repo.findIdByDomain(deps.db, tenant.id, domain);
    return id && repo.findById(deps.db, tenant.id, id);
  });
  return found?.enabled && found.allowSignIn ? found : undefined;
}

/**
 * What a connection keeps secret, by the names of its kind's secrets.
 * @throws MasterKeyError
 */
export async function connectionSecrets(
  deps: Deps,
  { tenantId, id }: Pick<Connection, "tenantId" | "id">,
): Promise<Record<string, string>> {
  return unsealSecrets(deps, id, await repo.findSealedSecrets(deps.db, tenantId, id));
}
