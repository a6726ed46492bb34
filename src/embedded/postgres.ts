/** A real PostgreSQL 18 that the server brings along: made on first use, stopped with its owner, restarted on a crash. */
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Logger } from "../lib/log.ts";
import { postgresAccount } from "./account.ts";
import { installedBinaries } from "./binaries.ts";
import { clusterPassword, ensureCluster, NAME } from "./cluster.ts";
import { lockDirectory } from "./directory-lock.ts";
import { findLocation } from "./location.ts";
import {
  clearLeftovers,
  type Postmaster,
  PostmasterError,
  type PostmasterOptions,
  startPostmaster,
} from "./postmaster.ts";

export interface EmbeddedPostgresOptions {
  /** Absolute. Made when missing; holds the cluster, its password, port and log. */
  readonly dataDir: string;
  readonly log: Logger;
  /** PostgreSQL parameters, by name, over the defaults of `postmaster.ts`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where to run when the unprivileged user cannot reach `dataDir`; tests set it. */
  readonly relocationBases?: readonly string[];
}

export interface EmbeddedPostgres {
  /** Superuser's URL of the database, by TCP on 127.0.0.1. It stays the same through crashes. */
  readonly url: string;
  /** The process id of the server now running. */
  pid(): number;
  /** Stops the server having written everything, and lets go of the directory. */
  stop(): Promise<void>;
  /** Stops at once; the next start recovers from the log. */
  kill(): void;
  /** The directory that really holds the data, when it could not be `dataDir`. */
  readonly relocated?: string;
}

const LOG_LIMIT_BYTES = 8 * 1024 * 1024;
const START_ATTEMPTS_MS = [0, 100, 200, 500, 1000, 2000, 5000];

/**
 * @throws DirectoryLockedError when another process runs it, ConfigError when it cannot run here, PostmasterError
 *   with what PostgreSQL said when it does not start
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, log, settings = {} } = options;
  mkdirSync(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  const lock = lockDirectory(dataDir);
  try {
    const account = postgresAccount(join(dataDir, "cluster"));
    const { directory, binaries, relocated } = findLocation(
      dataDir,
      account,
      installedBinaries(),
      options.relocationBases,
    );
    const password = clusterPassword(dataDir);
    const durable = settings["fsync"] !== "off";
    const cluster = await ensureCluster({ directory, binaries, account, password, durable });
    const orphan = await clearLeftovers(cluster);
    if (orphan) log.warn({ pid: orphan }, "stopped a PostgreSQL that an earlier run left behind");

    const logFile = join(dataDir, "postgres.log");
    turnLog(logFile);
    const port = await choosePort(join(dataDir, "port"));
    const run = { binaries, account, cluster, port, settings, logFile };
    const server = await keepRunning(run, log);
    const url = `postgres://${NAME}:${password}@127.0.0.1:${port}/${NAME}`;
    const stop = () => server.stop().finally(() => lock.release());
    return { url, pid: server.pid, stop, kill: server.kill, relocated: relocated ? directory : undefined };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Starts the server, and again whenever it ends unasked. */
async function keepRunning(run: PostmasterOptions, log: Logger) {
  let stopping = false;
  let current = await startWithRetries(run);
  const watch = async (): Promise<void> => {
    await current.exited;
    if (stopping) return;
    log.error({ pid: current.pid }, "PostgreSQL ended unexpectedly; starting it again");
    await clearLeftovers(run.cluster);
    current = await startWithRetries(run);
    log.info({ pid: current.pid }, "PostgreSQL is back");
    if (stopping) return current.stop();
    return watch();
  };
  const watching = watch().catch((error: unknown) =>
    log.fatal({ err: error }, "PostgreSQL does not start again"),
  );
  return {
    pid: () => current.pid,
    stop: async () => {
      stopping = true;
      await current.stop();
      await watching;
    },
    kill: () => {
      stopping = true;
      current.kill();
    },
  };
}

/**
 * After a kill the sessions outlive their server for a moment and hold its shared memory, and somebody may have taken
 * the port meanwhile; both pass.
 */
async function startWithRetries(run: PostmasterOptions): Promise<Postmaster> {
  for (const delay of START_ATTEMPTS_MS) {
    await Bun.sleep(delay);
    try {
      return await startPostmaster(run);
    } catch (error) {
      const passing =
        error instanceof PostmasterError && /shared memory block|Address already in use/.test(error.log);
      if (!passing || delay === START_ATTEMPTS_MS.at(-1)) throw error;
    }
  }
  throw new Error("unreachable");
}

function turnLog(file: string): void {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMIT_BYTES) renameSync(file, `${file}.1`);
}

/** The port of last time, so that a saved psql connection still works; another one when that is taken. */
async function choosePort(file: string): Promise<number> {
  const last = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  const port = (await tryPort(last)) ?? (await tryPort(0));
  if (!port) throw new Error("no free port on 127.0.0.1");
  if (port !== last) writeFileSync(file, `${port}\n`);
  return port;
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(undefined));
    probe.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" ? address?.port : undefined));
    });
  });
}
