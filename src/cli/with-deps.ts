import { createDeps, type Deps } from "../deps.ts";
import { findDefaultTenant, findTenantBySlug, type Tenant } from "../domain/tenants/service.ts";
import { AppError } from "../lib/errors.ts";
import { createLogger } from "../lib/log.ts";
import { checkDatabase } from "./database-check.ts";
import { fail, withDatabaseEnvironment } from "./support.ts";

/** Runs a command on this installation's database. What the domain refuses is shown as one line. */
export async function withDeps(run: (deps: Deps) => Promise<void>): Promise<void> {
  const config = await withDatabaseEnvironment();
  await checkDatabase(config.databaseUrl, { migrated: true });
  const deps = await createDeps(config, {
    process: "cli",
    log: createLogger({ level: "error", name: "cli" }),
  });
  try {
    await run(deps);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const details = error.details?.map(({ field, message }) => `${field}: ${message}`).join(" ");
    fail(details ?? error.message);
  } finally {
    await deps.close();
  }
}

/** @param slug undefined: the default tenant */
export async function requireTenant(deps: Deps, slug: string | undefined): Promise<Tenant> {
  const tenant = slug === undefined ? await findDefaultTenant(deps) : await findTenantBySlug(deps, slug);
  if (tenant) return tenant;
  return fail(
    slug === undefined
      ? "there is no tenant yet: run `gatewright start` first"
      : `there is no tenant "${slug}"`,
  );
}

export const tenantArgument = {
  type: "string",
  description: "the tenant's slug (default: the default tenant)",
} as const;
