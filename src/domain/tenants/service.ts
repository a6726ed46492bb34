import { violatesUnique } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { conflict, validationError } from "../../lib/errors.ts";
import { type Id, newId } from "../../lib/ids.ts";
import * as audit from "../audit/service.ts";
import { createNativeClient } from "../clients/service.ts";
import { createInitialKeys } from "../keys/service.ts";
import { systemContext } from "../request-context.ts";
import { createBuiltInRoles } from "../roles/service.ts";
import { isValidSlug, normalizeHost, type Tenant } from "./model.ts";
import * as repo from "./repo.ts";
import type { TenantSettings } from "./settings.ts";

export { issuerOf, type Tenant } from "./model.ts";

/**
 * Tenants are few, read by every request and rarely changed. They are kept by every name they go by, and so is the
 * knowledge that a name is nobody's: most requests' Host names no tenant.
 */
const cacheOf = (deps: Deps) => deps.caches.shared<Tenant>("tenants", ["tenants", "tenant_domains"]);

export function findTenantById(deps: Deps, id: Id<"tenant">): Promise<Tenant | undefined> {
  return cacheOf(deps).get(id, () => repo.findById(deps.db, id));
}

export async function findTenantBySlug(deps: Deps, slug: string): Promise<Tenant | undefined> {
  return isValidSlug(slug)
    ? cacheOf(deps).get(`slug:${slug}`, () => repo.findBySlug(deps.db, slug))
    : undefined;
}

export function findTenantByHost(deps: Deps, host: string): Promise<Tenant | undefined> {
  const domain = normalizeHost(host);
  return cacheOf(deps).get(`domain:${domain}`, () => repo.findByDomain(deps.db, domain));
}

export function findDefaultTenant(deps: Deps): Promise<Tenant | undefined> {
  return cacheOf(deps).get("default", () => repo.findDefault(deps.db));
}

/**
 * Makes a tenant with all it needs to work: built-in roles, signing keys, and the client that the native API
 * issues tokens to.
 * @throws AppError 422 for a slug that cannot be one, 409 when slug or domain is taken.
 */
export async function createTenant(
  deps: Deps,
  input: {
    slug: string;
    name: string;
    domains?: readonly string[];
    isDefault?: boolean;
    settings?: Partial<TenantSettings>;
  },
): Promise<Tenant> {
  if (!isValidSlug(input.slug)) {
    throw validationError([
      {
        field: "slug",
        message: "Must be 1 to 63 lower-case letters, digits or inner hyphens, and no reserved word.",
      },
    ]);
  }
  const id = newId("tenant");
  const now = deps.clock.now();
  const domains = (input.domains ?? []).map(normalizeHost);
  const badDomain = domains.find((domain) => !/^(?=.{1,253}$)[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(domain));
  if (badDomain !== undefined) throw validationError([{ field: "domain", message: "Must be a host name." }]);
  try {
    await deps.db.transaction(async (tx) => {
      await repo.insertTenant(tx, {
        id,
        slug: input.slug,
        name: input.name,
        isDefault: input.isDefault ?? false,
        domains,
        now,
      });
      if (input.settings) await repo.updateSettings(tx, id, input.settings, now);
      await createBuiltInRoles(tx, id, now);
      await createNativeClient(tx, id, now);
      await createInitialKeys(deps, tx, id);
      await audit.record(tx, {
        tenantId: id,
        type: "tenant.created",
        actor: { type: "system" },
        target: { type: "tenant", id },
        details: { slug: input.slug },
        context: systemContext,
        now,
      });
    });
  } catch (error) {
    if (violatesUnique(error, "tenants_slug")) throw conflict("A tenant with this slug exists already.");
    if (violatesUnique(error, "tenant_domains_pkey"))
      throw conflict("One of these domains belongs to a tenant already.");
    throw error;
  }
  cacheOf(deps).clear();
  const tenant = await repo.findById(deps.db, id);
  if (!tenant) throw new Error("a tenant vanished while it was made");
  return tenant;
}

/** Changes some settings. Other processes see it within moments. */
export async function updateTenantSettings(
  deps: Deps,
  tenant: Tenant,
  changes: Partial<TenantSettings>,
): Promise<void> {
  await repo.updateSettings(deps.db, tenant.id, changes, deps.clock.now());
  cacheOf(deps).clear();
}
