import { describe, expect, it } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { claimPort } from "../../src/cli/port.ts";
import { runCommandLine, spawnCommand } from "../support/command-line.ts";
import { isAlive, scratchDirectory, until } from "../support/scratch.ts";

/** A running `gatewright start` on its own data directory and port. */
async function start(dataDir: string, port: number, env: Record<string, string> = {}) {
  const settings = { GATEWRIGHT_DATA_DIR: dataDir, PORT: String(port), ...env };
  const child = spawnCommand(["start"], settings);
  let output = "";
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) output += decoder.decode(chunk, { stream: true });
  };
  void collect(child.stdout);
  void collect(child.stderr);
  await until(
    "ready",
    () => {
      if (child.exitCode !== null) throw new Error(`start ended with ${child.exitCode}:\n${output}`);
      return output.includes("Gatewright is ready");
    },
    60_000,
  );
  const url = `http://127.0.0.1:${port}`;
  return {
    child,
    url,
    settings,
    output: () => output,
    isReady: () =>
      fetch(`${url}/readyz`).then(
        (answer) => answer.ok,
        () => false,
      ),
    databasePid: () =>
      Number(readFileSync(join(dataDir, "postgres", "cluster", "postmaster.pid"), "utf8").split("\n")[0]),
  };
}

/** The process ids of the children of `pid` that run the command `name`. */
function childrenOf(pid: number, name: string): number[] {
  const { stdout } = Bun.spawnSync(["ps", "-eo", "pid=,ppid=,args="]);
  return stdout
    .toString()
    .split("\n")
    .flatMap((line) => {
      const [, child = "", parent = "", args = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
      return Number(parent) === pid && args.endsWith(`cli.ts ${name}`) ? [Number(child)] : [];
    });
}

describe("start: from nothing", () => {
  it("runs everything, survives kills, works beside other commands, stops on Ctrl-C, and recovers", async () => {
    using scratch = scratchDirectory();
    const dataDir = join(scratch.path, "data");
    const port = await claimPort("127.0.0.1", 0);

    const first = await start(dataDir, port);
    expect(first.output()).toContain("One-time password");
    for (const path of [
      "/account",
      "/docs",
      "/dev/mailbox",
      "/.well-known/openid-configuration",
      "/healthz",
    ]) {
      expect(first.output()).toContain(path);
    }
    expect(await first.isReady()).toBe(true);
    expect(statSync(join(dataDir, "secrets.json")).mode & 0o777).toBe(0o600);
    expect(statSync(join(dataDir, "running.json")).mode & 0o777).toBe(0o600);

    // a command in a second shell, and a second start
    const beside = await runCommandLine(["migrate"], { GATEWRIGHT_DATA_DIR: dataDir });
    expect(beside).toEqual({ code: 0, stdout: "the database is up to date\n", stderr: "" });
    const second = await runCommandLine(["start"], { ...first.settings, PORT: "0" });
    expect(second.stderr).toBe(
      `gatewright: ${dataDir} is in use by process ${first.child.pid}: stop it (kill ${first.child.pid}), or set GATEWRIGHT_DATA_DIR to another directory\n`,
    );
    expect(second.code).toBe(1);

    // each part killed comes back
    for (const name of ["api", "worker"]) {
      const [killed = 0] = childrenOf(first.child.pid, name);
      expect(killed).toBeGreaterThan(0);
      process.kill(killed, "SIGKILL");
      await until(`the ${name} is back`, () => first.output().includes(`the ${name} is back`));
      expect(childrenOf(first.child.pid, name)).toHaveLength(1);
    }
    const databasePid = first.databasePid();
    process.kill(databasePid, "SIGKILL");
    await until("PostgreSQL is back", () => first.output().includes("PostgreSQL is back"));
    await until("readiness", first.isReady);

    // the supervisor killed: its services end by themselves, and the next start takes over
    const services = [...childrenOf(first.child.pid, "api"), ...childrenOf(first.child.pid, "worker")];
    expect(services).toHaveLength(2);
    first.child.kill("SIGKILL");
    await first.child.exited;
    await until("the services to end", () => services.every((pid) => !isAlive(pid)));
    expect((await runCommandLine(["migrate"], { GATEWRIGHT_DATA_DIR: dataDir })).stderr).toContain(
      "nothing is running",
    );
    const again = await start(dataDir, port);
    expect(again.output()).toContain("stopped a PostgreSQL that an earlier run left behind");
    expect(again.output()).not.toContain("One-time password");
    expect(await again.isReady()).toBe(true);

    // Ctrl-C
    const remaining = [
      again.databasePid(),
      ...childrenOf(again.child.pid, "api"),
      ...childrenOf(again.child.pid, "worker"),
    ];
    expect(remaining).toHaveLength(3);
    again.child.kill("SIGINT");
    expect(await again.child.exited).toBe(0);
    expect(remaining.filter(isAlive)).toEqual([]);
    expect(existsSync(join(dataDir, "running.json"))).toBe(false);
    expect(existsSync(join(dataDir, "postgres", "cluster", "postmaster.pid"))).toBe(false);
    await until("the last line", () => again.output().endsWith("Gatewright has stopped.\n"));
  }, 120_000);

  it("is ready again within seconds, with two API processes, and stops on SIGTERM", async () => {
    using scratch = scratchDirectory();
    const dataDir = join(scratch.path, "data");
    const port = await claimPort("127.0.0.1", 0);
    const made = await start(dataDir, port);
    made.child.kill("SIGTERM");
    expect(await made.child.exited).toBe(0);

    const startedAt = performance.now();
    const { child } = await start(dataDir, port, { WEB_CONCURRENCY: "2" });
    const elapsedMs = performance.now() - startedAt;
    expect(childrenOf(child.pid, "api")).toHaveLength(2);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect(elapsedMs).toBeLessThan(5000);
  }, 120_000);
});
