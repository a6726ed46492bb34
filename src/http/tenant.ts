import type { Deps } from "../deps.ts";
import {
  findDefaultTenant,
  findTenantByHost,
  findTenantById,
  findTenantBySlug,
  type Tenant,
} from "../domain/tenants/service.ts";
import { badRequest, forbidden, notFound } from "../lib/errors.ts";
import { isId } from "../lib/ids.ts";
import type { RequestInfo } from "./request-info.ts";

/**
 * The tenant of a request: the one its path names, else its Host, else its header, else the default one. Two that
 * disagree are an error, so that nobody is served by another tenant than they meant.
 * @throws AppError 404 for a tenant that does not exist, 400 when two are named
 */
export async function resolveTenant(deps: Deps, request: Request, info: RequestInfo): Promise<Tenant> {
  return (await namedTenant(deps, request, info)) ?? requireTenant(await findDefaultTenant(deps));
}

/** @throws as `resolveTenant`; undefined when the request names none */
async function namedTenant(deps: Deps, request: Request, info: RequestInfo): Promise<Tenant | undefined> {
  const { headers } = request;
  const slug = headers.get("x-ovlt-tenant-slug");
  const id = headers.get("x-ovlt-tenant-id");
  // Most requests name none by anything else than their host.
  if (info.tenantSlug === undefined && slug === null && id === null)
    return info.host ? findTenantByHost(deps, info.host) : undefined;
  const named = [
    info.tenantSlug === undefined ? undefined : requireTenant(await findTenantBySlug(deps, info.tenantSlug)),
    info.host ? await findTenantByHost(deps, info.host) : undefined,
    slug === null ? undefined : requireTenant(await findTenantBySlug(deps, slug)),
    id === null ? undefined : requireTenant(isId("tenant", id) ? await findTenantById(deps, id) : undefined),
  ].filter((tenant) => tenant !== undefined);

  const [first] = named;
  if (first && named.some((tenant) => tenant.id !== first.id)) {
    throw badRequest("The path, the host and the headers of this request name different tenants.");
  }
  return first;
}

/**
 * The tenant that an administrator's request is about: that of `X-Org-Context`, by id or slug, else their own.
 * @param home the tenant that they are of, and signed in at
 * @throws AppError 403 for another tenant's name by who administers only their own, whether there is one or not; 404; 400
 *   when path, host or another header names a different one
 */
export async function administeredTenant(
  deps: Deps,
  request: Request,
  info: RequestInfo,
  { home, superAdmin }: { home: Tenant; superAdmin: boolean },
): Promise<Tenant> {
  const name = request.headers.get("x-org-context");
  if (name === null || name === home.id || name === home.slug) return home;
  if (!superAdmin) throw forbidden("Only who administers every tenant may choose one by X-Org-Context.");
  const chosen = requireTenant(
    isId("tenant", name) ? await findTenantById(deps, name) : await findTenantBySlug(deps, name),
  );
  if (await namedTenant(deps, request, info))
    throw badRequest("X-Org-Context and the path, the host or another header name different tenants.");
  return chosen;
}

function requireTenant(tenant: Tenant | undefined): Tenant {
  if (!tenant) throw notFound("There is no such tenant.");
  return tenant;
}
