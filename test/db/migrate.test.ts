import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import postgres from "postgres";
import {
  describeDatabaseProblem,
  describeDatabaseRefusal,
  requirePostgres15,
} from "../../src/db/database-problem.ts";
import { migrateDatabase } from "../../src/db/migrate.ts";
import { ConfigError } from "../../src/lib/config-error.ts";
import { testDatabaseUrl } from "../support/environment.ts";
import { freePort } from "../support/free-port.ts";

const admin = postgres(testDatabaseUrl(), { max: 1, onnotice: () => {} });
const made: string[] = [];

afterAll(async () => {
  for (const name of made) await admin.unsafe(`drop database if exists ${name} with (force)`);
  await admin.end();
});

/** An empty database, which nobody has migrated. */
async function emptyDatabase(): Promise<string> {
  const name = `gw_test_migrate_${process.pid}_${Bun.randomUUIDv7().slice(-12)}`;
  made.push(name);
  await admin.unsafe(`create database ${name}`);
  return urlOf({ pathname: `/${name}` });
}

/** The test server's URL with some parts of it changed. */
function urlOf(parts: {
  pathname?: string;
  username?: string;
  password?: string;
  port?: string;
  hostname?: string;
}): string {
  return Object.assign(new URL(testDatabaseUrl()), parts).href;
}

const migrate = (databaseUrl: string, redisUrl?: string) => migrateDatabase({ databaseUrl, redisUrl });

async function using<Result>(url: string, work: (sql: postgres.Sql) => Promise<Result>): Promise<Result> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end();
  }
}

/** Everything that a migration could change. */
const fingerprint = (url: string) =>
  using(url, async (sql) => [
    ...(await sql`select n.nspname, c.relname, c.relkind, c.oid, c.relfilenode from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      where n.nspname not like 'pg_%' and n.nspname <> 'information_schema' order by c.oid`),
    ...(await sql`select oid, proname, md5(prosrc) from pg_proc where pronamespace = 'public'::regnamespace order by oid`),
    ...(await sql`select id, hash, created_at from drizzle.__drizzle_migrations order by id`),
  ]);

const applied = (url: string) =>
  using(url, (sql) => sql`select count(*)::int as migrations from drizzle.__drizzle_migrations`);

const hasQueue = (url: string) =>
  using(url, async (sql) => (await sql`select to_regclass('bullmq.job') is not null as there`)[0]?.["there"]);

async function refusal(work: Promise<unknown>): Promise<ConfigError> {
  const error = await work.then(
    () => new Error("nothing was refused"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConfigError)) throw error;
  return error;
}

describe("migrating", () => {
  let url: string;
  beforeAll(async () => {
    url = await emptyDatabase();
    await migrate(url);
  });

  it("makes our tables and the queue's", async () => {
    expect((await fingerprint(url)).length).toBeGreaterThan(50);
    expect(await hasQueue(url)).toBe(true);
  });

  it("prepares the audit trail of this month and the next", async () => {
    const partitions = await using(
      url,
      (sql) => sql<{ name: string }[]>`
      select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_events'::regclass order by 1`,
    );
    expect(partitions.map(({ name }) => name)).toEqual([
      expect.stringMatching(/^audit_events_\d{4}_\d{2}$/),
      expect.stringMatching(/^audit_events_\d{4}_\d{2}$/),
      "audit_events_unplanned",
    ]);
  });

  it("a second time changes nothing", async () => {
    const before = await fingerprint(url);
    await migrate(url);
    expect(await fingerprint(url)).toEqual(before);
  });

  it("asks the queue's library whenever another build of it was here last", async () => {
    const comment = () =>
      using(url, async (sql) => {
        const [row] = await sql`select obj_description('bullmq'::regnamespace, 'pg_namespace') as made_by`;
        return row?.["made_by"];
      });
    const newest = await comment();
    expect(newest).toMatch(/^bullmq \d+\.\d+\.\d+$/);
    await using(url, (sql) => sql.unsafe("comment on schema bullmq is 'bullmq 0.0.1'"));
    await migrate(url);
    expect(await comment()).toBe(newest);
  });

  it("leaves the queue out where it runs on Redis", async () => {
    const other = await emptyDatabase();
    await migrate(other, "redis://127.0.0.1:1");
    expect(await hasQueue(other)).toBe(false);
  });

  it("from many processes at once is done by one of them", async () => {
    const other = await emptyDatabase();
    await Promise.all(Array.from({ length: 6 }, () => migrate(other)));
    expect([...(await applied(other))]).toEqual([...(await applied(url))]);
  });

  it("frees its lock, whatever came of it", async () => {
    const locks = await using(
      url,
      (sql) => sql`
      select l.pid from pg_locks l join pg_database d on d.oid = l.database
      where l.locktype = 'advisory' and d.datname = current_database()`,
    );
    expect([...locks]).toEqual([]);
  });
});

