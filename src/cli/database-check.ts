/** Whether a database can be worked with, said in the operator's words instead of the driver's. */
import postgres from "postgres";
import { describeDatabaseProblem, placeOf, requirePostgres15 } from "../db/database-problem.ts";
import { requireNewestSchema } from "../db/schema-version.ts";
import { ConfigError } from "../lib/config-error.ts";

const DEADLINE_MS = 8000;

export interface DatabaseCheck {
  /** Also refuses a database that has not exactly the schema of this build. */
  readonly migrated?: boolean;
  readonly deadlineMs?: number;
}

/**
 * @throws ConfigError with one line that says what is wrong with DATABASE_URL, without its user or password
 */
export async function checkDatabase(
  databaseUrl: string,
  { migrated = false, deadlineMs = DEADLINE_MS }: DatabaseCheck = {},
): Promise<void> {
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : undefined;
  if (!url?.hostname)
    throw new ConfigError(["DATABASE_URL must be a URL: postgres://user:password@host:port/database"]);
  const sql = postgres(databaseUrl, { max: 1, connect_timeout: deadlineMs / 1000, onnotice: () => {} });
  const late = Promise.withResolvers<never>();
  // the driver's own limit ends when it is connected, to whatever that is
  const timer = setTimeout(() => late.reject(new Error("no answer")), deadlineMs + 500);
  try {
    await Promise.race([inspect(sql, migrated), late.promise]);
  } catch (error) {
    throw describeDatabaseProblem(error, databaseUrl) ?? unknownProblem(error, databaseUrl);
  } finally {
    clearTimeout(timer);
    await sql.end({ timeout: 0 });
  }
}

async function inspect(sql: postgres.Sql, migrated: boolean): Promise<void> {
  const [row] = await sql<{ version: string }[]>`SELECT current_setting('server_version_num') AS version`;
  requirePostgres15(row?.version);
  if (migrated) await requireNewestSchema(sql);
}

function unknownProblem(error: unknown, databaseUrl: string): ConfigError {
  const code =
    error instanceof Error && "code" in error ? String(error.code) : "it does not speak its protocol";
  return new ConfigError([
    `DATABASE_URL: ${placeOf(databaseUrl)} cannot be used as PostgreSQL (${code}): correct the URL`,
  ]);
}
