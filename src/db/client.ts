import type { SQL } from "drizzle-orm";
import { Param, sql } from "drizzle-orm";
import {
  drizzle,
  type PostgresJsDatabase,
  type PostgresJsQueryResultHKT,
  PostgresJsSession,
} from "drizzle-orm/postgres-js";
import type { PgColumn, PgDatabase } from "drizzle-orm/pg-core";
import postgres from "postgres";
import * as schema from "./schema/index.ts";

export type Database = PostgresJsDatabase<typeof schema> & { $client: postgres.Sql };

/** A database or a transaction on it: what every repo function takes first. */
export type Executor = PgDatabase<PostgresJsQueryResultHKT, typeof schema>;

/** The driver itself, for statements that a query builder would have to build anew for each call. */
export type Sql = postgres.Sql;

/** A part of such a statement, which only runs as a part of it. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>;

export interface DatabaseOptions {
  /** Connections in the pool. */
  max: number;
  applicationName: string;
}

/**
 * Connections for prepared queries, which each look up a few rows by their keys. So many requests share so few that their
 * queries travel together, and that the server answers many each time it is woken: a third of the processor time that
 * the same queries take over sixteen (measured). Nothing slow may come before them on these.
 */
const LOOKUP_CONNECTIONS = 2;

/**
 * The longest pause between two tries to connect while the database is away. The driver's own, 20 s, would be waited for when it
 * is back: by requests, and by the connection on which a process hears what others changed.
 */
const LONGEST_PAUSE_SECONDS = 0.5;

/** The connections for lookups beside a database's own, opened with the first one. */
const lookups = new WeakMap<Database, { readonly open: () => Database; opened?: Database }>();

export function connectDatabase(url: string, options: DatabaseOptions): Database {
  const db = open(url, options);
  const max = Math.min(options.max, LOOKUP_CONNECTIONS);
  lookups.set(db, { open: () => open(url, { ...options, max }) });
  return db;
}

function lookupsOf(db: Database): Database {
  const own = lookups.get(db);
  return own ? (own.opened ??= own.open()) : db;
}

function open(url: string, options: DatabaseOptions): Database {
  const client = postgres(url, {
    max: options.max,
    connect_timeout: 10,
    idle_timeout: 300,
    max_lifetime: 3600,
    backoff: (failures) => (0.5 + Math.random() / 2) * Math.min(2 ** failures / 100, LONGEST_PAUSE_SECONDS),
    onnotice: () => {},
    connection: {
      application_name: options.applicationName,
      // A request that waits longer has lost its caller; better a clear error than a full pool.
      statement_timeout: 30_000,
      idle_in_transaction_session_timeout: 60_000,
      // Nobody's query takes a second processor, which others are waiting for.
      max_parallel_workers_per_gather: "0",
    },
  });
  return drizzle(client, { schema });
}

/**
 * The driver of a database or of a transaction on it, for statements that are prepared: those that a query builder sends are
 * not, which makes the server read and plan them each time, after a trip of its own that asks for their types.
 */
export function driverOf(executor: Executor): Sql {
  const { session } = executor._;
  if (!(session instanceof PostgresJsSession)) throw new TypeError("an executor of another driver");
  return session.client;
}

/** Everything that a database's statements go through. */
export function driversOf(db: Database): Sql[] {
  const { opened } = lookups.get(db) ?? {};
  return [db, ...(opened ? [opened] : [])].map(({ $client }) => $client);
}

export async function closeDatabase(db: Database): Promise<void> {
  await Promise.all(driversOf(db).map((driver) => driver.end({ timeout: 5 })));
}

/**
 * Lets queries look up by an index even thousands of rows one by one: those of a set that is known to be small beside its
 * table. By itself the database takes each for a movement of a disk's head, and reads much of the table instead.
 */
export function lookingUp<Result>(
  db: Database,
  work: (executor: Executor) => Promise<Result>,
): Promise<Result> {
  return db.transaction(
    async (tx) => {
      await tx.execute(sql`select set_config('random_page_cost', '1.1', true)`);
      return work(tx);
    },
    { accessMode: "read only" },
  );
}

/**
 * A query built and prepared once for each database instead of once for each call (measured: 10,000 instead of
 * 2,300 a second). It runs outside of transactions only: inside one, drizzle needs a query built on it.
 */
export function prepared<Query>(build: (db: Database) => Query): (db: Database) => Query {
  const built = new WeakMap<Database, Query>();
  return (db) => {
    let query = built.get(db);
    if (!query) {
      query = build(lookupsOf(db));
      built.set(db, query);
    }
    return query;
  };
}

/**
 * A named parameter of a prepared query, written as the column is: a bare placeholder would reach the driver as it
 * came, a prefixed id instead of its uuid.
 */
export function parameter(column: PgColumn, name: string): SQL {
  return sql`${new Param(sql.placeholder(name), column)}`;
}

/** A moment as a bound parameter of raw SQL (the driver passes a Date of raw SQL on without a type). */
export function moment(date: Date): SQL {
  return sql`${date.toISOString()}::timestamptz`;
}

/** The PostgreSQL error beneath a drizzle error, if that is what was thrown. */
export function databaseErrorOf(error: unknown): postgres.PostgresError | undefined {
  if (error instanceof postgres.PostgresError) return error;
  return error instanceof Error && error.cause !== undefined ? databaseErrorOf(error.cause) : undefined;
}

/** What the driver and the system say of a connection that is gone or could not be made. */
const CONNECTION_LOST = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);
/** SQLSTATE read_only_sql_transaction: after a fail-over, a primary that is none any more. */
const READ_ONLY = "25006";

/** Whether the database was away, so that the same request may well succeed a moment later. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // An error that ends the session (FATAL) is about the connection, and never about the statement.
  if (error instanceof postgres.PostgresError) return error.severity === "FATAL" || error.code === READ_ONLY;
  if ("code" in error && typeof error.code === "string" && CONNECTION_LOST.has(error.code)) return true;
  return isDatabaseUnavailable(error.cause);
}

/**
 * Whether a statement was refused for what it holds (SQLSTATE classes 22, data exception, and 23, integrity constraint
 * violation), so that it would be refused again.
 */
export function refusesContent(error: unknown): boolean {
  return /^2[23]/.test(databaseErrorOf(error)?.code ?? "");
}

/** Whether a unique index of this name refused the statement. */
export function violatesUnique(error: unknown, constraint: string): boolean {
  const cause = databaseErrorOf(error);
  return cause?.code === "23505" && cause.constraint_name === constraint;
}

/** @throws when the database does not answer within 2 s */
export async function pingDatabase(db: Database): Promise<void> {
  const deadline = Promise.withResolvers<never>();
  const timer = setTimeout(() => deadline.reject(new Error("the database does not answer")), 2000);
  try {
    await Promise.race([db.$client`select 1`, deadline.promise]);
  } finally {
    clearTimeout(timer);
  }
}
