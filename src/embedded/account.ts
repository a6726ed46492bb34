/**
 * The system user that PostgreSQL runs as. It refuses to run as root, so root hands it to `postgres`, as every
 * distribution's own package does.
 */
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { ConfigError } from "../lib/config-error.ts";

/** A user to change to before running a program; undefined means to stay who we are. */
export type Account = { readonly uid: number; readonly gid: number } | undefined;

const USER = "postgres";
const MAKERS = [
  ["groupadd", ["--system", USER]],
  ["useradd", ["--system", "--gid", USER, "--no-create-home", "--shell", "/bin/false", USER]],
  ["addgroup", ["-S", USER]],
  ["adduser", ["-S", "-D", "-H", "-G", USER, USER]],
] as const;

/**
 * @param cluster an existing cluster stays with its owner, so that data made as an ordinary user opens as root too.
 * @throws ConfigError when there is no such user and none can be made.
 */
export function postgresAccount(cluster: string): Account {
  if (process.getuid?.() !== 0) return undefined;
  const owner = statSync(cluster, { throwIfNoEntry: false });
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  if (process.platform !== "linux") {
    throw new ConfigError([
      "the embedded PostgreSQL does not run as root on this system: start as an ordinary user, or set DATABASE_URL",
    ]);
  }
  return findUser() ?? makeUser();
}

function findUser(): Account {
  const uid = spawnSync("id", ["-u", USER], { encoding: "utf8" });
  const gid = spawnSync("id", ["-g", USER], { encoding: "utf8" });
  if (uid.status !== 0 || gid.status !== 0) return undefined;
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

function makeUser(): Account {
  // shadow's tools first, then busybox's; the group may exist already, so only the outcome counts
  for (const [program, args] of MAKERS) {
    if (!findUser()) spawnSync(program, args, { stdio: "ignore" });
  }
  const made = findUser();
  if (made) return made;
  throw new ConfigError([
    `PostgreSQL refuses to run as root, and the user "${USER}" could not be made for it: ` +
      "make that user (useradd --system postgres), start as an ordinary user, or set DATABASE_URL",
  ]);
}
