/** A tenant with its keys, and a clock to turn; no server around them. */
import { testConfig } from "../../support/queue.ts";
import { type Config } from "../../../src/config.ts";
import { createDeps, type Deps } from "../../../src/deps.ts";
import { createTenant, findTenantById, type Tenant } from "../../../src/domain/tenants/service.ts";
import { updateTenantSettings } from "../../../src/domain/tenants/service.ts";
import type { TenantSettings } from "../../../src/domain/tenants/settings.ts";
import { createTestClock, type TestClock } from "../../support/clock.ts";
import { createTestDatabase } from "../../support/database.ts";

export interface KeyFixture extends AsyncDisposable {
  readonly config: Config;
  readonly deps: Deps;
  readonly clock: TestClock;
  newTenant(slug: string, settings?: Partial<TenantSettings>): Promise<Tenant>;
  /** What another process works with. */
  another(env?: Record<string, string>): Promise<Deps & { close(): Promise<void> }>;
}

export const DAY = 86_400;

export async function createKeyFixture(env: Record<string, string> = {}): Promise<KeyFixture> {
  const database = await createTestDatabase();
  const clock = createTestClock(new Date("2030-01-01T00:00:00Z"));
  const config = testConfig({ DATABASE_URL: database.url, ...env });
  const deps = await createDeps(config, { process: "api", clock });
  return {
    config,
    deps,
    clock,
    async newTenant(slug, settings) {
      const { id } = await createTenant(deps, { slug, name: slug });
      const tenant = await findTenantById(deps, id);
      if (!tenant) throw new Error("no tenant was made");
      if (settings) await updateTenantSettings(deps, tenant, settings);
      return (await findTenantById(deps, id)) ?? tenant;
    },
    another: (other = {}) =>
      createDeps(testConfig({ DATABASE_URL: database.url, ...env, ...other }), { process: "api", clock }),
    async [Symbol.asyncDispose]() {
      await deps.close();
      await database.drop();
    },
  };
}
