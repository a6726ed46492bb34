/** The worker's half of imports: what others do to the same import meanwhile. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { like, sql } from "drizzle-orm";
import { userImports, users } from "../../../src/db/schema/index.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { cancelImport, getImport, requestImport } from "../../../src/domain/user-import/service.ts";
import { giveUpImport, runImport } from "../../../src/domain/user-import/working.ts";
import { newId } from "../../../src/lib/ids.ts";
import { eventually } from "../../support/queue.ts";
import { scratchDirectory } from "../../support/scratch.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

const directory = scratchDirectory();
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_DATA_DIR: directory.path } });
});
afterAll(async () => {
  await server.stop();
  directory[Symbol.dispose]();
});

const by = {
  actor: { type: "user", id: newId("user") },
  context: systemContext,
  superAdmin: false,
} as const;

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

let files = 0;
/** An import of so many users, whose names begin with its prefix. */
async function ask(rows: number) {
  const prefix = `f${++files}n`;
  const text = Array.from({ length: rows }, (_, at) =>
    JSON.stringify({ username: `${prefix}${at}`, email: `${prefix}${at}@example.com` }),
  ).join("\n");
  const made = await requestImport(
    server.deps,
    server.tenant.id,
    { format: "ndjson", onConflict: "fail", dryRun: false, firebaseParameters: undefined, file: once(text) },
    by,
  );
  const run = () => runImport(server.deps, server.tenant.id, made.id);
  const now = () => getImport(server.deps, server.tenant.id, made.id);
  const count = () => server.deps.db.$count(users, like(users.username, `${prefix}%`));
  return { id: made.id, run, now, count };
}

describe("an import", () => {
  it("by two workers at once is done once", async () => {
    const { run, now, count } = await ask(1700);
    await Promise.all([run(), run(), run()]);
    expect(await now()).toMatchObject({ status: "done", rowsRead: 1700, created: 1700, failed: 0 });
    expect(await count()).toBe(1700);
  });

  it("that is done stays so, however often its job comes", async () => {
    const { run, now, count, id } = await ask(3);
    await run();
    await run();
    await giveUpImport(server.deps, server.tenant.id, id);
    expect(await now()).toMatchObject({ status: "done", created: 3, failed: 0 });
    expect(await count()).toBe(3);
  });

  it("that is cancelled stops between two batches", async () => {
    const { run, now, count, id } = await ask(5000);
    const { db } = server.deps;
    const waiting = async (backends: number) => {
      const [row] = await db.$client<{ waiting: number }[]>`
        select count(*)::int as waiting from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and backend_type = 'client backend'`;
      return row?.waiting === backends;
    };
    const written = Promise.withResolvers<void>();
    const holding = Promise.withResolvers<void>();
    const held = db.transaction(async (tx) => {
      await tx.execute(sql`lock table users in share mode`);
      holding.resolve();
      await written.promise;
    });
    await holding.promise;
    const working = run();
    await eventually("a batch that waits", () => waiting(1));
    const cancelling = cancelImport(server.deps, server.tenant.id, id, by);
    await eventually("a cancellation that waits for the batch", () => waiting(2));
    written.resolve();
    await Promise.all([held, working, cancelling]);
    // Of the cancellation and the next batch, which wait for the same row, either may be first.
    const created = await count();
    expect(created % 500).toBe(0);
    expect(created).toBeLessThan(5000);
    expect(await now()).toMatchObject({ status: "cancelled", rowsRead: created, created });
  });

  it("that was cancelled before anybody began is not begun", async () => {
    const { run, now, count, id } = await ask(10);
    expect(await cancelImport(server.deps, server.tenant.id, id, by)).toMatchObject({ status: "cancelled" });
    await run();
    expect(await now()).toMatchObject({ status: "cancelled", rowsRead: 0 });
    expect(await count()).toBe(0);
  });

  it("whose file is gone fails, and says so", async () => {
    const { run, now, id } = await ask(10);
    const { openStorage } = await import("../../../src/storage/storage.ts");
    await openStorage(server.config).remove(`user-imports/${server.tenant.id}/${id}`);
    await run();
    expect(await now()).toMatchObject({ status: "failed", problem: expect.stringContaining("not there") });
  });

  it("that nobody can work through is given up after the last attempt, and keeps what it made", async () => {
    const { now, id } = await ask(10);
    await giveUpImport(server.deps, server.tenant.id, id);
    expect(await now()).toMatchObject({ status: "failed", problem: expect.stringContaining("given up") });
  });

  it("lies sealed while it waits", async () => {
    const { id } = await ask(10);
    const path = `${directory.path}/files/user-imports/${server.tenant.id}/${id}`;
    const stored = Buffer.from(await Bun.file(path).arrayBuffer());
    expect(stored.length).toBeGreaterThan(100);
    expect(stored.includes("example.com")).toBe(false);
    await cancelImport(server.deps, server.tenant.id, id, by);
    expect(await Bun.file(path).exists()).toBe(false);
  });

  it("is refused while five of the tenant's are under way", async () => {
    const waiting = await Promise.all(Array.from({ length: 5 }, () => ask(1)));
    await expect(ask(1)).rejects.toMatchObject({ status: 409 });
    for (const { run } of waiting) await run();
    await (await ask(1)).run();
  });

  it("whose sender goes away leaves nothing", async () => {
    const before = await server.deps.db.$count(userImports);
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(100_000, 32);
      throw new Error("the connection is gone");
    }
    const request = {
      format: "ndjson",
      onConflict: "fail",
      dryRun: false,
      firebaseParameters: undefined,
    } as const;
    const asked = requestImport(server.deps, server.tenant.id, { ...request, file: broken() }, by);
    await expect(asked).rejects.toThrow("the connection is gone");
    expect(await server.deps.db.$count(userImports)).toBe(before);
  });

  it("is for people: a key makes none", async () => {
    const request = {
      format: "ndjson",
      onConflict: "fail",
      dryRun: false,
      firebaseParameters: undefined,
    } as const;
    const keyed = { ...by, context: { ...systemContext, apiKeyId: newId("apiKey") } };
    const asked = requestImport(server.deps, server.tenant.id, { ...request, file: once("{}") }, keyed);
    await expect(asked).rejects.toMatchObject({ status: 403 });
  });
});
