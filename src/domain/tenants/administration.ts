/** Tenants, as administrators look after them: their own, or, who administers every tenant, all. */
import { type Executor, violatesUnique } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { conflict, type FieldError, forbidden, notFound, validationError } from "../../lib/errors.ts";
import { type Id, isId } from "../../lib/ids.ts";
import type { PageRequest, PageResult } from "../../lib/page.ts";
import type { Administrator } from "../administrators/service.ts";
import * as audit from "../audit/service.ts";
import { normalizeHost } from "./model.ts";
import * as repo from "./repo.ts";
import { createTenant, tenantProblems } from "./service.ts";
import { checkSettings, type TenantSettings } from "./settings.ts";

export type { TenantRecord, TenantSort } from "./repo.ts";

/** Who administers, and from which tenant. */
export interface TenantAdministrator extends Administrator {
  /** The tenant that they are of, or that they chose. */
  readonly tenantId: Id<"tenant">;
}

/** @param page whose `after.value` is a moment for created_at */
export const listTenants = (
  deps: Deps,
  page: PageRequest<repo.TenantSort>,
  by: TenantAdministrator,
): Promise<PageResult<repo.TenantRecord>> =>
  repo.listTenants(deps.db, page, by.superAdmin ? undefined : by.tenantId);

/** @throws AppError 404; for who administers their own tenant alone, also for every other one */
export async function findTenantRecord(
  deps: Deps,
  id: string,
  by: TenantAdministrator,
): Promise<repo.TenantRecord> {
  const tenant = isId("tenant", id) && mayAdminister(id, by) ? await repo.findRecord(deps.db, id) : undefined;
  if (!tenant) throw noTenant();
  return tenant;
}

const mayAdminister = (id: Id<"tenant">, by: TenantAdministrator) => by.superAdmin || id === by.tenantId;

/** @throws AppError 403 unless by a super_admin; 409 for a taken slug or domain; 422 */
export async function addTenant(
  deps: Deps,
  input: { slug: string; name: string; domains: readonly string[] },
  by: TenantAdministrator,
): Promise<repo.TenantRecord> {
  if (!by.superAdmin) throw forbidden("Only who administers every tenant makes one.");
  const { id } = await createTenant(deps, { ...input, by });
  return findTenantRecord(deps, id, by);
}

/**
 * Changes what is given. Domains are claimed and given up by a super_admin alone: a host name is whose the installation
 * says it is.
 * @throws AppError 404, 403; 409 for a taken domain; 422
 */
export async function updateTenant(
  deps: Deps,
  id: string,
  changes: { name?: string; domains?: readonly string[] },
  by: TenantAdministrator,
): Promise<repo.TenantRecord> {
  const before = await findTenantRecord(deps, id, by);
  const name = (changes.name ?? before.name).trim();
  const domains = [...new Set((changes.domains ?? before.domains).map(normalizeHost))];
  const moved = domains.join() !== before.domains.join();
  if (moved && !by.superAdmin) throw forbidden("Only who administers every tenant changes domains.");
  const problems = tenantProblems(deps, name, domains);
  if (problems.length > 0) throw validationError(problems.map(inPlural));
  const now = deps.clock.now();
  try {
    await deps.db.transaction(async (tx) => {
      if (!(await repo.lockTenant(tx, before.id))) throw noTenant();
      await repo.renameTenant(tx, before.id, name, now);
      if (moved) await repo.replaceDomains(tx, before.id, domains, now);
      await audit.record(tx, {
        tenantId: before.id,
        type: "tenant.updated",
        actor: by.actor,
        target: { type: "tenant", id: before.id },
        details: { before: { name: before.name, domains: before.domains }, after: { name, domains } },
        context: by.context,
        now,
      });
    });
  } catch (error) {
    if (violatesUnique(error, "tenant_domains_pkey"))
      throw conflict("One of these domains belongs to a tenant already.");
    throw error;
  }
  deps.caches.changed("tenants", before.id);
  return findTenantRecord(deps, id, by);
}

const inPlural = ({ field, message }: FieldError) => ({
  field: field === "domain" ? "domains" : field,
  message,
});

/**
 * Removes a tenant with all that belongs to it; of its audit trail, which nobody can read there any more, the end is told
 * in that of who did it.
 * @param home the tenant that the administrator is of
 * @throws AppError 404; 403 unless by a super_admin; 409 for the default tenant and one's own
 */
export async function removeTenant(
  deps: Deps,
  id: string,
  home: Id<"tenant">,
  by: TenantAdministrator,
): Promise<void> {
  const tenant = await findTenantRecord(deps, id, by);
  if (!by.superAdmin) throw forbidden("Only who administers every tenant removes one.");
  if (tenant.isDefault) throw conflict("The default tenant stays.");
  if (tenant.id === home) throw conflict("You are of this tenant: it cannot be removed from within.");
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    if (!(await repo.lockTenant(tx, tenant.id))) throw noTenant();
    await repo.deleteTenant(tx, tenant.id);
    await audit.record(tx, {
      tenantId: home,
      type: "tenant.deleted",
      actor: by.actor,
      target: { type: "tenant", id: tenant.id },
      details: { before: { slug: tenant.slug, name: tenant.name, domains: tenant.domains } },
      context: by.context,
      now,
    });
  });
  deps.caches.changed("tenants", tenant.id);
}

/**
 * Changes the settings that are given.
 * @returns all of them
 * @throws AppError 404; 422 that names each one that is unknown or has a wrong value
 */
export async function changeTenantSettings(
  deps: Deps,
  id: string,
  given: Readonly<Record<string, unknown>>,
  by: TenantAdministrator,
): Promise<TenantSettings> {
  const tenant = await findTenantRecord(deps, id, by);
  const changes = checkSettings(given);
  await deps.db.transaction(async (tx) => {
    if (!(await repo.lockTenant(tx, tenant.id))) throw noTenant();
    await writeSettings(tx, tenant.id, changes, by, deps.clock.now());
  });
  deps.caches.changed("tenants", tenant.id);
  return (await findTenantRecord(deps, id, by)).settings;
}

/**
 * The same for checked ones, in the caller's transaction, which has locked the tenant.
 * @returns the names of those that changed
 */
export async function writeSettings(
  tx: Executor,
  tenantId: Id<"tenant">,
  changes: Partial<TenantSettings>,
  by: Administrator,
  now: Date,
): Promise<string[]> {
  const before = await repo.findRecord(tx, tenantId);
  if (!before) throw noTenant();
  const old: Readonly<Record<string, unknown>> = before.settings;
  const changed = Object.entries(changes).filter(([name, value]) => !Bun.deepEquals(old[name], value));
  if (changed.length === 0) return [];
  await repo.updateSettings(tx, tenantId, Object.fromEntries(changed), now);
  await audit.record(tx, {
    tenantId,
    type: "tenant.settings_changed",
    actor: by.actor,
    target: { type: "tenant", id: tenantId },
    details: {
      before: Object.fromEntries(changed.map(([name]) => [name, old[name]])),
      after: Object.fromEntries(changed),
    },
    context: by.context,
    now,
  });
  return changed.map(([name]) => name);
}

const noTenant = () => notFound("There is no such organization.");
