/** How many jobs a second are written with the change they belong to, and worked through, on both backends of the queue. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { createAccount } from "../src/domain/accounts/registration.ts";
import { systemContext } from "../src/domain/request-context.ts";
import { enqueue } from "../src/queue/outbox.ts";
import { freePort } from "../test/support/free-port.ts";
import type { BenchDatabase } from "./database.ts";
import { type Gatewright, startGatewright } from "./gatewright.ts";
import { cpuMsOf, residentMbOf } from "./machine.ts";
import type { Measurement } from "./measure.ts";
import { stopProcess } from "./processes.ts";

const JOBS = 5000;
const AT_ONCE = 16;
const DEADLINE_MS = 120_000;
const CLI = join(import.meta.dir, "..", "src", "cli.ts");

export interface QueueResults {
  readonly enqueue: Measurement[];
  readonly drain: Measurement[];
}

/** Redis is measured where it is installed. */
export async function measureQueue(database: BenchDatabase): Promise<QueueResults> {
  const results: QueueResults = { enqueue: [], drain: [] };
  const redis = Bun.which("redis-server");
  for (const program of [undefined, ...(redis ? [redis] : [])]) {
    const stop = program ? await startRedis(program) : undefined;
    const gatewright = await startGatewright(database);
    try {
      const name = stop ? "queue on Redis" : "queue on PostgreSQL";
      results.enqueue.push(await fill(gatewright, name));
      results.drain.push(await drain(gatewright, name, stop?.url));
    } finally {
      await gatewright.stop();
      await stop?.stop();
    }
  }
  return results;
}

/** Mail that nobody gets: one job each, in a transaction of its own. */
async function fill({ deps, tenant, databaseCpuMs }: Gatewright, name: string): Promise<Measurement> {
  const person = { username: "queue", email: "queue@example.com", password: "C0rrect-Horse!", roles: [] };
  const user = await createAccount(deps, tenant, { ...person, emailVerified: true }, systemContext);
  const begun = performance.now();
  const used = process.cpuUsage();
  const database = databaseCpuMs?.();
  let left = JOBS;
  const times: number[] = [];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) {
        const at = performance.now();
        await deps.db.transaction((tx) =>
          enqueue(tx, {
            tenantId: tenant.id,
            queue: "email",
            name: "password_changed",
            payload: { user_id: user.id },
            now: deps.clock.now(),
          }),
        );
        times.push(performance.now() - at);
      }
    }),
  );
  const seconds = (performance.now() - begun) / 1000;
  const { user: inUser, system } = process.cpuUsage(used);
  const sorted = times.toSorted((a, b) => a - b);
  return {
    name,
    perSecond: JOBS / seconds,
    p50Ms: sorted[Math.floor(JOBS * 0.5)] ?? 0,
    p99Ms: sorted[Math.floor(JOBS * 0.99)] ?? 0,
    cpuMs: (inUser + system) / 1000 / JOBS,
    databaseCpuMs: perJob(databaseCpuMs?.(), database),
    residentMb: undefined,
    steal: 0,
  };
}

const perJob = (after: number | undefined, before: number | undefined) =>
  after === undefined || before === undefined ? undefined : (after - before) / JOBS;

/** From the worker's start to the last job's end, with the relay. */
async function drain(
  gatewright: Gatewright,
  name: string,
  redisUrl: string | undefined,
): Promise<Measurement> {
  const { deps, environment, databaseCpuMs } = gatewright;
  const { SMTP_URL: _smtp, ...rest } = environment;
  const env = {
    ...rest,
    NODE_ENV: "development",
    MAIL_DRIVER: "mailbox",
    LOG_LEVEL: "error",
    ...(redisUrl ? { REDIS_URL: redisUrl } : {}),
  };
  const begun = performance.now();
  const database = databaseCpuMs?.();
  const worker = spawn(process.execPath, [CLI, "worker"], {
    env: { ...process.env, ...env },
    stdio: "ignore",
  });
  try {
    const pids = [worker.pid ?? 0];
    for (;;) {
      const [row] = await deps.db.execute<{ done: string }>(
        sql`select count(*) as done from job_ledger where completed_at is not null`,
      );
      if (Number(row?.done) >= JOBS) break;
      if (performance.now() - begun > DEADLINE_MS) throw new Error(`${row?.done} of ${JOBS} jobs were done`);
      await Bun.sleep(50);
    }
    const seconds = (performance.now() - begun) / 1000;
    const cpuMs = cpuMsOf(pids);
    return {
      name,
      perSecond: JOBS / seconds,
      p50Ms: Number.NaN,
      p99Ms: Number.NaN,
      cpuMs: cpuMs === undefined ? undefined : cpuMs / JOBS,
      databaseCpuMs: perJob(databaseCpuMs?.(), database),
      residentMb: residentMbOf(pids),
      steal: 0,
    };
  } finally {
    await stopProcess(worker);
  }
}

async function startRedis(program: string): Promise<{ url: string; stop(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), "gatewright-bench-redis-"));
  const port = freePort();
  const server = spawn(program, ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory], {
    stdio: "ignore",
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      await stopProcess(server);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
