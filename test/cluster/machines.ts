/** As many processes of the API and of the worker as on many machines, on a PostgreSQL and a Redis that tests may kill. */
import { join } from "node:path";
import { Redis } from "ioredis";
import { bootstrap } from "../../src/bootstrap.ts";
import { migrateDatabase } from "../../src/db/migrate.ts";
import { startEmbeddedPostgres } from "../../src/embedded/postgres.ts";
import { createLogger } from "../../src/lib/log.ts";
import { freePort } from "../support/free-port.ts";
import { eventually, testConfig, testMasterKey } from "../support/queue.ts";
import { scratchDirectory } from "../support/scratch.ts";
import { spawnCommand } from "../support/command-line.ts";
import { administrator } from "../support/server.ts";

export interface Machines {
  /** One URL for each API process. */
  readonly urls: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** As after a crash or the loss of power; it comes back by itself. */
  killPostgres(): Promise<void>;
  killRedis(): Promise<void>;
  startRedis(): Promise<void>;
  /** Whether every process that was started still runs. */
  allAlive(): boolean;
  stop(): Promise<void>;
}

const PROCESSES = 2;

/** @param redis whether the queue, rate limits and the rest of it use Redis */
export async function startMachines(redis: boolean): Promise<Machines> {
  // Stopped in the other order, by whoever asked for it, or here when the rest does not start.
  await using started = new AsyncDisposableStack();
  const scratch = started.use(scratchDirectory());
  const log = createLogger({ level: "silent", name: "test" });
  const database = await startEmbeddedPostgres({
    dataDir: join(scratch.path, "pg"),
    log,
    // The machine lives on, so what was written is not lost. The tests themselves and the command line connect as well.
    settings: { fsync: "off", max_connections: "200" },
  });
  started.defer(() => database.stop());
  const ports = Array.from({ length: PROCESSES }, freePort);
  const store = redis ? redisOn(freePort(), scratch.path) : undefined;
  started.defer(async () => store?.kill());
  await store?.start();
  const env = {
    NODE_ENV: "test",
    HOST: "localhost",
    PUBLIC_URL: `http://localhost:${ports[0]}`,
    DATABASE_URL: database.url,
    GATEWRIGHT_MASTER_KEY: testMasterKey,
    GATEWRIGHT_ADMIN_EMAIL: administrator.email,
    GATEWRIGHT_ADMIN_PASSWORD: administrator.password,
    RATE_LIMITING: "off",
    LOG_LEVEL: "error",
    ...(store ? { REDIS_URL: store.url } : {}),
  };
  await migrateDatabase({ databaseUrl: database.url, redisUrl: store?.url });
  await bootstrap(testConfig(env));
  const children = [
    ...ports.map((port) => spawnCommand(["api"], { ...env, PORT: String(port) })),
    ...ports.map(() => spawnCommand(["worker"], env)),
  ];
  started.defer(async () => {
    for (const child of children) child.kill("SIGTERM");
    await Promise.all(children.map(({ exited }) => exited));
  });
  // What they say must not fill the pipes.
  for (const { stdout, stderr } of children) for (const stream of [stdout, stderr]) void drain(stream);
  const urls = ports.map((port) => `http://localhost:${port}`);
  await eventually("every API process", () => allReady(urls), 60_000);
  const running = started.move();
  return {
    urls,
    env,
    async killPostgres() {
      const postmaster = database.pid();
      Bun.spawnSync(["kill", "-9", String(postmaster), ...childrenOf(postmaster)]);
      await eventually("PostgreSQL", () => database.pid() !== postmaster, 60_000);
    },
    killRedis: async () => store?.kill(),
    startRedis: async () => store?.start(),
    allAlive: () => children.every(({ exitCode, signalCode }) => exitCode === null && signalCode === null),
    stop: () => running.disposeAsync(),
  };
}

export async function allReady(urls: readonly string[]): Promise<boolean> {
  const answers = await Promise.all(urls.map((url) => fetch(`${url}/readyz`).catch(() => undefined)));
  return answers.every((answer) => answer?.ok);
}

async function drain(stream: ReadableStream<Uint8Array>): Promise<void> {
  const reader = stream.getReader();
  while (!(await reader.read()).done);
}

function childrenOf(parent: number): string[] {
  const found = Bun.spawnSync(["ps", "-A", "-o", "ppid=,pid="]).stdout.toString();
  return found.split("\n").flatMap((line) => {
    const [ppid, pid] = line.trim().split(/\s+/);
    return ppid === String(parent) && pid ? [pid] : [];
  });
}

/** A Redis that keeps what it was told, as one for a queue has to, and can be started again at the same place. */
function redisOn(port: number, directory: string) {
  let server: Bun.Subprocess | undefined;
  const url = `redis://127.0.0.1:${port}`;
  return {
    url,
    async start() {
      const options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always"];
      server = Bun.spawn(["redis-server", "--port", String(port), "--dir", directory, ...options], {
        stdout: "ignore",
        stderr: "ignore",
      });
      const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: 500 });
      client.on("error", () => {});
      await client.ping();
      client.disconnect();
    },
    async kill() {
      server?.kill("SIGKILL");
      await server?.exited;
    },
  };
}
