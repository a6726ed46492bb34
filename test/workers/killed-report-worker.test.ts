/** An export of the audit trail by a worker that is killed while it writes. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { jobLedger, reports } from "../../src/db/schema/index.ts";
import { uuidFromId } from "../../src/lib/ids.ts";
import { administratorsToken } from "../api/native/admin/support.ts";
import { eventually } from "../support/queue.ts";
import { scratchDirectory } from "../support/scratch.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const EVENTS = 60_000;
const cli = join(import.meta.dir, "../../src/cli.ts");
const directory = scratchDirectory();
const workers: Bun.Subprocess[] = [];
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_DATA_DIR: directory.path } });
  await server.deps.db.$client`
    insert into audit_events (tenant_id, created_at, id, type, actor_type, details)
    select ${uuidFromId("tenant", server.tenant.id)}, now() - number * interval '1 second', gen_random_uuid(),
      'token.issued', 'system', jsonb_build_object('number', number)
    from generate_series(1, ${EVENTS}::int) as number`;
});
afterEach(() => {
  for (const worker of workers.splice(0)) worker.kill("SIGKILL");
});
afterAll(async () => {
  await server.stop();
  directory[Symbol.dispose]();
});

function startWorkerProcess(): Bun.Subprocess {
  const worker = Bun.spawn([process.execPath, cli, "worker"], {
    env: {
      PATH: process.env["PATH"],
      NODE_ENV: "test",
      PUBLIC_URL: server.url,
      DATABASE_URL: server.config.databaseUrl,
      GATEWRIGHT_DATA_DIR: directory.path,
      GATEWRIGHT_MASTER_KEY: `1:${Buffer.alloc(32, 7).toString("base64")}`,
      LOG_LEVEL: "silent",
    },
    stdout: "ignore",
    stderr: "inherit",
  });
  workers.push(worker);
  return worker;
}

describe("an export whose worker is killed with kill -9 halfway", () => {
  it("is made whole by another one: every event once, one report, one file", async () => {
    const token = await administratorsToken(server);
    const call = (path: string) =>
      fetch(`${server.url}/api/v1/compliance${path}`, {
        headers: { authorization: `Bearer ${token}`, prefer: "wait=0" },
      });
    const asked = await call(`/audit-export?format=json&event_type=token.issued&limit=${EVENTS * 2}`);
    const { id } = (await asked.json()) as { id: string };
    const first = startWorkerProcess();
    const half = await eventually("an export that is under way", async () => {
      const [report] = await server.deps.db.select().from(reports);
      return report && report.progress > 5 && report;
    });
    first.kill("SIGKILL");
    await first.exited;
    expect(half.status).toBe("running");
    expect((await call(`/reports/${id}/download`)).status).toBe(409);

    startWorkerProcess();
    await eventually(
      "the report",
      async () => (await (await call(`/reports/${id}`)).json().then((body) => body.status)) === "done",
      60_000,
    );
    const events = (await (await call(`/reports/${id}/download`)).json()) as {
      details: { number?: number };
    }[];
    const numbers = events.flatMap(({ details }) => details.number ?? []);
    expect(numbers.length).toBe(EVENTS);
    expect(new Set(numbers).size).toBe(EVENTS);
    expect(await server.deps.db.$count(reports)).toBe(1);
    const whole = readdirSync(join(directory.path, "files", "reports", server.tenant.id));
    expect(whole.filter((name) => !name.endsWith(".part"))).toEqual([`${id}.json`]);
    await eventually("a settled ledger", async () => {
      const rows = await server.deps.db.select().from(jobLedger);
      return rows.length === 1 && rows[0]?.completedAt !== null;
    });
  }, 120_000);
});
