/** Making the database cluster, once. */
import { spawn } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../lib/config-error.ts";
import { randomSecret } from "../lib/crypto.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";

/** The superuser and the database, by name. */
export const NAME = "gatewright";
const MAJOR = "18";

/** The superuser's password: made before the cluster, so that a cluster never exists without it. */
export function clusterPassword(dataDir: string): string {
  const file = join(dataDir, "password");
  if (!existsSync(file)) {
    writeFileSync(`${file}.new`, randomSecret(), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  return readFileSync(file, "utf8").trim();
}

/**
 * Makes `<directory>/cluster` unless it is there. It is made aside and renamed when whole: one that was interrupted
 * is made anew.
 *
 * @param durable false for a throw-away cluster, which need not survive a crash of the machine
 * @throws ConfigError when the cluster belongs to another major version, Error with initdb's own words
 */
export async function ensureCluster(options: {
  directory: string;
  binaries: Binaries;
  account: Account;
  password: string;
  durable: boolean;
}): Promise<string> {
  const { directory, binaries, account } = options;
  const cluster = join(directory, "cluster");
  if (existsSync(cluster)) {
    const version = readFileSync(join(cluster, "PG_VERSION"), "utf8").trim();
    if (version === MAJOR) return cluster;
    throw new ConfigError([
      `${cluster} was made by PostgreSQL ${version}, and this is PostgreSQL ${MAJOR}: ` +
        "dump it with the old version and restore it here, or set GATEWRIGHT_DATA_DIR to another directory",
    ]);
  }
  const workshop = join(directory, "initializing");
  rmSync(workshop, { recursive: true, force: true });
  mkdirSync(workshop, { mode: 0o700 });
  const unfinished = join(workshop, "cluster");
  const passwordFile = join(workshop, "password");
  writeFileSync(passwordFile, options.password, { mode: 0o600 });
  if (account) for (const path of [workshop, passwordFile]) chownSync(path, account.uid, account.gid);

  await run(
    binaries.initdb,
    [...initdbArguments(unfinished, passwordFile), ...(options.durable ? [] : ["--no-sync"])],
    account,
  );
  const single = ["--single", "-D", unfinished, ...(options.durable ? [] : ["-c", "fsync=off"]), "postgres"];
  await run(binaries.postgres, single, account, `CREATE DATABASE ${NAME}\n`);
  renameSync(unfinished, cluster);
  rmSync(workshop, { recursive: true, force: true });
  return cluster;
}

/** PostgreSQL's own C.UTF-8 sorts the same on every machine, whatever locales are installed there. */
function initdbArguments(cluster: string, passwordFile: string): string[] {
  return [
    `--pgdata=${cluster}`,
    `--username=${NAME}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--data-checksums",
  ];
}

/** PostgreSQL's programs see none of our environment, which holds secrets. */
export const PROGRAM_ENVIRONMENT = { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };

function run(program: string, args: string[], account: Account, input = ""): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...account, cwd: "/", env: PROGRAM_ENVIRONMENT, detached: true });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.stdin.end(input);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(
            `${program} failed (${signal ?? code}): ${output.trim().split("\n").slice(-5).join(" ")}`,
          ),
        );
    });
  });
}
