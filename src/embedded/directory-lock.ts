/**
 * One process a directory. The lock is the kernel's own (SQLite takes it, portably), so it ends with its process
 * however that dies, and cannot go stale as a file that holds a process id can.
 */
import { Database } from "bun:sqlite";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../lib/config-error.ts";

export interface DirectoryLock {
  release(): void;
}

/** Keeps them from the garbage collector, which would close the file and so let go of its lock. */
const held = new Set<Database>();

/** The directory is used by another living process. */
export class DirectoryLockedError extends ConfigError {
  constructor(
    readonly directory: string,
    readonly pid: number | undefined,
  ) {
    super([
      `${directory} is in use by ${pid ? `process ${pid}` : "another process"}: ` +
        `${pid ? `stop it (kill ${pid})` : "stop it"}, or set GATEWRIGHT_DATA_DIR to another directory`,
    ]);
  }
}

/**
 * @param directory an existing directory
 * @throws DirectoryLockedError when another process (or this one, already) holds it
 * @throws ConfigError when the directory cannot be written
 */
export function lockDirectory(directory: string): DirectoryLock {
  let database: Database | undefined;
  try {
    database = new Database(join(directory, "lock"));
    // long enough for a glance by isLocked, too short to be noticed
    database.run("PRAGMA busy_timeout = 100");
    database.run("BEGIN EXCLUSIVE");
    writeFileSync(join(directory, "lock.pid"), `${process.pid}\n`, { mode: 0o644 });
  } catch (error) {
    database?.close();
    if (isBusy(error)) throw new DirectoryLockedError(directory, readPid(join(directory, "lock.pid")));
    throw new ConfigError([
      `${directory} cannot be locked (${error instanceof Error ? error.message : "unknown reason"}): ` +
        "make it writable for this user, or set GATEWRIGHT_DATA_DIR to another directory",
    ]);
  }
  const taken = database;
  held.add(taken);
  return {
    release: () => {
      held.delete(taken);
      taken.close();
    },
  };
}

/** Whether a living process holds the directory's lock now. */
export function isLocked(directory: string): boolean {
  let database: Database | undefined;
  try {
    database = new Database(join(directory, "lock"), { readonly: true });
    database.run("SELECT 1 FROM sqlite_schema");
    return false;
  } catch (error) {
    return isBusy(error);
  } finally {
    database?.close();
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "SQLITE_BUSY";
}

function readPid(file: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(file, "utf8"), 10) || undefined;
  } catch {
    return undefined;
  }
}
