/** gatewright tasks, on a real database. */
import { afterAll, beforeAll, describe, expect, it, setDefaultTimeout } from "bun:test";
import { eq } from "drizzle-orm";
import { auditEvents } from "../../src/db/schema/index.ts";
import { createTenant } from "../../src/domain/tenants/service.ts";
import { runCommandLine } from "../support/command-line.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

interface Shown {
  id: string;
  kind: string;
  scope: string;
  paused: boolean;
  next_run_at: string | null;
  outcome: string;
  trigger: string;
}

// Every command is a process of its own, which takes its time on a machine that has much to do.
setDefaultTimeout(120_000);

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await createTenant(server.deps, { slug: "acme", name: "Acme" });
});
afterAll(() => server.stop());

async function run(...args: string[]) {
  const { code, stdout, stderr } = await runCommandLine(["tasks", ...args], {
    NODE_ENV: "test",
    DATABASE_URL: server.config.databaseUrl,
    PUBLIC_URL: server.url,
    GATEWRIGHT_MASTER_KEY: `1:${Buffer.alloc(32, 7).toString("base64")}`,
  });
  return { code, stdout: stdout.trim(), stderr: stderr.trim() };
}

async function shown(...args: string[]): Promise<Shown[]> {
  const { code, stdout, stderr } = await run(...args);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line): Shown => JSON.parse(line));
}

describe("gatewright tasks", () => {
  it("lists the installation's and a tenant's, as a table or as JSON", async () => {
    const tasks = await shown("list", "--json");
    expect(tasks.filter(({ scope }) => scope === "tenant").map(({ kind }) => kind)).toEqual([
      "dormant_accounts",
    ]);
    expect(tasks.map(({ kind }) => kind)).toContain("key_rotation");
    const { stdout } = await run("list");
    const [header = "", ...lines] = stdout.split("\n");
    expect(header).toMatch(/^ID +KIND +NAME +SCHEDULE +NEXT RUN +LAST OUTCOME$/);
    expect(lines).toHaveLength(tasks.length);

    const ofAcme = await shown("list", "--json", "--tenant", "acme");
    const idOf = (list: Shown[]) => list.find(({ kind }) => kind === "dormant_accounts")?.id;
    expect(idOf(ofAcme)).not.toBe(idOf(tasks));
  });

  it("runs a task now, by its id or a built-in one by its kind, and not twice at once", async () => {
    const [queued] = await shown("run", "key_rotation");
    expect(queued).toMatchObject({ outcome: "queued", trigger: "manual" });
    expect(await shown("runs", "key_rotation")).toMatchObject([{ id: queued?.id }]);
    const again = await run("run", "key_rotation");
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("is running")]);
  });

  it("pauses and resumes a task, which the audit trail tells", async () => {
    const [paused] = await shown("pause", "report_expiry");
    expect(paused).toMatchObject({ paused: true, next_run_at: null });
    expect((await run("list")).stdout).toMatch(/report_expiry .* paused/);
    const [resumed] = await shown("resume", paused?.id ?? "");
    expect(resumed).toMatchObject({ paused: false, next_run_at: expect.any(String) });
    const events = await server.deps.db
      .select({ type: auditEvents.type, actor: auditEvents.actorType })
      .from(auditEvents)
      .where(eq(auditEvents.targetId, paused?.id ?? ""));
    expect(events).toContainEqual({ type: "task.paused", actor: "system" });
    expect(events).toContainEqual({ type: "task.resumed", actor: "system" });
  });

  it("says what is wrong", async () => {
    for (const [args, message] of [
      [["run", "unheard_of"], "no such task"],
      [["pause", "task_x"], "no such task"],
      [["runs", "key_rotation", "--limit", "0"], "--limit"],
      [["list", "--tenant", "nobody"], "no tenant"],
    ] as const) {
      const { code, stderr } = await run(...args);
      expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
    }
  });

  it.each(["", "list", "runs", "run", "pause", "resume"])("%p explains itself", async (name) => {
    const { code, stdout } = await run(...(name === "" ? [] : [name]), "--help");
    expect(code).toBe(0);
    expect(stdout).toContain("tasks");
  });
});
