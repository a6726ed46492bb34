/** Which of our migrations a database has, compared with those of this build. */
import { join } from "node:path";
import { readMigrationFiles } from "drizzle-orm/migrator";
import type postgres from "postgres";
import { ConfigError } from "../lib/config-error.ts";
import { projectRoot } from "../lib/project-root.ts";

export const migrationsFolder = join(projectRoot, "drizzle", "migrations");

/**
 * @returns whether the database has every migration of this build
 * @throws ConfigError when it has newer ones
 */
export async function hasNewestSchema(sql: postgres.Sql): Promise<boolean> {
  const newest = readMigrationFiles({ migrationsFolder }).at(-1)?.folderMillis ?? 0;
  const applied = await appliedVersion(sql);
  if (applied <= newest) return applied === newest;
  throw new ConfigError([
    "The database was migrated by a newer Gatewright: run that version, or restore a backup made before it.",
  ]);
}

/** @throws ConfigError unless the database has the schema of this build */
export async function requireNewestSchema(sql: postgres.Sql): Promise<void> {
  if (await hasNewestSchema(sql)) return;
  throw new ConfigError(["The database is not migrated: run `gatewright migrate` first."]);
}

/** @returns the newest applied migration's time stamp, in milliseconds; 0 on an empty database. */
async function appliedVersion(sql: postgres.Sql): Promise<number> {
  const [table] = await sql`select to_regclass('drizzle.__drizzle_migrations') as name`;
  if (!table?.["name"]) return 0;
  const [row] = await sql`select max(created_at) as version from drizzle.__drizzle_migrations`;
  return Number(row?.["version"] ?? 0);
}
