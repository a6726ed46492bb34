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

function servicesOf(pid: number): number[] {
  return [...childrenOf(pid, "api"), ...childrenOf(pid, "worker")];
}

const TIMEOUT_MS = 120_000;

describe("start", () => {
  it(
    "sets up everything from nothing, brings back what is killed, and stops all of it on Ctrl-C",
    async () => {
      using scratch = scratchDirectory();
      const dataDir = join(scratch.path, "data");
      const running = await start(dataDir, await claimPort("127.0.0.1", 0));
      expect(running.output()).toContain("One-time password");
      for (const path of [
        "/account",
        "/docs",
        "/dev/mailbox",
        "/.well-known/openid-configuration",
        "/healthz",
      ]) {
        expect(running.output()).toContain(path);
      }
      expect(await running.isReady()).toBe(true);
      expect(statSync(join(dataDir, "secrets.json")).mode & 0o777).toBe(0o600);
      expect(statSync(join(dataDir, "running.json")).mode & 0o777).toBe(0o600);

      for (const name of ["api", "worker"]) {
        const [killed = 0] = childrenOf(running.child.pid, name);
        expect(killed).toBeGreaterThan(0);
        process.kill(killed, "SIGKILL");
        await until(`the ${name} is back`, () => running.output().includes(`the ${name} is back`));
        expect(childrenOf(running.child.pid, name)).toHaveLength(1);
      }
      process.kill(running.databasePid(), "SIGKILL");
      await until("PostgreSQL is back", () => running.output().includes("PostgreSQL is back"));
      await until("readiness", running.isReady);

      const parts = [running.databasePid(), ...servicesOf(running.child.pid)];
      expect(parts).toHaveLength(3);
      running.child.kill("SIGINT");
      expect(await running.child.exited).toBe(0);
      expect(parts.filter(isAlive)).toEqual([]);
      expect(existsSync(join(dataDir, "running.json"))).toBe(false);
      expect(existsSync(join(dataDir, "postgres", "cluster", "postmaster.pid"))).toBe(false);
      await until("the last line", () => running.output().endsWith("Gatewright has stopped.\n"));
    },
    TIMEOUT_MS,
  );

  it(
    "serves commands in a second shell, but no second start",
    async () => {
      using scratch = scratchDirectory();
      const dataDir = join(scratch.path, "data");
      const running = await start(dataDir, await claimPort("127.0.0.1", 0));
      const beside = await runCommandLine(["migrate"], { GATEWRIGHT_DATA_DIR: dataDir });
      expect(beside).toEqual({ code: 0, stdout: "the database is up to date\n", stderr: "" });
      const second = await runCommandLine(["start"], { GATEWRIGHT_DATA_DIR: dataDir, PORT: "0" });
      expect(second.stderr).toBe(
        `gatewright: ${dataDir} is in use by process ${running.child.pid}: ` +
          `stop it (kill ${running.child.pid}), or set GATEWRIGHT_DATA_DIR to another directory\n`,
      );
      expect(second.code).toBe(1);
      running.child.kill("SIGTERM");
      expect(await running.child.exited).toBe(0);
    },
    TIMEOUT_MS,
  );

  it(
    "takes over after it was itself killed",
    async () => {
      using scratch = scratchDirectory();
      const dataDir = join(scratch.path, "data");
      const port = await claimPort("127.0.0.1", 0);
      const killed = await start(dataDir, port, { WEB_CONCURRENCY: "2" });
      const services = servicesOf(killed.child.pid);
      expect(services).toHaveLength(3);
      killed.child.kill("SIGKILL");
      await killed.child.exited;
      await until("the services to end", () => !services.some(isAlive));
      const beside = await runCommandLine(["migrate"], { GATEWRIGHT_DATA_DIR: dataDir });
      expect(beside.stderr).toContain("nothing is running");

      // Within the time that `start` is given: it does not wait for what the other one left behind.
      const again = await start(dataDir, port);
      expect(again.output()).toContain("stopped a PostgreSQL that an earlier run left behind");
      expect(again.output()).not.toContain("One-time password");
      expect(await again.isReady()).toBe(true);
      again.child.kill("SIGTERM");
      expect(await again.child.exited).toBe(0);
    },
    TIMEOUT_MS,
  );
});
