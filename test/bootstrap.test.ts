import { afterAll, afterEach, beforeEach, describe, expect, it } from "bun:test";
import postgres from "postgres";
import { bootstrap } from "../src/bootstrap.ts";
import { loadConfig } from "../src/config.ts";
import { createDeps } from "../src/deps.ts";
import { createTenant } from "../src/domain/tenants/service.ts";
import { ConfigError } from "../src/lib/config-error.ts";
import { createTestDatabase, type TestDatabase } from "./support/database.ts";

const ADMINISTRATOR = {
  GATEWRIGHT_ADMIN_EMAIL: "admin@example.com",
  GATEWRIGHT_ADMIN_PASSWORD: "Adm1n-P@ssw0rd!",
};

let database: TestDatabase;
let sql: postgres.Sql;
const toDrop: TestDatabase[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  toDrop.push(database);
  sql = postgres(database.url, { max: 1, onnotice: () => {} });
});
afterEach(() => sql.end());
afterAll(() => Promise.all(toDrop.map((each) => each.drop())));

function configOf(env: Record<string, string> = {}) {
  return loadConfig({
    NODE_ENV: "test",
    DATABASE_URL: database.url,
    GATEWRIGHT_MASTER_KEY: `1:${Buffer.alloc(32, 7).toString("base64")}`,
    ...env,
  });
}

const counts = async () => {
  const [row] = await sql`select (select count(*)::int from tenants) as tenants,
    (select count(*)::int from users) as users, (select count(*)::int from signing_keys) as keys`;
  return { ...row };
};

async function refusal(env: Record<string, string>): Promise<readonly string[]> {
  const error = await bootstrap(configOf(env)).catch((thrown: unknown) => thrown);
  if (!(error instanceof ConfigError)) throw new Error("was not refused as a ConfigError", { cause: error });
  return error.problems;
}

describe("bootstrap", () => {
  it("makes the default tenant and an administrator with a one-time password", async () => {
    expect(await bootstrap(configOf())).toEqual({
      adminEmail: "admin@gatewright.test",
      oneTimePassword: expect.stringMatching(/^Gw1-.{20}$/),
    });
    const roles = await sql`select r.name from user_roles ur join roles r on r.id = ur.role_id order by 1`;
    expect(roles.map((row) => row["name"])).toEqual(["admin", "super_admin"]);
  });

  it("does not repeat a password that the operator chose", async () => {
    const { GATEWRIGHT_ADMIN_EMAIL: adminEmail } = ADMINISTRATOR;
    expect(await bootstrap(configOf(ADMINISTRATOR))).toEqual({ adminEmail, oneTimePassword: undefined });
  });

  it("says so when another tenant has the default tenant's slug, instead of passing for done", async () => {
    const deps = await createDeps(configOf(), { process: "cli" });
    await createTenant(deps, { slug: "default", name: "Not the default" });
    await deps.close();
    expect(await bootstrap(configOf()).catch((error: Error) => error.message)).toContain("slug");
  });

  it("does nothing when there is a default tenant", async () => {
    await bootstrap(configOf());
    const before = await counts();
    expect(await bootstrap(configOf(ADMINISTRATOR))).toBeUndefined();
    expect(await counts()).toEqual(before);
  });

  it("names the password that breaks the policy, makes nothing, and works with a better one", async () => {
    expect(await refusal({ ...ADMINISTRATOR, GATEWRIGHT_ADMIN_PASSWORD: "weak" })).toEqual([
      "GATEWRIGHT_ADMIN_PASSWORD: Must be between 8 and 128 characters.",
    ]);
    expect(await counts()).toEqual({ tenants: 0, users: 0, keys: 0 });
    expect(await bootstrap(configOf(ADMINISTRATOR))).toBeDefined();
    expect(await counts()).toMatchObject({ tenants: 1, users: 1 });
  });

  it("names the address that is none", async () => {
    expect(await refusal({ ...ADMINISTRATOR, GATEWRIGHT_ADMIN_EMAIL: "admin@-" })).toEqual([
      "GATEWRIGHT_ADMIN_EMAIL: Must be an email address.",
    ]);
    expect(await counts()).toEqual({ tenants: 0, users: 0, keys: 0 });
  });

  it("leaves no tenant without its administrator when it fails between the two", async () => {
    await sql`create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$`;
    await sql`create trigger refuse before insert on user_roles execute function refuse()`;
    expect(bootstrap(configOf())).rejects.toThrow();
    expect(await counts()).toEqual({ tenants: 0, users: 0, keys: 0 });
    await sql`drop trigger refuse on user_roles`;
    expect(await bootstrap(configOf())).toBeDefined();
  });

  it("from several processes at once is done by one of them", async () => {
    const made = await Promise.all(Array.from({ length: 4 }, () => bootstrap(configOf())));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await counts()).toMatchObject({ tenants: 1, users: 1 });
  });
});

describe("createTenant", () => {
  it("undoes the tenant when what belongs to it cannot be made", async () => {
    const deps = await createDeps(configOf(), { process: "cli" });
    try {
      const refused = createTenant(deps, { slug: "acme", name: "Acme" }, () =>
        Promise.reject(new Error("no")),
      );
      await expect(refused).rejects.toThrow("no");
      expect(await counts()).toEqual({ tenants: 0, users: 0, keys: 0 });
    } finally {
      await deps.close();
    }
  });
});
