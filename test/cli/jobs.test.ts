import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { join } from "node:path";
import { createLogger } from "../../src/lib/log.ts";
import { createQueueBackend, type QueueBackend } from "../../src/queue/backend.ts";
import { PermanentJobError } from "../../src/queue/job-error.ts";
import type { QueueHandle } from "../../src/queue/queue-handle.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { eventually, testMasterKey } from "../support/queue.ts";

const cli = join(import.meta.dir, "../../src/cli.ts");
let database: TestDatabase;
let backend: QueueBackend;
let queue: QueueHandle;

const failing = async () => {
  throw new PermanentJobError("SMTP RCPT TO: 550 no such user");
};

beforeAll(async () => {
  database = await createTestDatabase();
  const log = createLogger({ level: "silent", name: "test" });
  backend = createQueueBackend({ databaseUrl: database.url, redisUrl: undefined }, log);
  queue = await backend.openQueue("email");
  const worker = backend.openWorker("email", failing, { concurrency: 1 });
  const ids = ["outbox-1a", "outbox-2b", "outbox-3c"];
  await queue.add(ids.map((id) => ({ id, name: "welcome", data: { tenantId: "tenant_1", payload: {} } })));
  await eventually("three failed jobs", async () => (await queue.count("failed")) === 3);
  await worker.stop(1000);
});
afterAll(async () => {
  await backend.close();
  await database.drop();
});

async function gatewright(...args: string[]) {
  const child = Bun.spawn([process.execPath, cli, ...args], {
    env: {
      PATH: process.env["PATH"],
      NODE_ENV: "test",
      DATABASE_URL: database.url,
      GATEWRIGHT_MASTER_KEY: testMasterKey,
    },
    stdout: "pipe",
    stderr: "pipe",
  });
  const texts = [child.stdout, child.stderr].map((stream) => new Response(stream).text());
  const [[out = "", err = ""], code] = await Promise.all([Promise.all(texts), child.exited]);
  return { out: out.trim(), err: err.trim(), code };
}

describe("gatewright jobs list", () => {
  it("lists failed jobs with the reason", async () => {
    const { out, code } = await gatewright("jobs", "list");
    expect(code).toBe(0);
    const [header, ...rows] = out.split("\n");
    expect(header).toMatch(/^ID +JOB +CREATED +ATTEMPTS +REASON$/);
    expect(rows).toHaveLength(3);
    expect(out).toMatch(/^outbox-1a +email\/welcome +\S+Z +1 +SMTP RCPT TO: 550 no such user$/m);
  });

  it("prints JSON, no more than asked for", async () => {
    const { out } = await gatewright("jobs", "list", "--json", "--limit", "1", "--queue", "email");
    const jobs: unknown = JSON.parse(out);
    expect(jobs).toHaveLength(1);
    expect(jobs).toMatchObject([{ queue: "email", name: "welcome", tenant_id: "tenant_1", attempts: 1 }]);
  });

  it("lists other states", async () => {
    expect((await gatewright("jobs", "list", "--state", "waiting")).out).toBe("no waiting jobs");
  });

  it.each([
    ["--state must be one of", ["--state", "odd"]],
    ["--queue must be one of", ["--queue", "odd"]],
    ["--limit must be", ["--limit", "0"]],
  ])("refuses bad input in one line: %s", async (message, args) => {
    const { err, code } = await gatewright("jobs", "list", ...args);
    expect(code).toBe(1);
    expect(err).toContain(message);
    expect(err.split("\n")).toHaveLength(1);
  });
});

describe("gatewright jobs retry", () => {
  it("lets one job begin again", async () => {
    const { out, code } = await gatewright("jobs", "retry", "outbox-2b");
    expect({ out, code }).toEqual({ out: "1 job begins again", code: 0 });
    expect((await queue.list("waiting", 10)).map(({ id }) => id)).toEqual(["outbox-2b"]);
  });

  it("lets all failed jobs begin again", async () => {
    expect((await gatewright("jobs", "retry", "--all")).out).toBe("2 jobs begin again");
    expect(await queue.count("waiting")).toBe(3);
  });

  it.each([
    ["there is no job of this id", ["outbox-9z"]],
    ["has not failed", ["outbox-2b"]],
    ["give either a job's id or --all", []],
    ["give either a job's id or --all", ["outbox-2b", "--all"]],
  ])("refuses: %s", async (message, args) => {
    const { err, code } = await gatewright("jobs", "retry", ...args);
    expect(code).toBe(1);
    expect(err).toContain(message);
  });
});
