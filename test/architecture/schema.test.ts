/** The database as it is after all migrations. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { cpSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import postgres from "postgres";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { scratchDirectory } from "../support/scratch.ts";
import { ROOT } from "./source-files.ts";

let database: TestDatabase;
let sql: postgres.Sql;

beforeAll(async () => {
  database = await createTestDatabase();
  sql = postgres(database.url, { max: 1 });
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

/** Tables that belong to no tenant, and unique things that hold across tenants. */
const acrossTenants = new Map([
  ["tenants", "the tenants themselves; on Citus a reference table"],
  ["tenant_domains", "a host name leads to one tenant"],
  ["rate_limits", "counters, which one statement of a library keeps; no reference leads to or from them"],
]);

interface Keys {
  table: string;
  name: string;
  columns: string[];
}

/** @param type of `pg_constraint.contype`: p(rimary key), u(nique), f(oreign key) */
const constraints = (type: string) => sql<
  (Keys & { target: string | null; targetColumns: string[] | null })[]
>`
  select c.conrelid::regclass::text as table, c.conname as name, nullif(c.confrelid, 0)::regclass::text as target,
    array(select a.attname::text from unnest(c.conkey) with ordinality k(number, place)
      join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number order by k.place) as columns,
    array(select a.attname::text from unnest(c.confkey) with ordinality k(number, place)
      join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.number order by k.place) as "targetColumns"
  from pg_constraint c join pg_class t on t.oid = c.conrelid
  where c.contype = ${type} and t.relnamespace = 'public'::regnamespace and not t.relispartition`;

const indexes = () => sql<(Keys & { unique: boolean })[]>`
  select i.indrelid::regclass::text as table, i.indexrelid::regclass::text as name, i.indisunique as unique,
    array(select coalesce(a.attname::text, '(expression)') from unnest(i.indkey) with ordinality k(number, place)
      left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number order by k.place) as columns
  from pg_index i join pg_class t on t.oid = i.indrelid
  where t.relnamespace = 'public'::regnamespace and not t.relispartition and i.indpred is null`;

const ofTenants = <Row extends Keys>(rows: readonly Row[]) =>
  rows.filter(({ table }) => !acrossTenants.has(table));
const names = (rows: readonly Keys[]) =>
  rows.map(({ table, name, columns }) => `${table}: ${name} (${columns})`);

describe("every tenant-owned table", () => {
  it("has a tenant_id, which is never null", async () => {
    const tables = await sql<{ table: string; nullable: boolean | null }[]>`
      select t.oid::regclass::text as table, not a.attnotnull as nullable
      from pg_class t left join pg_attribute a on a.attrelid = t.oid and a.attname = 'tenant_id'
      where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p') and not t.relispartition`;
    expect(tables.length).toBeGreaterThan(15);
    const wrong = tables.filter(({ table, nullable }) => nullable !== false && !acrossTenants.has(table));
    expect(wrong).toEqual([]);
  });

  it("has a primary key that begins with tenant_id", async () => {
    const keys = ofTenants(await constraints("p"));
    expect(keys.length).toBeGreaterThan(13);
    expect(names(keys.filter(({ columns }) => columns[0] !== "tenant_id"))).toEqual([]);
  });

  it("has no table without a primary key", async () => {
    const keyless = await sql`
      select t.oid::regclass::text from pg_class t
      where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p') and not t.relispartition
        and not exists (select from pg_constraint c where c.conrelid = t.oid and c.contype = 'p')`;
    expect([...keyless]).toEqual([]);
  });

  it("has unique indexes that begin with tenant_id", async () => {
    const unique = ofTenants(await indexes()).filter((index) => index.unique);
    expect(unique.length).toBeGreaterThan(15);
    expect(names(unique.filter(({ columns }) => columns[0] !== "tenant_id"))).toEqual([]);
  });

  it("has foreign keys that begin with tenant_id on both sides", async () => {
    const keys = ofTenants(await constraints("f"));
    expect(keys.length).toBeGreaterThan(10);
    const crossing = keys.filter(({ columns, target, targetColumns }) => {
      const [theirs] = targetColumns ?? [];
      return columns[0] !== "tenant_id" || (target === "tenants" ? theirs !== "id" : theirs !== "tenant_id");
    });
    expect(names(crossing)).toEqual([]);
  });

  it("has an index for every foreign key, so that deleting its target scans no table", async () => {
    const all = await indexes();
    const bare = (await constraints("f")).filter(
      ({ table, columns }) =>
        !all.some(
          (index) =>
            index.table === table &&
            columns.every((column) => index.columns.slice(0, columns.length).includes(column)),
        ),
    );
    expect(names(bare)).toEqual([]);
  });

  it("has no two indexes of the same columns", async () => {
    const keys = (await indexes()).map(({ table, columns }) => `${table} (${columns})`);
    expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
  });
});

describe("columns", () => {
  it("hold moments with their time zone", async () => {
    const naive = await sql`
      select table_name, column_name from information_schema.columns
      where table_schema = 'public' and data_type in ('timestamp without time zone', 'date', 'time without time zone')`;
    expect([...naive]).toEqual([]);
  });
});

describe("migrations", () => {
  it("are in step with the schema", async () => {
    using scratch = scratchDirectory();
    cpSync(join(ROOT, "drizzle/migrations"), join(scratch.path, "migrations"), { recursive: true });
    const before = readdirSync(join(scratch.path, "migrations")).toSorted();
    // drizzle-kit takes an output folder only relative to where it runs.
    const out = relative(ROOT, join(scratch.path, "migrations"));
    const kit = Bun.spawn(
      [
        process.execPath,
        join(ROOT, "node_modules/drizzle-kit/bin.cjs"),
        "generate",
        "--dialect=postgresql",
        "--schema=./src/db/schema/index.ts",
        `--out=${out}`,
        "--name=unexpected",
      ],
      { cwd: ROOT, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    );
    const [stdout, stderr] = await Promise.all([
      new Response(kit.stdout).text(),
      new Response(kit.stderr).text(),
    ]);
    expect({ code: await kit.exited, stderr: stderr.trim() }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("No schema changes, nothing to migrate");
    expect(readdirSync(join(scratch.path, "migrations")).toSorted()).toEqual(before);
  });
});
