/** The directory that `start` keeps its things in: secrets it generated, and a record of the run for other commands. */
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { ConfigError } from "../lib/config-error.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a command in a second shell needs to work beside a running `start`. */
export interface RunRecord {
  readonly pid: number;
  /** The process ids of its API and worker. */
  readonly services: readonly number[];
  /** Whether its secrets are those of the directory, or came from its own environment. */
  readonly usesSecretsFile: boolean;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Nobody else may list it. Root's is searchable by others, because the embedded PostgreSQL, which may not be root, has
 * to pass through to its own directory; every file in it is closed by its own mode.
 *
 * @throws ConfigError when it cannot be made
 */
export function makeDataDirectory(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true });
    chmodSync(dataDir, process.getuid?.() === 0 ? 0o711 : 0o700);
  } catch (error) {
    throw new ConfigError([
      `GATEWRIGHT_DATA_DIR: ${dataDir} cannot be made (${error instanceof Error ? error.message : "unknown reason"})`,
    ]);
  }
}

const SECRETS = "secrets.json";
const RECORD = "running.json";

/** The variables that were generated for this directory; none when there are none. */
export function readSecrets(dataDir: string): Record<string, string> {
  return readJson(join(dataDir, SECRETS)) ?? {};
}

/** @returns the generated variables, made on first use. For development only: production brings its own. */
export function ensureSecrets(dataDir: string): Record<string, string> {
  const secrets = readSecrets(dataDir);
  if (secrets["GATEWRIGHT_MASTER_KEY"]) return secrets;
  const made = { ...secrets, GATEWRIGHT_MASTER_KEY: newMasterKey() };
  writePrivately(join(dataDir, SECRETS), made);
  return made;
}

export function newMasterKey(): string {
  return `1:${randomBytes(32).toString("base64")}`;
}

export function readRunRecord(dataDir: string): RunRecord | undefined {
  return readJson(join(dataDir, RECORD));
}

export function writeRunRecord(dataDir: string, record: RunRecord): void {
  writePrivately(join(dataDir, RECORD), record);
}

export function removeRunRecord(dataDir: string): void {
  rmSync(join(dataDir, RECORD), { force: true });
}

function readJson<T>(file: string): T | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new ConfigError([
      `${file} cannot be read (${error instanceof Error ? error.message : "unknown reason"})`,
    ]);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigError([`${file} is not JSON: restore it from a backup`]);
  }
}

/** Whole or not at all: written aside, then renamed. */
function writePrivately(file: string, content: unknown): void {
  rmSync(`${file}.new`, { force: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
}
