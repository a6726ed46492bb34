/**
 * The servers and programs that the tests use: a PostgreSQL of their own, away from the operator's data, a Redis when
 * the machine has one, and Chromium. Tests find them through the TEST_ variables (`test/support/environment.ts`).
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { readEnvironment } from "../config.ts";
import { DirectoryLockedError } from "../embedded/directory-lock.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../embedded/postgres.ts";
import type { Logger } from "../lib/log.ts";
import { claimPort } from "./port.ts";

export interface TestEnvironment {
  readonly variables: Readonly<Record<string, string>>;
  /** One line a thing that is missing, with the reason. */
  readonly skipped: readonly string[];
  stop(): Promise<void>;
}

const REDIS_DEADLINE_MS = 5000;

/** @param directory where the tests' PostgreSQL lives from run to run */
export async function startTestEnvironment(directory: string, log: Logger): Promise<TestEnvironment> {
  const reason = installMissing();
  const chromium = findChromium();
  const redisProgram = Bun.which("redis-server");
  const database = await startDatabase(directory, log);
  const redis = redisProgram ? await startRedis(redisProgram) : undefined;
  const skipped: string[] = [];
  if (!chromium) skipped.push(`skipped: browser tests, because there is no Chromium (${reason})`);
  if (!redis)
    skipped.push(`skipped: tests of the queue on Redis, because there is no redis-server (${reason})`);
  return {
    variables: {
      TEST_DATABASE_URL: database.url,
      ...(redis ? { TEST_REDIS_URL: redis.url } : {}),
      ...(chromium ? { TEST_CHROMIUM: chromium } : {}),
    },
    skipped,
    stop: async () => {
      await redis?.stop();
      await database.stop();
    },
  };
}

/** @returns why something may still be missing afterwards */
function installMissing(): string {
  const packages = [
    findChromium() ? [] : ["chromium"],
    Bun.which("redis-server") ? [] : ["redis-server"],
  ].flat();
  if (packages.length === 0) return "";
  if (!existsSync("/etc/debian_version") || !Bun.which("apt-get"))
    return `install ${packages.join(" and ")} to run them`;
  if (process.getuid?.() !== 0) return `apt-get install ${packages.join(" ")} as root to run them`;
  console.log(`installing ${packages.join(" and ")}`);
  const options = {
    stdio: "ignore",
    env: { ...readEnvironment(), DEBIAN_FRONTEND: "noninteractive" },
  } as const;
  spawnSync("apt-get", ["update", "-qq"], options);
  // one by one: when one cannot be had, the other still can
  for (const name of packages)
    spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", name], options);
  return "apt-get could not install it";
}

function findChromium(): string | undefined {
  const onMac = "/Applications/Chromium.app/Contents/MacOS/Chromium";
  const chrome = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
  const onPath = ["chromium", "chromium-browser", "google-chrome"].map((name) => Bun.which(name));
  return onPath.find((path) => path !== null) ?? [onMac, chrome].find((path) => existsSync(path));
}

/** What is written need not survive a crash of the machine, which makes creating databases several times faster. */
const THROW_AWAY = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  max_connections: "300",
};

/** The first place that no other test run uses, emptied of what an interrupted run left. */
async function startDatabase(directory: string, log: Logger, place = 1): Promise<EmbeddedPostgres> {
  try {
    const dataDir = join(directory, `postgres-${place}`);
    const database = await startEmbeddedPostgres({ dataDir, log, settings: THROW_AWAY });
    await dropDatabases(database.url);
    return database;
  } catch (error) {
    if (error instanceof DirectoryLockedError) return startDatabase(directory, log, place + 1);
    throw error;
  }
}

async function dropDatabases(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql`UPDATE pg_database SET datistemplate = false WHERE datname NOT IN ('template0', 'template1')`;
    const names = await sql<{ name: string }[]>`
      SELECT datname AS name FROM pg_database
      WHERE NOT datistemplate AND datname NOT IN (current_database(), 'postgres')`;
    for (const { name } of names) await sql`DROP DATABASE ${sql(name)} WITH (FORCE)`;
  } finally {
    await sql.end();
  }
}

async function startRedis(program: string): Promise<{ url: string; stop(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), "gatewright-redis-"));
  const port = await claimPort("127.0.0.1", 0);
  const args = [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "no",
    "--dir",
    directory,
  ];
  const child = spawn(program, args, { stdio: "ignore", detached: true });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
    rmSync(directory, { recursive: true, force: true });
  };
  const deadline = Date.now() + REDIS_DEADLINE_MS;
  while (!(await answers(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error("redis-server does not start");
    }
    await Bun.sleep(10);
  }
  return { url: `redis://127.0.0.1:${port}`, stop };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
