/** One run of the PostgreSQL server process, from start to exit. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../lib/config-error.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { PROGRAM_ENVIRONMENT } from "./cluster.ts";

export interface Postmaster {
  readonly pid: number;
  /** Resolves when the process has ended, for whatever reason. */
  readonly exited: Promise<void>;
  /** Ends every session and stops, having written everything: PostgreSQL's fast shutdown. */
  stop(): Promise<void>;
  /** Ends at once: PostgreSQL's immediate shutdown, from which the next start recovers. */
  kill(): void;
}

export interface PostmasterOptions {
  readonly binaries: Binaries;
  readonly account: Account;
  readonly cluster: string;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly logFile: string;
}

const POLL_MS = 5;
/** After a crash PostgreSQL first replays its log, which may take minutes. */
const READY_DEADLINE_MS = 300_000;
/** How long an empty pid file may be one that is just being written. */
const WRITING_DEADLINE_MS = 1000;
const STOP_DEADLINE_MS = 20_000;

/** PostgreSQL could not start; `log` is what it said about it. */
export class PostmasterError extends Error {
  override readonly name = "PostmasterError";

  constructor(readonly log: string) {
    super(`PostgreSQL did not start: ${fatalLine(log)}`);
  }
}

/** @throws PostmasterError when it ends before it accepts connections. */
export async function startPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  const logStart = statSync(options.logFile, { throwIfNoEntry: false })?.size ?? 0;
  const child = spawnPostmaster(options);
  let running = true;
  const exited = new Promise<void>((resolve) => {
    const ended = () => {
      running = false;
      resolve();
    };
    child.once("exit", ended);
    child.once("error", ended);
  });
  const deadline = Date.now() + READY_DEADLINE_MS;
  while (running && !isReady(options.cluster, child.pid)) {
    if (Date.now() > deadline) child.kill("SIGQUIT");
    await Bun.sleep(POLL_MS);
  }
  const { pid } = child;
  if (!running || !pid) {
    throw new PostmasterError(readFileSync(options.logFile).subarray(logStart).toString("utf8"));
  }
  return {
    pid,
    exited,
    stop: () => stopProcess(pid, () => running),
    kill: () => signalProcess(pid, "SIGQUIT"),
  };
}

/** In a session of its own: Ctrl-C reaches the whole foreground group, and the database is to stop last. */
function spawnPostmaster({
  binaries,
  account,
  cluster,
  port,
  settings,
  logFile,
}: PostmasterOptions): ChildProcess {
  const parameters = { ...DEFAULTS, ...settings, port: String(port) };
  const args = Object.entries(parameters).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const log = openSync(logFile, "a", 0o600);
  try {
    return spawn(binaries.postgres, ["-D", cluster, ...args], {
      ...account,
      cwd: cluster,
      env: PROGRAM_ENVIRONMENT,
      detached: true,
      stdio: ["ignore", log, log],
    });
  } finally {
    closeSync(log);
  }
}

/** Small when idle; everything that keeps data safe stays at PostgreSQL's own defaults. */
const DEFAULTS: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "100",
  shared_buffers: "64MB",
  // input and output by the sessions themselves: three processes fewer than io_method = worker
  io_method: "sync",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
};

/** The status line that PostgreSQL keeps in its pid file (line 8) for pg_ctl. */
function isReady(cluster: string, pid: number | undefined): boolean {
  const lines = pidFile(cluster);
  return Number(lines[0]) === pid && lines[7]?.trim() === "ready";
}

function pidFile(cluster: string): string[] {
  try {
    return readFileSync(join(cluster, "postmaster.pid"), "utf8").split("\n");
  } catch {
    return [];
  }
}

/**
 * Stops a server that an earlier supervisor left behind when it was killed, and removes a pid file at which PostgreSQL
 * would refuse to start: one that a crash left empty, or whose number is another program's by now. The caller holds
 * the directory's lock.
 *
 * @returns the process id of the server that was stopped
 * @throws ConfigError when it does not stop
 */
export async function clearLeftovers(cluster: string): Promise<number | undefined> {
  const file = join(cluster, "postmaster.pid");
  const deadline = Date.now() + WRITING_DEADLINE_MS;
  while (existsSync(file) && pidFile(cluster).length < 2 && Date.now() < deadline) await Bun.sleep(POLL_MS);
  const pid = Number(pidFile(cluster)[0]);
  // the usual case: PostgreSQL itself replaces the file of a dead server, after making sure that its sessions are gone
  if (pid > 1 && !isAlive(pid)) return undefined;
  const serves = pid > 1 && servesCluster(pid, cluster);
  if (serves) await stopProcess(pid, () => isAlive(pid) && servesCluster(pid, cluster));
  if (existsSync(file)) {
    await untilDeserted(cluster);
    rmSync(file, { force: true });
  }
  return serves ? pid : undefined;
}

/**
 * Waits for the sessions of a killed server, which end by themselves: a second server beside them would ruin the data.
 * PostgreSQL sees to that too, by what its pid file says, but not when that is about to be removed.
 */
async function untilDeserted(cluster: string): Promise<void> {
  const deadline = Date.now() + STOP_DEADLINE_MS;
  while (processIds().some((pid) => worksIn(pid, cluster))) {
    if (Date.now() > deadline) {
      throw new ConfigError([
        `processes of a killed PostgreSQL still work in ${cluster}: end them, then start again`,
      ]);
    }
    await Bun.sleep(POLL_MS);
  }
}

/** None on a system without /proc. */
function processIds(): number[] {
  return existsSync("/proc")
    ? readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))
    : [];
}

function worksIn(pid: number, directory: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(directory);
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** PostgreSQL works inside its cluster's directory, and is told it by -D. */
function servesCluster(pid: number, cluster: string): boolean {
  if (existsSync("/proc")) return worksIn(pid, cluster);
  const found = spawnSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" });
  return found.status === 0 && found.stdout.includes(`-D ${cluster}`);
}

/** Fast shutdown, then immediate shutdown (the next start recovers from the log), then an error. */
async function stopProcess(pid: number, isRunning: () => boolean): Promise<void> {
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    const deadline = Date.now() + STOP_DEADLINE_MS;
    while (isRunning() && Date.now() < deadline) {
      if (deadline - Date.now() > STOP_DEADLINE_MS - POLL_MS) signalProcess(pid, signal);
      await Bun.sleep(POLL_MS);
    }
    if (!isRunning()) return;
  }
  throw new ConfigError([`PostgreSQL (process ${pid}) does not stop: end that process, then start again`]);
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has just ended, or is another user's: the deadline decides
  }
}

function fatalLine(log: string): string {
  const lines = log.trim().split("\n");
  return (
    lines.findLast((line) => /FATAL|PANIC|error while loading/.test(line)) ??
    lines.at(-1) ??
    "it said nothing"
  );
}
