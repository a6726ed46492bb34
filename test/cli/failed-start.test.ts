import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { join } from "node:path";
import postgres from "postgres";
import { bootstrap } from "../../src/bootstrap.ts";
import { claimPort } from "../../src/cli/port.ts";
import { loadConfig } from "../../src/config.ts";
import { startServer } from "../../src/server.ts";
import { runCommandLine, spawnCommand } from "../support/command-line.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { testDatabaseUrl } from "../support/environment.ts";
import { scratchDirectory, until } from "../support/scratch.ts";

const KEY = `1:${Buffer.alloc(32, 7).toString("base64")}`;
const OTHER_KEY = `1:${Buffer.alloc(32, 8).toString("base64")}`;
const WRONG_KEY =
  "GATEWRIGHT_MASTER_KEY is not the key that this database's signing keys were sealed with: restore it (with `gatewright start`: secrets.json of the data directory)";
/** Nothing answers there. */
const NO_REDIS = "redis://127.0.0.1:1";
const TIMEOUT_MS = 60_000;

let database: TestDatabase;
let env: Record<string, string>;

beforeAll(async () => {
  database = await createTestDatabase();
  env = { NODE_ENV: "test", PORT: "0", DATABASE_URL: database.url, GATEWRIGHT_MASTER_KEY: KEY };
  await bootstrap(loadConfig(env));
});
afterAll(() => database.drop());

/** A port that a server holds, which lets others share it only when they share theirs. */
const occupied = () => Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("hello") });

/** Reads what a process prints until it has ended. */
function outputOf(child: ReturnType<typeof spawnCommand>) {
  let text = "";
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  };
  const ended = Promise.all([collect(child.stdout), collect(child.stderr), child.exited]);
  return { text: () => text, ended };
}

describe("A port that is taken", () => {
  it("stops `api` with the line that `start` has for it", async () => {
    using server = occupied();
    const { code, stderr } = await runCommandLine(["api"], { ...env, PORT: String(server.port) });
    expect(stderr).toStartWith(`gatewright: port ${server.port} is taken on 127.0.0.1: `);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(code).toBe(1);
  });

  it("ends an `api` that would share it", async () => {
    using server = occupied();
    const settings = { ...env, PORT: String(server.port), WEB_CONCURRENCY: "2" };
    const { code, stderr } = await runCommandLine(["api"], settings);
    expect(stderr).toContain("EADDRINUSE");
    expect(code).toBe(1);
  });

  it("leaves no connection behind", async () => {
    using server = occupied();
    const config = loadConfig({ ...env, PORT: String(server.port), LOG_LEVEL: "silent" });
    await expect(startServer(config)).rejects.toThrow();
    const sql = postgres(database.url, { max: 1 });
    try {
      await until("the connections to close", async () => {
        const [row] = await sql`select count(*)::int as open from pg_stat_activity
          where datname = current_database() and application_name = 'gatewright api'`;
        return row?.["open"] === 0;
      });
    } finally {
      await sql.end();
    }
  });
});

describe("A command that failed", () => {
  it("ends, whatever it left open, and has said why", async () => {
    using scratch = scratchDirectory();
    const preload = join(scratch.path, "left-open.ts");
    await Bun.write(preload, "setInterval(() => {}, 1000);");
    const entry = join(import.meta.dir, "../../src/cli.ts");
    const child = Bun.spawn([process.execPath, "--no-env-file", "--preload", preload, entry, "frobnicate"], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
      timeout: 10_000,
    });
    expect(await new Response(child.stderr).text()).toContain('unknown command "frobnicate"');
    expect(await child.exited).toBe(1);
  });
});

describe("A master key that is not the database's", () => {
  it.each([
    ["of the same id", OTHER_KEY],
    ["of another id", OTHER_KEY.replace("1:", "2:")],
  ])("%s stops the API process", async (_, key) => {
    const { code, stderr } = await runCommandLine(["api"], { ...env, GATEWRIGHT_MASTER_KEY: key });
    expect(stderr).toBe(`gatewright: ${WRONG_KEY}\n`);
    expect(code).toBe(1);
  });
});

describe("The schema of the database", () => {
  const admin = postgres(testDatabaseUrl(), { max: 1, onnotice: () => {} });
  const name = `gw_test_unmigrated_${process.pid}`;
  const commands = [
    ["api"],
    ["worker"],
    ["users", "create", "--email", "a@b.example"],
    ["tenants", "create", "--slug", "acme", "--name", "Acme"],
    ["clients", "create", "--name", "App"],
  ].map((command) => [command.slice(0, 2).join(" "), command] as const);
  beforeAll(async () => {
    await admin.unsafe(`create database ${name}`);
  });
  afterAll(async () => {
    await admin.unsafe(`drop database ${name} with (force)`);
    await admin.end();
  });

  it.each(commands)("that is missing stops `%s`", async (_, command) => {
    const url = Object.assign(new URL(testDatabaseUrl()), { pathname: `/${name}` }).href;
    const { code, stderr } = await runCommandLine(command, { ...env, DATABASE_URL: url });
    expect(stderr).toBe("gatewright: The database is not migrated: run `gatewright migrate` first.\n");
    expect(code).toBe(1);
  });

  it.each([...commands, ["migrate", ["migrate"]] as const])(
    "that a newer build made stops `%s`",
    async (_, command) => {
      const newer = await createTestDatabase();
      try {
        const sql = postgres(newer.url, { max: 1 });
        await sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('newer', 99999999999999)`;
        await sql.end();
        const { code, stderr } = await runCommandLine(command, { ...env, DATABASE_URL: newer.url });
        expect(stderr).toStartWith("gatewright: The database was migrated by a newer Gatewright: ");
        expect(code).toBe(1);
      } finally {
        await newer.drop();
      }
    },
  );
});

describe("A start that waits for Redis", () => {
  it(
    "ends on one Ctrl-C, and has shown the one-time password",
    async () => {
      using scratch = scratchDirectory();
      const empty = await createTestDatabase();
      const child = spawnCommand(["start"], {
        ...env,
        DATABASE_URL: empty.url,
        PORT: String(await claimPort("127.0.0.1", 0)),
        GATEWRIGHT_DATA_DIR: scratch.path,
        REDIS_URL: NO_REDIS,
      });
      const output = outputOf(child);
      try {
        await until("the API process", () => output.text().includes("API process listens"), 20_000);
        const asked = performance.now();
        child.kill("SIGINT");
        await output.ended;
        expect(performance.now() - asked).toBeLessThan(5000);
        expect(output.text()).toContain("One-time password: Gw1-");
        expect(output.text()).toEndWith("Gatewright has stopped.\n");
        expect(child.exitCode).toBe(0);
      } finally {
        child.kill("SIGKILL");
        await empty.drop();
      }
    },
    TIMEOUT_MS,
  );

  it(
    "ends on one SIGTERM as a worker of its own",
    async () => {
      const child = spawnCommand(["worker"], { ...env, REDIS_URL: NO_REDIS });
      const output = outputOf(child);
      try {
        await until("the worker's first try", () => output.text().includes("ECONNREFUSED"), 20_000);
        const asked = performance.now();
        child.kill("SIGTERM");
        await output.ended;
        expect(performance.now() - asked).toBeLessThan(5000);
      } finally {
        child.kill("SIGKILL");
      }
    },
    TIMEOUT_MS,
  );
});
