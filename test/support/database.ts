/**
 * A database of its own for each test file: cloned from a template that is migrated once a run (the clone takes
 * tens of milliseconds). `./gatewright test` starts the server and names it in TEST_DATABASE_URL.
 */
import { createHash } from "node:crypto";
import { Glob } from "bun";
import postgres from "postgres";
import { migrateDatabase } from "../../src/db/migrate.ts";

export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

/** Held while the template is made, and shared while it is cloned (PostgreSQL allows no other use meanwhile). */
const TEMPLATE_LOCK = 7_290_114;

export async function createTestDatabase(): Promise<TestDatabase> {
  const serverUrl = requireTestDatabaseUrl();
  const admin = postgres(serverUrl, { max: 1, onnotice: () => {} });
  const name = `gw_test_${process.pid}_${Bun.randomUUIDv7().slice(-12)}`;
  try {
    const template = await ensureTemplate(admin, serverUrl);
    await admin.unsafe(`create database ${name} template ${template}`);
  } finally {
    await admin.end();
  }
  return {
    url: withDatabase(serverUrl, name),
    async drop() {
      const again = postgres(serverUrl, { max: 1, onnotice: () => {} });
      await again.unsafe(`drop database if exists ${name} with (force)`);
      await again.end();
    },
  };
}

async function ensureTemplate(admin: postgres.Sql, serverUrl: string): Promise<string> {
  const template = `gw_template_${await migrationsDigest()}`;
  await admin`select pg_advisory_lock(${TEMPLATE_LOCK})`;
  try {
    const [existing] = await admin`select datistemplate from pg_database where datname = ${template}`;
    if (existing?.["datistemplate"]) return template;
    await admin.unsafe(`drop database if exists ${template}`);
    await admin.unsafe(`create database ${template}`);
    await migrateDatabase({ databaseUrl: withDatabase(serverUrl, template), redisUrl: undefined });
    await admin.unsafe(`alter database ${template} with is_template true`);
    return template;
  } finally {
    await admin`select pg_advisory_unlock(${TEMPLATE_LOCK})`;
  }
}

/** A changed migration makes another template, so a server that is kept between runs is never stale. */
async function migrationsDigest(): Promise<string> {
  const hash = createHash("sha256");
  const folder = `${import.meta.dir}/../../drizzle/migrations`;
  for (const file of [...new Glob("*.sql").scanSync(folder)].toSorted()) {
    hash.update(await Bun.file(`${folder}/${file}`).bytes());
  }
  return hash.digest("hex").slice(0, 12);
}

function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

function requireTestDatabaseUrl(): string {
  const url = process.env["TEST_DATABASE_URL"];
  if (!url) throw new Error("TEST_DATABASE_URL is not set: run the tests with `./gatewright test [file…]`");
  return url;
}
