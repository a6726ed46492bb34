import { afterAll, afterEach, beforeAll, describe, expect, it } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { closeDatabase, connectDatabase, type Database } from "../../src/db/client.ts";
import { migrateDatabase } from "../../src/db/migrate.ts";
import { mailboxMessages } from "../../src/db/schema/index.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/embedded/postgres.ts";
import type { Id } from "../../src/lib/ids.ts";
import { createLogger } from "../../src/lib/log.ts";
import { queueNames } from "../../src/queue/contracts.ts";
import { enqueue } from "../../src/queue/outbox.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { eventually, insertTestTenant, insertTestUsers, testMasterKey } from "../support/queue.ts";
import { scratchDirectory } from "../support/scratch.ts";

const cli = join(import.meta.dir, "../../src/cli.ts");
const STOP_MS = 5000;
const workers: Bun.Subprocess[] = [];

// A worker that spins hears no SIGTERM.
afterEach(() => {
  for (const worker of workers.splice(0)) worker.kill("SIGKILL");
});

/** A worker of its own process: one that spins would take the test's timers with it. */
function startWorkerProcess(databaseUrl: string): Bun.Subprocess<"ignore", "pipe"> {
  const worker = Bun.spawn([process.execPath, cli, "worker"], {
    env: {
      PATH: process.env["PATH"],
      NODE_ENV: "test",
      DATABASE_URL: databaseUrl,
      GATEWRIGHT_MASTER_KEY: testMasterKey,
      LOG_LEVEL: "info",
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  workers.push(worker);
  return worker;
}

async function untilReady(worker: Bun.Subprocess<"ignore", "pipe">): Promise<void> {
  let log = "";
  const decoder = new TextDecoder();
  const reader = worker.stdout.getReader();
  while (!log.includes("worker is ready")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the worker ended: ${log}`);
    log += decoder.decode(value);
  }
  // What it says later must not fill the pipe.
  void (async () => {
    while (!(await reader.read()).done);
  })();
}

async function mailIsSent(db: Database, tenantId: Id<"tenant">): Promise<void> {
  const address = await eventually("a registration", () => register(db, tenantId).catch(() => undefined));
  await eventually(
    "the mail",
    async () => {
      const messages = await db.select({ to: mailboxMessages.to }).from(mailboxMessages);
      return messages.some(({ to }) => to === address);
    },
    10_000,
  );
}

async function register(db: Database, tenantId: Id<"tenant">): Promise<string> {
  const [user] = await insertTestUsers(db, tenantId, 1);
  if (!user) throw new Error("no user was made");
  const payload = { user_id: user.userId, email_id: user.emailId };
  await enqueue(db, { tenantId, queue: "email", name: "verify_email", payload, now: new Date() });
  return user.address;
}

async function stopsInOrder(worker: Bun.Subprocess): Promise<void> {
  const begun = performance.now();
  worker.kill("SIGTERM");
  await eventually("the worker's end", () => worker.exitCode !== null, STOP_MS);
  expect(worker.exitCode).toBe(0);
  // Connections that were cut are no reason to wait for them.
  expect(performance.now() - begun).toBeLessThan(4500);
}

/** The share of one processor that a process uses for a second; 0 on a system without /proc. */
async function processorShare(pid: number): Promise<number> {
  const before = processorMs(pid);
  await Bun.sleep(1000);
  return (processorMs(pid) - before) / 1000;
}

function processorMs(pid: number): number {
  if (!existsSync("/proc/self/stat")) return 0;
  // After the name, which may hold spaces: fields 14 and 15 of proc_pid_stat(5), in hundredths of a second.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

describe("a worker whose PostgreSQL is killed with kill -9", () => {
  const scratch = scratchDirectory();
  let database: EmbeddedPostgres;
  let db: Database;
  let tenantId: Id<"tenant">;

  beforeAll(async () => {
    const log = createLogger({ level: "silent", name: "test" });
    database = await startEmbeddedPostgres({
      dataDir: join(scratch.path, "pg"),
      log,
      // The machine lives on, so what was written is not lost.
      settings: { fsync: "off" },
    });
    await migrateDatabase({ databaseUrl: database.url, redisUrl: undefined });
    db = connectDatabase(database.url, { max: 2, applicationName: "test" });
    tenantId = await insertTestTenant(db, { isDefault: true });
  }, 60_000);
  afterAll(async () => {
    await closeDatabase(db);
    await database.stop();
    scratch[Symbol.dispose]();
  }, 30_000);

  async function killDatabase(): Promise<void> {
    const postmaster = database.pid();
    // Not process.kill: a session may end between being listed and being killed.
    Bun.spawnSync(["kill", "-9", `${postmaster}`, ...childrenOf(postmaster)]);
    await eventually("PostgreSQL", () => database.pid() !== postmaster);
  }

  for (const round of [1, 2, 3]) {
    it(`goes on, does not spin, and stops when told to (${round})`, async () => {
      const worker = startWorkerProcess(database.url);
      await untilReady(worker);
      await killDatabase();
      await mailIsSent(db, tenantId);
      await killDatabase();
      await mailIsSent(db, tenantId);
      expect(await processorShare(worker.pid)).toBeLessThan(0.5);
      await stopsInOrder(worker);
    }, 30_000);
  }
});

function childrenOf(parent: number): string[] {
  const found = Bun.spawnSync(["ps", "-A", "-o", "ppid=,pid="]).stdout.toString();
  return found.split("\n").flatMap((line) => {
    const [ppid, pid] = line.trim().split(/\s+/);
    return ppid === `${parent}` && pid ? [pid] : [];
  });
}

describe("a worker whose connections to the queue on PostgreSQL are lost while it starts", () => {
  let database: TestDatabase;
  let db: Database;
  let tenantId: Id<"tenant">;
  let gate: Awaited<ReturnType<typeof startGate>>;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = connectDatabase(database.url, { max: 2, applicationName: "test" });
    tenantId = await insertTestTenant(db, { isDefault: true });
    gate = await startGate(database.url);
  });
  afterAll(async () => {
    gate.close();
    await closeDatabase(db);
    await database.drop();
  });

  it("tries again, not faster than about once a second, and goes on", async () => {
    const worker = startWorkerProcess(gate.url);
    await untilReady(worker);
    await eventually("the first loss", () => gate.cut() > 0);
    const begun = performance.now();
    const before = gate.cut();
    // One for each queue at once, and a second round only after a pause.
    const rounds = 2 * queueNames.length;
    await eventually("two more of each queue", () => gate.cut() >= before + rounds, 60_000);
    expect(performance.now() - begun).toBeGreaterThan(1000);
    gate.open();
    await mailIsSent(db, tenantId);
    await stopsInOrder(worker);
  }, 90_000);
});

/** Stands before the database and, until it is opened, cuts every connection of the kind that takes jobs. */
async function startGate(databaseUrl: string) {
  const { hostname, port } = new URL(databaseUrl);
  let cut = 0;
  let opened = false;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    sockets.add(client);
    client.on("error", () => client.destroy());
    client.once("data", (startup) => {
      // Workers share their application_name with the process's other connections, but these set a search_path.
      const parameters = startup.toString("latin1");
      if (!opened && parameters.includes("gatewright worker") && parameters.includes("search_path")) {
        cut++;
        client.destroy();
        return;
      }
      const upstream = connect(Number(port || 5432), hostname);
      sockets.add(upstream);
      upstream.on("error", () => client.destroy());
      upstream.write(startup);
      client.pipe(upstream).pipe(client);
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  return {
    url: url.href,
    cut: () => cut,
    open: () => void (opened = true),
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
