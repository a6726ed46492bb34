/** Which of our migrations and which of the queue a database has, compared with those of this build. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type postgres from "postgres";
import packageJson from "../../package.json" with { type: "json" };
import { ConfigError } from "../lib/config-error.ts";
import { projectRoot } from "../lib/project-root.ts";
import { QUEUE_SCHEMA } from "../queue/queue-schema.ts";

export const migrationsFolder = join(projectRoot, "drizzle", "migrations");

/**
 * @returns whether the database has every migration of this build
 * @throws ConfigError when it has newer ones
 */
export async function hasNewestSchema(sql: postgres.Sql): Promise<boolean> {
  const newest = newestMigration();
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

/** Written to the queue's schema once its library has made what it needs there. */
export const QUEUE_MADE_BY = `bullmq ${packageJson.dependencies.bullmq}`;

/** Whether this build's library has been here, found out without loading it: that takes longer than all the rest of a start. */
export async function hasNewestQueue(sql: postgres.Sql): Promise<boolean> {
  const [row] = await sql`
    select to_regclass(${`${QUEUE_SCHEMA}.job`}) is not null
      and obj_description(to_regnamespace(${QUEUE_SCHEMA}), 'pg_namespace') = ${QUEUE_MADE_BY} as newest`;
  return row?.["newest"] === true;
}

/** What the migrations' own journal says, read without the library that runs them. */
function newestMigration(): number {
  const journal: { entries: { when: number }[] } = JSON.parse(
    readFileSync(join(migrationsFolder, "meta", "_journal.json"), "utf8"),
  );
  return Math.max(0, ...journal.entries.map(({ when }) => when));
}

/** @returns the newest applied migration's time stamp, in milliseconds; 0 on an empty database. */
async function appliedVersion(sql: postgres.Sql): Promise<number> {
  const [table] = await sql`select to_regclass('drizzle.__drizzle_migrations') as name`;
  if (!table?.["name"]) return 0;
  const [row] = await sql`select max(created_at) as version from drizzle.__drizzle_migrations`;
  return Number(row?.["version"] ?? 0);
}
