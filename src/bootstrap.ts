/** What a new installation needs before anyone can use it: the default tenant and its first administrator. */
import type { Config } from "./config.ts";
import { violatesUnique } from "./db/client.ts";
import { createDeps, type Deps } from "./deps.ts";
import { createAccount } from "./domain/accounts/registration.ts";
import { systemContext } from "./domain/request-context.ts";
import { createTenant, findDefaultTenant } from "./domain/tenants/service.ts";
import { AppError } from "./lib/errors.ts";
import { randomSecret } from "./lib/crypto.ts";
import { createLogger } from "./lib/log.ts";

export interface FirstAdministrator {
  adminEmail: string;
  /** Undefined when GATEWRIGHT_ADMIN_PASSWORD set it. Shown this once. */
  oneTimePassword: string | undefined;
}

/**
 * Makes the default tenant, unless there is one. Safe to run from several processes at once.
 * @returns the first administrator, only when this call made them
 */
export async function bootstrap(config: Config): Promise<FirstAdministrator | undefined> {
  const deps = await createDeps(config, {
    process: "cli",
    log: createLogger({ level: "error", name: "bootstrap" }),
  });
  try {
    if (await findDefaultTenant(deps)) return undefined;
    return await createFirst(deps);
  } finally {
    await deps.close();
  }
}

async function createFirst(deps: Deps): Promise<FirstAdministrator | undefined> {
  try {
    const tenant = await createTenant(deps, { slug: "default", name: "Gatewright", isDefault: true });
    const email = deps.config.bootstrapAdmin?.email ?? "admin@gatewright.test";
    const given = deps.config.bootstrapAdmin?.password;
    // Keeps every password policy, whatever letters the random part happens to have.
    const password = given ?? `Gw1-${randomSecret(15)}`;
    await createAccount(
      deps,
      tenant,
      { username: "admin", email, password, emailVerified: true, roles: ["admin", "super_admin"] },
      systemContext,
    );
    return { adminEmail: email, oneTimePassword: given === undefined ? password : undefined };
  } catch (error) {
    // Another process was quicker.
    if (error instanceof AppError && error.status === 409) return undefined;
    if (violatesUnique(error, "tenants_one_default")) return undefined;
    throw error;
  }
}
