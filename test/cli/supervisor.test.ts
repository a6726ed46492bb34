import { describe, expect, it } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { restartDelay, supervise } from "../../src/cli/supervisor.ts";
import { createLogger } from "../../src/lib/log.ts";
import { isAlive, scratchDirectory, until } from "../support/scratch.ts";

const log = createLogger({ level: "silent", name: "test" });
const SERVICE = join(import.meta.dir, "..", "..", "src", "cli", "service.ts");

/** Supervises a service that writes down the process id of each of its lives, and what became of it. */
function service(directory: string, stop = "") {
  const diary = join(directory, "diary");
  const script = `
    import { appendFileSync } from "node:fs";
    import { runService } from ${JSON.stringify(SERVICE)};
    const note = (text) => appendFileSync(${JSON.stringify(diary)}, text + "\\n");
    setInterval(() => {}, 1000);
    await runService(async () => {
      note("ready " + process.pid);
      return { stop: async () => { note("stopping"); ${stop} note("stopped " + process.pid); } };
    }, 300);`;
  const entries = () =>
    readFileSync(diary, { encoding: "utf8", flag: "a+" }).trim().split("\n").filter(Boolean);
  const lives = () =>
    entries().flatMap((entry) => (entry.startsWith("ready ") ? [Number(entry.slice(6))] : []));
  return { command: [process.execPath, "-e", script] as const, script, entries, lives };
}

describe("Supervisor: restarts", () => {
  it("wait for nothing first, then longer, at most 5 s", () => {
    expect([0, 1, 2, 3, 4, 5, 6, 20].map(restartDelay)).toEqual([0, 250, 500, 1000, 2000, 4000, 5000, 5000]);
  });

  it("follow a kill", async () => {
    using scratch = scratchDirectory();
    const { command, lives } = service(scratch.path);
    const supervised = supervise({ name: "api", command, env: process.env, log });
    await supervised.ready;
    const [first = 0] = lives();
    process.kill(first, "SIGKILL");
    const second = await until("a second life", () => lives()[1]);
    expect(isAlive(first)).toBe(false);
    await supervised.stop();
    expect(isAlive(second)).toBe(false);
  });

  it("do not follow a process that ends by itself before it was ever ready", async () => {
    const command = [process.execPath, "-e", "process.exit(3)"] as const;
    const supervised = supervise({ name: "api", command, env: process.env, log });
    expect(supervised.ready).rejects.toThrow("the api did not start (exit code 3)");
    await supervised.ready.catch(() => {});
    await supervised.stop();
  });
});

describe("Supervisor: an environment that is not whole yet", () => {
  /** A service that is ready when its environment is whole, and writes down what it was told. */
  function waiting(directory: string) {
    const diary = join(directory, "diary");
    const script = `
      import { appendFileSync } from "node:fs";
      import { completeEnvironment, runService } from ${JSON.stringify(SERVICE)};
      setInterval(() => {}, 1000);
      await runService(async () => {
        const { TOLD, OWN } = await completeEnvironment();
        appendFileSync(${JSON.stringify(diary)}, [process.pid, TOLD, OWN].join(" ") + "\\n");
        return { stop: async () => {} };
      }, 300);`;
    const entries = () =>
      readFileSync(diary, { encoding: "utf8", flag: "a+" }).trim().split("\n").filter(Boolean);
    return { command: [process.execPath, "-e", script] as const, entries };
  }

  it("is waited for, by each life of the process", async () => {
    using scratch = scratchDirectory();
    const { command, entries } = waiting(scratch.path);
    const later = Promise.withResolvers<Record<string, string>>();
    const env = { ...process.env, OWN: "own" };
    const supervised = supervise({ name: "api", command, env, later: later.promise, log });
    expect(entries()).toEqual([]);
    later.resolve({ TOLD: "told" });
    await supervised.ready;
    const first = supervised.pid() ?? 0;
    expect(entries()).toEqual([`${first} told own`]);
    process.kill(first, "SIGKILL");
    const second = await until("a second life", () => entries()[1]);
    expect(second).toBe(`${supervised.pid()} told own`);
    await supervised.stop();
  });

  it("that never comes keeps nothing alive", async () => {
    using scratch = scratchDirectory();
    const { command, entries } = waiting(scratch.path);
    const { promise: later } = Promise.withResolvers<Record<string, string>>();
    const supervised = supervise({ name: "api", command, env: process.env, later, log });
    const pid = supervised.pid() ?? 0;
    await supervised.stop();
    expect(isAlive(pid)).toBe(false);
    expect(entries()).toEqual([]);
  });
});

describe("Supervisor: stop", () => {
  it("lets the service finish, and leaves it stopped", async () => {
    using scratch = scratchDirectory();
    const { command, entries, lives } = service(scratch.path, "await Bun.sleep(100);");
    const supervised = supervise({ name: "api", command, env: process.env, log });
    await supervised.ready;
    const [pid = 0] = lives();
    await supervised.stop();
    expect(entries()).toEqual([`ready ${pid}`, "stopping", `stopped ${pid}`]);
  });

  it("leaves Ctrl-C, which reaches the services too, to the supervisor", async () => {
    using scratch = scratchDirectory();
    const { command, entries, lives } = service(scratch.path);
    const supervised = supervise({ name: "api", command, env: process.env, log });
    await supervised.ready;
    const [pid = 0] = lives();
    process.kill(pid, "SIGINT");
    await supervised.stop();
    expect(entries()).toEqual([`ready ${pid}`, "stopping", `stopped ${pid}`]);
  });
});

describe("Service", () => {
  it("stops in order when its supervisor is killed", async () => {
    using scratch = scratchDirectory();
    const { script, entries, lives } = service(scratch.path);
    const parent = Bun.spawn([
      process.execPath,
      "-e",
      `import { supervise } from ${JSON.stringify(join(import.meta.dir, "../../src/cli/supervisor.ts"))};
       import { createLogger } from ${JSON.stringify(join(import.meta.dir, "../../src/lib/log.ts"))};
       const command = ${JSON.stringify([process.execPath, "-e", script])};
       supervise({ name: "api", command, env: process.env, log: createLogger({ level: "silent", name: "test" }) });`,
    ]);
    const pid = await until("the service", () => lives()[0]);
    parent.kill("SIGKILL");
    await until("the service to end", () => entries().includes(`stopped ${pid}`) && !isAlive(pid));
  });

  it.each(["SIGTERM", "SIGINT"] as const)("by itself ends with 0 on %s", async (signal) => {
    using scratch = scratchDirectory();
    const { command, entries, lives } = service(scratch.path);
    const child = Bun.spawn([...command]);
    const pid = await until("the service", () => lives()[0]);
    child.kill(signal);
    expect(await child.exited).toBe(0);
    expect(entries()).toContain(`stopped ${pid}`);
  });

  it("ends at once on a second signal", async () => {
    using scratch = scratchDirectory();
    const { command, entries, lives } = service(scratch.path, "await new Promise(() => {});");
    const child = Bun.spawn([...command]);
    await until("the service", () => lives()[0]);
    child.kill("SIGTERM");
    await until("the first signal", () => entries().includes("stopping"));
    child.kill("SIGTERM");
    expect(await child.exited).toBe(130);
  });

  it("that does not stop within its deadline ends with 1", async () => {
    using scratch = scratchDirectory();
    const { command, lives } = service(scratch.path, "await new Promise(() => {});");
    const child = Bun.spawn([...command]);
    await until("the service", () => lives()[0]);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(1);
  });
});
