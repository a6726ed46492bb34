/** What a new installation needs before anyone can use it: the default tenant and its first administrator. */
import type { Config } from "./config.ts";
import { violatesUnique } from "./db/client.ts";
import { createDeps, type Deps } from "./deps.ts";
import { prepareAccount } from "./domain/accounts/registration.ts";
import { systemContext } from "./domain/request-context.ts";
import { createTenant, findDefaultTenant } from "./domain/tenants/service.ts";
import { parseSettings } from "./domain/tenants/settings.ts";
import { isEmailAddress } from "./domain/users/service.ts";
import { ConfigError } from "./lib/config-error.ts";
import { randomSecret } from "./lib/crypto.ts";
import { AppError } from "./lib/errors.ts";
import { createLogger } from "./lib/log.ts";

export interface FirstAdministrator {
  readonly adminEmail: string;
  /** Undefined when GATEWRIGHT_ADMIN_PASSWORD set it. Shown this once. */
  readonly oneTimePassword: string | undefined;
}

/**
 * Makes the default tenant with its first administrator, both or neither, unless there is a default tenant. Safe to
 * run from several processes at once.
 * @returns the first administrator, only when this call made them
 * @throws ConfigError that names GATEWRIGHT_ADMIN_EMAIL or GATEWRIGHT_ADMIN_PASSWORD when it cannot be used
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
  const email = deps.config.bootstrapAdmin?.email ?? "admin@gatewright.test";
  const given = deps.config.bootstrapAdmin?.password;
  // Keeps every password policy, whatever letters the random part happens to have.
  const password = given ?? `Gw1-${randomSecret(15)}`;
  const insertAdministrator = await prepareAdministrator(deps, email, password);
  try {
    const tenant = { slug: "default", name: "Gatewright", isDefault: true };
    await createTenant(deps, tenant, insertAdministrator);
    return { adminEmail: email, oneTimePassword: given === undefined ? password : undefined };
  } catch (error) {
    const taken =
      (error instanceof AppError && error.status === 409) || violatesUnique(error, "tenants_one_default");
    // Another process was quicker, unless it is another tenant that has the slug.
    if (taken && (await findDefaultTenant(deps))) return undefined;
    throw error;
  }
}

async function prepareAdministrator(deps: Deps, email: string, password: string) {
  if (!isEmailAddress(email)) throw new ConfigError(["GATEWRIGHT_ADMIN_EMAIL: Must be an email address."]);
  const account = {
    username: "admin",
    email,
    password,
    emailVerified: true,
    roles: ["admin", "super_admin"],
  };
  try {
    return await prepareAccount(deps, parseSettings({}), account, systemContext);
  } catch (error) {
    if (!(error instanceof AppError) || !error.details) throw error;
    throw new ConfigError(error.details.map(({ message }) => `GATEWRIGHT_ADMIN_PASSWORD: ${message}`));
  }
}
