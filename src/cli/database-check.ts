/** Whether a database can be worked with, said in the operator's words instead of the driver's. */
import postgres from "postgres";
import { ConfigError } from "../lib/config-error.ts";

const OLDEST = 150000;
const DEADLINE_MS = 8000;

/**
 * @throws ConfigError with one line that says what is wrong with DATABASE_URL, without its user or password
 */
export async function checkDatabase(databaseUrl: string, deadlineMs = DEADLINE_MS): Promise<void> {
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : undefined;
  if (!url?.hostname)
    throw new ConfigError(["DATABASE_URL must be a URL: postgres://user:password@host:port/database"]);
  const sql = postgres(databaseUrl, { max: 1, connect_timeout: deadlineMs / 1000, onnotice: () => {} });
  const late = Promise.withResolvers<never>();
  // the driver's own limit ends when it is connected, to whatever that is
  const timer = setTimeout(() => late.reject(new Error("no answer")), deadlineMs + 500);
  try {
    const query = sql<{ version: string }[]>`SELECT current_setting('server_version_num') AS version`;
    const [row] = await Promise.race([query, late.promise]);
    if (Number(row?.version) < OLDEST) {
      throw new ConfigError(["DATABASE_URL: this server is older than PostgreSQL 15: use a newer one"]);
    }
  } catch (error) {
    throw error instanceof ConfigError ? error : new ConfigError([`DATABASE_URL: ${explain(error, url)}`]);
  } finally {
    clearTimeout(timer);
    await sql.end({ timeout: 0 });
  }
}

function explain(error: unknown, url: URL): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const place = `${url.hostname}:${url.port || 5432}`;
  const database = decodeURIComponent(url.pathname.slice(1));
  switch (code) {
    case "ECONNREFUSED":
      return `nothing listens at ${place} (connection refused): start PostgreSQL there, or correct host and port`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "DNS_ENOTFOUND":
      return `the host ${url.hostname} is unknown: correct the host name`;
    case "CONNECT_TIMEOUT":
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return `${place} does not answer: correct host and port, or let this machine through its firewall`;
    case "28P01":
      return `${place} refuses this user or password: correct them`;
    case "28000":
      return `${place} does not let this user in from here: correct the user, add ?sslmode=require, or allow it in pg_hba.conf`;
    case "3D000":
      return `${place} has no database "${database}": create it (createdb ${database}), or correct the name`;
    case "42501":
      return `this user may not use the database "${database}" of ${place}: grant it`;
    case "53300":
      return `${place} has no connection left: raise max_connections there, or close others`;
    case "CONNECTION_CLOSED":
    case "ECONNRESET":
      return `${place} closed the connection: look at its log, and whether it is a PostgreSQL`;
    case "57P03":
      return `${place} is starting up or shutting down: try again in a moment`;
    default:
      return `${place} cannot be used as PostgreSQL (${code || "it does not speak its protocol"}): correct the URL`;
  }
}
