import type { Deps } from "../deps.ts";
import {
  findDefaultTenant,
  findTenantByHost,
  findTenantById,
  findTenantBySlug,
  type Tenant,
} from "../domain/tenants/service.ts";
import { badRequest, notFound } from "../lib/errors.ts";
import { isId } from "../lib/ids.ts";
import type { RequestInfo } from "./request-info.ts";

/**
 * The tenant of a request: the one its path names, else its Host, else its header, else the default one. Two that
 * disagree are an error, so that nobody is served by another tenant than they meant.
 * @throws AppError 404 for a tenant that does not exist, 400 when two are named
 */
export async function resolveTenant(deps: Deps, request: Request, info: RequestInfo): Promise<Tenant> {
  const { headers } = request;
  const slug = headers.get("x-ovlt-tenant-slug");
  const id = headers.get("x-ovlt-tenant-id");
  // Most requests name no tenant, and are answered from the cache without waiting for anything else.
  const named = [
    info.tenantSlug === undefined ? undefined : requireTenant(await findTenantBySlug(deps, info.tenantSlug)),
    info.host ? await findTenantByHost(deps, info.host) : undefined,
    slug === null ? undefined : requireTenant(await findTenantBySlug(deps, slug)),
    id === null ? undefined : requireTenant(isId("tenant", id) ? await findTenantById(deps, id) : undefined),
  ].filter((tenant) => tenant !== undefined);

  const [first] = named;
  if (!first) return requireTenant(await findDefaultTenant(deps));
  if (named.some((tenant) => tenant.id !== first.id)) {
    throw badRequest("The path, the host and the headers of this request name different tenants.");
  }
  return first;
}

function requireTenant(tenant: Tenant | undefined): Tenant {
  if (!tenant) throw notFound("There is no such tenant.");
  return tenant;
}