describe("a database of a newer build", () => {
  it("is refused and left alone", async () => {
    const url = await emptyDatabase();
    await migrate(url);
    await using(
      url,
      (sql) => sql`
      insert into drizzle.__drizzle_migrations (hash, created_at) values ('of a newer build', 99999999999999)`,
    );
    const before = await fingerprint(url);
    expect((await refusal(migrate(url))).problems).toEqual([
      "The database was migrated by a newer Gatewright: run that version, or restore a backup made before it.",
    ]);
    expect(await fingerprint(url)).toEqual(before);
  });
});

describe("a DATABASE_URL that does not work", () => {
  const password = "pa55-of-the-test";
  const closed = freePort();

  it("names the address where nothing answers", async () => {
    const error = await refusal(migrate(`postgres://someone:${password}@127.0.0.1:${closed}/gatewright`));
    expect(error.message).toBe(
      `DATABASE_URL: nothing listens at 127.0.0.1:${closed} (connection refused): start PostgreSQL there, or correct host and port`,
    );
  });

  it("names the database that is missing", async () => {
    const { host } = new URL(testDatabaseUrl());
    const error = await refusal(migrate(urlOf({ pathname: "/gw_test_nowhere" })));
    expect(error.message).toBe(
      `DATABASE_URL: ${host} has no database "gw_test_nowhere": create it (createdb gw_test_nowhere), or correct the name`,
    );
  });

  it("names the host that nobody knows", async () => {
    const error = await refusal(migrate(`postgres://someone:${password}@gatewright.invalid/gatewright`));
    expect(error.message).toBe("DATABASE_URL: the host gatewright.invalid is unknown: correct the host name");
    expect(error.message).not.toContain(password);
  });

  it("says when the user may not create tables", async () => {
    const url = await emptyDatabase();
    const role = `gw_test_role_${process.pid}`;
    await admin.unsafe(`create role ${role} login password '${password}'`);
    try {
      await using(url, (sql) =>
        sql.unsafe(
          `revoke create on schema public from public; grant connect on database ${new URL(url).pathname.slice(1)} to ${role}`,
        ),
      );
      const theirs = Object.assign(new URL(url), { username: role, password }).href;
      const error = await refusal(migrate(theirs));
      expect(error.message).toContain("or not create tables in it: grant it");
      expect(error.message).not.toContain(password);
    } finally {
      await using(url, (sql) => sql.unsafe(`drop owned by ${role}`));
      await admin.unsafe(`drop role ${role}`);
    }
  });

  it("says when the server refuses the user", async () => {
    const error = await refusal(migrate(urlOf({ username: "gw_test_nobody", password })));
    expect(error.message).toMatch(/refuses this user or password|does not let this user in/);
    expect(error.message).not.toContain(password);
  });
});

describe("the sentence about a database error", () => {
  const url = "postgres://someone:pa55@db.example:6543/things";
  const withCode = (code: string) => Object.assign(new Error(`failed for ${url}`), { code });
  const codes = [
    "ECONNREFUSED",
    "CONNECT_TIMEOUT",
    "ENOTFOUND",
    "EAI_AGAIN",
    "28P01",
    "28000",
    "3D000",
    "42501",
    "53300",
    "57P03",
  ];

  it.each(codes)("for %s names the variable and nothing secret", (code) => {
    const message = describeDatabaseProblem(withCode(code), url)?.message ?? "";
    expect(message).toStartWith("DATABASE_URL: ");
    expect(message).toMatch(/db\.example|things/);
    expect(message).not.toContain("pa55");
  });

  it("is written for a URL that cannot be read, too", () => {
    const message = describeDatabaseProblem(withCode("ECONNREFUSED"), "postgres://someone:pa55@:x/")?.message;
    expect(message).toBe(
      "DATABASE_URL: nothing listens at its address (connection refused): start PostgreSQL there, or correct host and port",
    );
  });

  it("is found beneath the error that wraps it", () => {
    const wrapped = new Error("Failed query", { cause: withCode("53300") });
    expect(describeDatabaseProblem(wrapped, url)?.message).toContain("has no connection left");
  });

  it("is found after the first connection, beneath whatever wraps it", () => {
    const refused = Object.assign(withCode("53300"), { name: "PostgresError" });
    const wrapped = new Error("Failed query", { cause: refused });
    expect(describeDatabaseRefusal(wrapped, url)?.message).toContain("has no connection left");
  });

  it("is that of an old server below PostgreSQL 15", () => {
    expect(() => requirePostgres15("149999")).toThrow("older than PostgreSQL 15");
    expect(() => requirePostgres15(undefined)).toThrow(ConfigError);
    expect(requirePostgres15("150000")).toBeUndefined();
  });

  it("is left to others for any other error", () => {
    expect(describeDatabaseProblem(new Error("a defect"), url)).toBeUndefined();
    expect(describeDatabaseProblem(withCode("23505"), url)).toBeUndefined();
    expect(describeDatabaseProblem("text", url)).toBeUndefined();
    // A server of mail refuses connections, too.
    expect(describeDatabaseRefusal(withCode("ECONNREFUSED"), url)).toBeUndefined();
  });
});
