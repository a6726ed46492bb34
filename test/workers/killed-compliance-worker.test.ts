/** A compliance report by a worker that is killed while it computes it. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { and, eq, sql } from "drizzle-orm";
import { auditEvents, jobLedger, outbox, reports } from "../../src/db/schema/index.ts";
import { administratorsToken } from "../api/native/admin/support.ts";
import { eventually, queueBackends, startTestRedis, type TestRedis } from "../support/queue.ts";
import { scratchDirectory } from "../support/scratch.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { type WorkerProcesses, workerProcesses } from "../support/worker-process.ts";

/** Far beyond what a loaded machine takes for a part of the test. */
const PATIENCE_MS = 90_000;

describe.each(queueBackends)("a worker killed with kill -9 in a report, queue on %s", (backend) => {
  const directory = scratchDirectory();
  let redis: TestRedis | undefined;
  let server: TestServer;
  let workers: WorkerProcesses;

  beforeAll(async () => {
    redis = backend === "Redis" ? await startTestRedis() : undefined;
    server = await startTestServer({
      env: { GATEWRIGHT_DATA_DIR: directory.path },
      ...(redis ? { redisUrl: redis.url } : {}),
    });
    workers = workerProcesses({
      PUBLIC_URL: server.url,
      DATABASE_URL: server.config.databaseUrl,
      REDIS_URL: redis?.url,
      GATEWRIGHT_DATA_DIR: directory.path,
      GATEWRIGHT_MASTER_KEY: `1:${Buffer.alloc(32, 7).toString("base64")}`,
    });
  });
  afterAll(async () => {
    await workers.killAll();
    await server.stop();
    await redis?.stop();
    directory[Symbol.dispose]();
  });

  /** Starts a worker, and kills it when it cannot go on because somebody holds this table. */
  async function killOneAt(table: string): Promise<void> {
    const { db } = server.deps;
    const [held, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const holding = db.transaction(async (tx) => {
      await tx.execute(sql`set local idle_in_transaction_session_timeout = 0`);
      await tx.execute(sql`lock table ${sql.identifier(table)} in access exclusive mode`);
      held.resolve();
      await release.promise;
    });
    await held.promise;
    const worker = workers.start();
    try {
      await eventually(
        `a worker that waits for ${table}`,
        async () => {
          const waiting = await db.execute(sql`
            select 1 from pg_locks join pg_stat_activity using (pid)
            where not granted and relation = ${table}::regclass and application_name = 'gatewright worker'`);
          const [report] = await db.select().from(reports);
          return waiting.length > 0 && report?.status === "running" && report.progress > 0;
        },
        PATIENCE_MS,
      );
    } finally {
      await workers.kill(worker);
      release.resolve();
      await holding;
    }
  }

  it(
    "leaves one report, which another worker makes whole, in each format once",
    async () => {
      const token = await administratorsToken(server);
      const call = (path: string) =>
        fetch(`${server.url}/api/v1/compliance${path}`, {
          headers: { authorization: `Bearer ${token}`, prefer: "wait=0" },
        });
      const asked = await call("/soc2");
      expect(asked.status).toBe(202);
      const { id } = (await asked.json()) as { id: string };
      // What it counts is counted by then; the proof of the trail is still to come.
      await killOneAt("audit_seals");
      expect((await call(`/reports/${id}/download`)).status).toBe(409);

      workers.start();
      await eventually(
        "the report",
        async () => (await (await call(`/reports/${id}`)).json()).status === "done",
        PATIENCE_MS,
      );
      const rows = await server.deps.db.select().from(reports);
      expect(rows).toMatchObject([{ id, status: "done", progress: 100 }]);
      expect(Object.keys(rows[0]?.files ?? {}).toSorted()).toEqual(["csv", "json", "pdf"]);
      const names = readdirSync(join(directory.path, "files", "reports", server.tenant.id));
      expect(names.filter((name) => !name.endsWith(".part")).toSorted()).toEqual(
        ["csv", "json", "pdf"].map((format) => `${id}.${format}`),
      );
      const report = (await (await call(`/reports/${id}/download?format=json`)).json()) as {
        framework: string;
        checks: unknown[];
        summary: { total: number };
      };
      expect(report.framework).toBe("soc2");
      expect(report.summary.total).toBe(report.checks.length);
      const pdf = Buffer.from(await (await call(`/reports/${id}/download?format=pdf`)).arrayBuffer());
      expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");

      await eventually(
        "a settled ledger",
        async () => {
          const jobs = await server.deps.db.select().from(jobLedger);
          return (
            (await server.deps.db.$count(outbox)) === 0 &&
            jobs.length > 0 &&
            jobs.every(({ completedAt }) => completedAt !== null)
          );
        },
        PATIENCE_MS,
      );
      const requested = and(eq(auditEvents.type, "report.requested"), eq(auditEvents.targetId, id));
      expect(await server.deps.db.$count(auditEvents, requested)).toBe(1);
    },
    4 * PATIENCE_MS,
  );
});
