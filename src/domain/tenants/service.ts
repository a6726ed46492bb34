import { type Executor, violatesUnique } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { isDisplayName } from "../../lib/display-name.ts";
import { conflict, type FieldError, validationError } from "../../lib/errors.ts";
import { type Id, newId } from "../../lib/ids.ts";
import * as audit from "../audit/service.ts";
import { createNativeClient } from "../clients/native-client.ts";
import { createInitialKeys } from "../keys/service.ts";
import { type RequestContext, systemContext } from "../request-context.ts";
import { createBuiltInRoles } from "../roles/service.ts";
import { isHostName, isValidSlug, normalizeHost, type Tenant } from "./model.ts";
import * as repo from "./repo.ts";
import type { TenantSettings } from "./settings.ts";

export { issuerOf, isValidSlug, type Tenant } from "./model.ts";

/** Tenants are few, read by every request and rarely changed. They are kept by every name they go by. */
const tenantCache = (deps: Deps) => deps.caches.shared<Tenant>("tenants", ["tenants", "tenant_domains"]);

export function findTenantById(deps: Deps, id: Id<"tenant">): Promise<Tenant | undefined> {
  return tenantCache(deps).get(id, () => repo.findById(deps.db, id));
}

export async function findTenantBySlug(deps: Deps, slug: string): Promise<Tenant | undefined> {
  return isValidSlug(slug)
    ? tenantCache(deps).get(`slug:${slug}`, () => repo.findBySlug(deps.db, slug))
    : undefined;
}

/** Looks in the list of all domains: a Host header is whatever a stranger writes, and is not to fill a cache. */
export async function findTenantByHost(deps: Deps, host: string): Promise<Tenant | undefined> {
  const domains = await deps.caches
    .shared<ReadonlyMap<string, Id<"tenant">>>("tenant-domains", ["tenants", "tenant_domains"])
    .get("all", () => repo.findAllDomains(deps.db));
  const id = domains?.get(normalizeHost(host));
  return id && findTenantById(deps, id);
}

export function findDefaultTenant(deps: Deps): Promise<Tenant | undefined> {
  return tenantCache(deps).get("default", () => repo.findDefault(deps.db));
}

/**
 * Makes a tenant with all it needs to work: built-in roles, signing keys, and the client that the native API
 * issues tokens to.
 * @param also what belongs to the tenant from its first moment: made in the same transaction, or the tenant is not
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
    /** Who makes it; the system itself, if left out. */
    by?: { readonly actor: audit.Actor; readonly context: RequestContext };
  },
  also?: (tx: Executor, tenantId: Id<"tenant">) => Promise<unknown>,
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
  const name = input.name.trim();
  const now = deps.clock.now();
  const domains = (input.domains ?? []).map(normalizeHost);
  const problems = tenantProblems(deps, name, domains);
  if (problems.length > 0) throw validationError(problems);
  try {
    await deps.db.transaction(async (tx) => {
      await repo.insertTenant(tx, {
        id,
        slug: input.slug,
        name,
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
        actor: input.by?.actor ?? { type: "system" },
        target: { type: "tenant", id },
        details: { slug: input.slug },
        context: input.by?.context ?? systemContext,
        now,
      });
      await also?.(tx, id);
    });
  } catch (error) {
    if (violatesUnique(error, "tenants_slug")) throw conflict("A tenant with this slug exists already.");
    if (violatesUnique(error, "tenant_domains_pkey"))
      throw conflict("One of these domains belongs to a tenant already.");
    throw error;
  }
  deps.caches.changed("tenants", id);
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
  deps.caches.changed("tenants", tenant.id);
}

/** What is wrong with a tenant's name or domains. */
export function tenantProblems(deps: Deps, name: string, domains: readonly string[]): FieldError[] {
  const problems: FieldError[] = [];
  if (!isDisplayName(name))
    problems.push({ field: "name", message: "Must be 1 to 128 printable characters." });
  if (!domains.every(isHostName)) problems.push({ field: "domain", message: "Must be a host name." });
  // It would take the default tenant's place for everybody.
  if (domains.includes(normalizeHost(new URL(deps.config.publicUrl).host))) {
    problems.push({ field: "domain", message: "Is this installation's own host (PUBLIC_URL)." });
  }
  return problems;
}
