/** An import of users by a worker that is killed while it works through the file. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "bun:test";
import { join } from "node:path";
import { eq, like } from "drizzle-orm";
import {
  auditEvents,
  jobLedger,
  userEmails,
  userImportErrors,
  userImports,
  users,
} from "../../src/db/schema/index.ts";
import { administratorsToken } from "../api/native/admin/support.ts";
import { eventually } from "../support/queue.ts";
import { scratchDirectory } from "../support/scratch.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const ROWS = 20_000;
const cli = join(import.meta.dir, "../../src/cli.ts");
const directory = scratchDirectory();
const workers: Bun.Subprocess[] = [];
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_DATA_DIR: directory.path } });
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

/** Every hundredth row is no user, so that there are errors to be doubled, too. */
const file = Array.from({ length: ROWS }, (_, at) =>
  JSON.stringify({
    username: `imported.${at}`,
    email: at % 100 === 0 ? "none" : `imported.${at}@example.com`,
  }),
).join("\n");
const FAILED = ROWS / 100;

describe("an import whose worker is killed with kill -9 halfway", () => {
  it("is completed by another one: every user once, every error once, every count right", async () => {
    const token = await administratorsToken(server);
    const asked = await fetch(`${server.url}/api/v1/admin/users/import`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/x-ndjson" },
      body: file,
    });
    const { id } = (await asked.json()) as { id: string };
    const first = startWorkerProcess();
    await eventually(
      "an import that is under way",
      async () => {
        const [row] = await server.deps.db.select().from(userImports);
        return row && row.rowsRead >= 500;
      },
      60_000,
    );
    first.kill("SIGKILL");
    await first.exited;
    const [half] = await server.deps.db.select().from(userImports);
    expect(half).toMatchObject({ status: "running" });
    expect(half?.rowsRead).toBeLessThan(ROWS);
    const made = await server.deps.db.$count(users, like(users.username, "imported.%"));
    expect(made).toBe(half?.created ?? -1);

    startWorkerProcess();
    const done = await eventually(
      "the import",
      async () => {
        const [row] = await server.deps.db.select().from(userImports);
        return row?.status === "done" && row;
      },
      120_000,
    );
    expect(done).toMatchObject({
      id,
      rowsRead: ROWS,
      created: ROWS - FAILED,
      failed: FAILED,
      skipped: 0,
      updated: 0,
    });
    expect(await server.deps.db.$count(users, like(users.username, "imported.%"))).toBe(ROWS - FAILED);
    expect(await server.deps.db.$count(userEmails, like(userEmails.address, "imported.%"))).toBe(
      ROWS - FAILED,
    );
    expect(await server.deps.db.$count(userImportErrors)).toBe(FAILED);
    const created = await server.deps.db
      .select({ target: auditEvents.targetId })
      .from(auditEvents)
      .where(eq(auditEvents.requestId, id));
    const targets = created.map(({ target }) => target).filter((target) => target !== id);
    expect(targets).toHaveLength(ROWS - FAILED);
    expect(new Set(targets).size).toBe(ROWS - FAILED);
    await eventually("a settled ledger", async () => {
      const rows = await server.deps.db.select().from(jobLedger);
      return rows.length > 0 && rows.every(({ completedAt }) => completedAt !== null);
    });
  }, 240_000);
});
