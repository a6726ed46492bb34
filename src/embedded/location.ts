/**
 * Where the embedded PostgreSQL runs. Usually from `node_modules`, with its data where the operator wants it. When it
 * runs as another user, which cannot reach those (root's checkout under a home of mode 700), both go to a directory
 * that it can reach, and a pointer file in the data directory says where.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../lib/config-error.ts";
import type { Account } from "./account.ts";
import { binariesAt, type Binaries } from "./binaries.ts";

export interface Location {
  /** Holds the cluster; the data directory itself unless `relocated`. */
  readonly directory: string;
  readonly binaries: Binaries;
  readonly relocated: boolean;
}

const BASES = ["/var/lib/gatewright", "/var/tmp/gatewright"];
const POINTER = "relocated-to";

/**
 * @param dataDir absolute and existing
 * @param bases directories to try, best first, when `account` cannot reach `dataDir` or the binaries
 * @throws ConfigError when there is no place that works
 */
export function findLocation(
  dataDir: string,
  account: Account,
  installed: Binaries,
  bases: readonly string[] = BASES,
): Location {
  const pointer = join(dataDir, POINTER);
  const moved = existsSync(pointer) ? readFileSync(pointer, "utf8").trim() : undefined;
  if (moved && !existsSync(moved)) {
    throw new ConfigError([
      `the database of ${dataDir} was kept in ${moved}, which is gone: restore it, or delete ${pointer} to begin with an empty database`,
    ]);
  }
  const reachable = canEnter(dataDir, account);
  const runnable = canRun(installed, account);
  if (reachable && runnable && !moved) return { directory: dataDir, binaries: installed, relocated: false };

  const base = account && (moved ? join(moved, "..") : usableBase(bases, account));
  if (!base) throw new ConfigError([unusable(dataDir, installed, reachable)]);
  const binaries = runnable ? installed : copyBinaries(installed, base);
  if (!runnable && !canRun(binaries, account)) throw new ConfigError([unusable(dataDir, installed, true)]);
  if (moved) return { directory: moved, binaries, relocated: true };
  return reachable
    ? { directory: dataDir, binaries, relocated: false }
    : { directory: moveData(dataDir, base, pointer), binaries, relocated: true };
}

function moveData(dataDir: string, base: string, pointer: string): string {
  if (existsSync(join(dataDir, "cluster"))) {
    throw new ConfigError([
      `${dataDir} holds a database that its owner cannot reach: make every directory above it searchable (chmod o+x), or set DATABASE_URL`,
    ]);
  }
  const directory = join(base, createHash("sha256").update(dataDir).digest("hex").slice(0, 16));
  mkdirSync(directory, { recursive: true, mode: 0o711 });
  writeFileSync(pointer, `${directory}\n`);
  return directory;
}

/** Several checkouts share one copy a version. Copied aside and renamed, so that no half copy is ever used. */
function copyBinaries(installed: Binaries, base: string): Binaries {
  const target = join(base, `postgresql-${installed.version}`);
  if (!existsSync(target)) {
    const copy = mkdtempSync(`${target}.`);
    cpSync(installed.root, copy, { recursive: true, verbatimSymlinks: true });
    chmodSync(copy, 0o755);
    try {
      renameSync(copy, target);
    } catch (error) {
      rmSync(copy, { recursive: true, force: true });
      if (!existsSync(target)) throw error;
    }
  }
  return binariesAt(target, installed.version);
}

/** A directory of root's alone, so that no other user could have put programs or data there. */
function usableBase(bases: readonly string[], account: Account): string | undefined {
  return bases.find((base) => {
    try {
      mkdirSync(base, { recursive: true, mode: 0o755 });
      const found = lstatSync(base);
      return (
        found.isDirectory() &&
        found.uid === process.getuid?.() &&
        (found.mode & 0o022) === 0 &&
        canEnter(base, account)
      );
    } catch {
      return false;
    }
  });
}

function canEnter(directory: string, account: Account): boolean {
  return (
    spawnSync("/bin/sh", ["-c", 'cd "$1"', "sh", directory], { ...account, cwd: "/", stdio: "ignore" })
      .status === 0
  );
}

function canRun(binaries: Binaries, account: Account): boolean {
  return spawnSync(binaries.postgres, ["--version"], { ...account, cwd: "/", stdio: "ignore" }).status === 0;
}

function unusable(dataDir: string, installed: Binaries, reachable: boolean): string {
  return reachable
    ? `the embedded PostgreSQL (${installed.postgres}) does not run on this system, as on one with musl instead of glibc: set DATABASE_URL`
    : `the user that runs PostgreSQL can reach neither ${dataDir} nor another directory for it: set GATEWRIGHT_DATA_DIR to one it can, or DATABASE_URL`;
}
