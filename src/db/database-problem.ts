/** Errors of the database's driver in the operator's words: what is wrong with DATABASE_URL, and how to mend it. */
import { ConfigError } from "../lib/config-error.ts";

const OLDEST = 150_000;

/**
 * @param version what `server_version_num` says
 * @throws ConfigError below PostgreSQL 15
 */
export function requirePostgres15(version: string | undefined): void {
  if (Number(version) >= OLDEST) return;
  throw new ConfigError(["DATABASE_URL: this server is older than PostgreSQL 15: use a newer one"]);
}

/** One line without user or password, as a ConfigError; undefined for an error that is not the operator's to mend. */
export function describeDatabaseProblem(error: unknown, databaseUrl: string): ConfigError | undefined {
  if (error instanceof ConfigError) return error;
  const sentence = sentenceFor(codeOf(error), databaseUrl);
  return sentence ? new ConfigError([`DATABASE_URL: ${sentence}`]) : undefined;
}

/** As above, for an error of which it is not known where it comes from: servers of mail refuse connections as well. */
export function describeDatabaseRefusal(error: unknown, databaseUrl: string): ConfigError | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === "PostgresError") return describeDatabaseProblem(error, databaseUrl);
  return describeDatabaseRefusal(error.cause, databaseUrl);
}

/** The host and port of a database's URL. */
export function placeOf(databaseUrl: string): string {
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : undefined;
  return url ? `${url.hostname || "localhost"}:${url.port || "5432"}` : "its address";
}

/** The code of the error, or of what caused it. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return "code" in error && typeof error.code === "string" ? error.code : codeOf(error.cause);
}

function sentenceFor(code: string | undefined, databaseUrl: string): string | undefined {
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : undefined;
  const place = placeOf(databaseUrl);
  const database = url?.pathname.slice(1) || url?.username || "postgres";
  switch (code) {
    case "ECONNREFUSED":
      return `nothing listens at ${place} (connection refused): start PostgreSQL there, or correct host and port`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "DNS_ENOTFOUND":
      return `the host ${url?.hostname ?? ""} is unknown: correct the host name`;
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
      return `this user may not connect to the database "${database}" of ${place}, or not create tables in it: grant it`;
    case "53300":
      return `${place} has no connection left: raise max_connections there, or close others`;
    case "CONNECTION_CLOSED":
    case "ECONNRESET":
      return `${place} closed the connection: look at its log, and whether it is a PostgreSQL`;
    case "57P03":
      return `${place} is starting up or shutting down: try again in a moment`;
    default:
      return undefined;
  }
}
