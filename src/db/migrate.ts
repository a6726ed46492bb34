/**
 * Brings a database to the schema of this build: ours (drizzle/migrations) and the queue's. Safe to run from many
 * processes at once, and cheap when there is nothing to do.
 */
import { migrate } from "drizzle-orm/postgres-js/migrator";
import type { Config } from "../config.ts";
import { closeDatabase, connectDatabase, type Database } from "./client.ts";
import { describeDatabaseProblem, requirePostgres15 } from "./database-problem.ts";
import { QUEUE_SCHEMA } from "../queue/queue-schema.ts";
import { hasNewestQueue, hasNewestSchema, migrationsFolder, QUEUE_MADE_BY } from "./schema-version.ts";

/** Any fixed number: it only has to differ from other advisory locks in the same database. */
const MIGRATION_LOCK = 4_821_907_113;

/** @throws ConfigError when the database cannot be used: unreachable, too old, or migrated by a newer build. */
export async function migrateDatabase(config: Pick<Config, "databaseUrl" | "redisUrl">): Promise<void> {
  const db = connectDatabase(config.databaseUrl, { max: 1, applicationName: "gatewright migrate" });
  try {
    await migrateOurs(db);
    if (!config.redisUrl && !(await hasNewestQueue(db.$client))) await migrateQueue(config.databaseUrl);
  } catch (error) {
    throw describeDatabaseProblem(error, config.databaseUrl) ?? error;
  } finally {
    await closeDatabase(db);
  }
}

async function migrateOurs(db: Database): Promise<void> {
  if (await hasNewestSchema(db.$client)) return;
  // To change a large table takes longer than a request may.
  await db.$client`set statement_timeout = 0`;
  // One connection (max: 1), so that the lock and the migration share a session.
  await db.$client`select pg_advisory_lock(${MIGRATION_LOCK}::bigint)`;
  try {
    const [row] = await db.$client`show server_version_num`;
    requirePostgres15(row?.["server_version_num"]);
    // Another process may have migrated meanwhile, with a newer build.
    if (await hasNewestSchema(db.$client)) return;
    await migrate(db, { migrationsFolder });
    await db.$client`select ensure_audit_partition(now()), ensure_audit_partition(now() + interval '1 month')`;
  } finally {
    await db.$client`select pg_advisory_unlock(${MIGRATION_LOCK}::bigint)`;
  }
}

async function migrateQueue(databaseUrl: string): Promise<void> {
  // Loaded here only: the API process, which migrates nothing, has no use for the queue's library.
  const [{ runMigrations }, { default: pg }] = await Promise.all([import("bullmq"), import("pg")]);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await runMigrations(client, QUEUE_SCHEMA);
    await client.query(`comment on schema "${QUEUE_SCHEMA}" is '${QUEUE_MADE_BY}'`);
  } finally {
    await client.end();
  }
}
