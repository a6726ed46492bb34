/**
 * Brings a database to the schema of this build: ours (drizzle/migrations) and the queue's. Safe to run from many
 * processes at once, and cheap when there is nothing to do.
 */
import { join } from "node:path";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import pg from "pg";
import type { Config } from "../config.ts";
import { ConfigError } from "../lib/config-error.ts";
import { closeDatabase, connectDatabase, type Database, databaseErrorOf } from "./client.ts";
import { QUEUE_SCHEMA } from "../queue/queue-schema.ts";

const migrationsFolder = join(import.meta.dir, "../../drizzle/migrations");
/** Any fixed number: it only has to differ from other advisory locks in the same database. */
const MIGRATION_LOCK = 4_821_907_113;

/** @throws ConfigError when the database cannot be used: unreachable, too old, or migrated by a newer build. */
export async function migrateDatabase(config: Pick<Config, "databaseUrl" | "redisUrl">): Promise<void> {
  const db = connectDatabase(config.databaseUrl, { max: 1, applicationName: "gatewright migrate" });
  try {
    await migrateOurs(db);
    if (!config.redisUrl) await migrateQueue(config.databaseUrl);
  } catch (error) {
    throw describeDatabaseProblem(error, config.databaseUrl) ?? error;
  } finally {
    await closeDatabase(db);
  }
}

async function migrateOurs(db: Database): Promise<void> {
  const newest = readMigrationFiles({ migrationsFolder }).at(-1)?.folderMillis ?? 0;
  if ((await appliedVersion(db)) === newest) return;
  // One connection (max: 1), so that the lock and the migration share a session.
  await db.$client`select pg_advisory_lock(${MIGRATION_LOCK}::bigint)`;
  try {
    await requirePostgres15(db);
    const applied = await appliedVersion(db);
    if (applied > newest) {
      throw new ConfigError([
        "The database was migrated by a newer Gatewright: run that version, or restore a backup made before it.",
      ]);
    }
    await migrate(db, { migrationsFolder });
    await db.$client`select ensure_audit_partition(now()), ensure_audit_partition(now() + interval '1 month')`;
  } finally {
    await db.$client`select pg_advisory_unlock(${MIGRATION_LOCK}::bigint)`;
  }
}

/** @returns the newest applied migration's time stamp, in milliseconds; 0 on an empty database. */
async function appliedVersion(db: Database): Promise<number> {
  const [table] = await db.$client`select to_regclass('drizzle.__drizzle_migrations') as name`;
  if (!table?.["name"]) return 0;
  const [row] = await db.$client`select max(created_at) as version from drizzle.__drizzle_migrations`;
  return Number(row?.["version"] ?? 0);
}

async function requirePostgres15(db: Database): Promise<void> {
  const [row] = await db.$client`show server_version_num`;
  if (Number(row?.["server_version_num"]) < 150_000) {
    throw new ConfigError(["The database is too old: Gatewright needs PostgreSQL 15 or newer."]);
  }
}

async function migrateQueue(databaseUrl: string): Promise<void> {
  // Loaded here only: the API process, which migrates nothing, has no use for the queue's library.
  const { runMigrations } = await import("bullmq");
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await runMigrations(client, QUEUE_SCHEMA);
  } finally {
    await client.end();
  }
}

/** What is wrong with DATABASE_URL, in a sentence without its password; undefined for any other error. */
export function describeDatabaseProblem(error: unknown, databaseUrl: string): ConfigError | undefined {
  if (error instanceof ConfigError) return error;
  const code =
    databaseErrorOf(error)?.code ?? (error instanceof Error && "code" in error ? String(error.code) : "");
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : undefined;
  const where = url ? `${url.hostname || "localhost"}:${url.port || "5432"}` : "its address";
  const database = url?.pathname.slice(1) || url?.username || "postgres";
  const sentence: Record<string, string> = {
    ECONNREFUSED: `DATABASE_URL: nothing answers at ${where}. Is PostgreSQL running there?`,
    CONNECT_TIMEOUT: `DATABASE_URL: ${where} does not answer. Check the address and the firewall.`,
    ENOTFOUND: `DATABASE_URL: the host ${url?.hostname ?? ""} is not known. Check its spelling.`,
    EAI_AGAIN: `DATABASE_URL: the host ${url?.hostname ?? ""} cannot be resolved. Check its spelling and your DNS.`,
    "28P01": `DATABASE_URL: ${where} refuses the user or the password.`,
    "28000": `DATABASE_URL: ${where} does not let this user in. Check the user and pg_hba.conf.`,
    "3D000": `DATABASE_URL: there is no database "${database}" at ${where}. Create it first (createdb ${database}).`,
    "42501": `DATABASE_URL: the user may not create tables in "${database}". Grant it the right to.`,
    "53300": `DATABASE_URL: ${where} has no free connections.`,
    "57P03": `DATABASE_URL: PostgreSQL at ${where} is starting up or shutting down. Try again in a moment.`,
  };
  return code && sentence[code] ? new ConfigError([sentence[code]]) : undefined;
}
