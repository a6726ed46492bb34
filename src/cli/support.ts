/** What every subcommand shares: how it fails, and how it finds the database of this installation. */
import { resolve } from "node:path";
import { type Config, loadConfig, readEnvironment } from "../config.ts";
import { isLocked } from "../embedded/directory-lock.ts";
import { type Environment, readRunRecord, readSecrets } from "./data-directory.ts";

/** Ends a command: the message is shown as it is, without a stack. */
export class CliError extends Error {
  override readonly name = "CliError";
}

/** @param message one line that says what is wrong and how to mend it */
export function fail(message: string): never {
  throw new CliError(message);
}

/** Every value of an option that may be given several times, in order: `--name a --name=b`. */
export function valuesOf(rawArgs: readonly string[], option: string): string[] {
  const flag = `--${option}`;
  return rawArgs.flatMap((argument, index) => {
    if (argument.startsWith(`${flag}=`)) return [argument.slice(flag.length + 1)];
    if (rawArgs[index - 1] === flag) return [argument];
    return [];
  });
}

/**
 * The value of an option that is a number.
 * @throws CliError
 */
export function wholeNumber(
  text: string,
  option: string,
  { minimum, maximum }: { minimum: number; maximum: number },
): number {
  const value = Number(text);
  return Number.isInteger(value) && value >= minimum && value <= maximum
    ? value
    : fail(`--${option} must be a whole number from ${minimum} to ${maximum}`);
}

/** The data directory, absolute. */
export function dataDirectory(env: Environment): string {
  return resolve(env["GATEWRIGHT_DATA_DIR"]?.trim() || ".data");
}

/**
 * The configuration of a command that works on an existing database: that of DATABASE_URL, else the embedded one of a
 * `gatewright start` that runs now on the same data directory, with its address and its secrets.
 *
 * @throws CliError when there is neither, ConfigError when the configuration is wrong
 */
export async function withDatabaseEnvironment(env: Environment = readEnvironment()): Promise<Config> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  if (given["NODE_ENV"] === "production") return loadConfig(given);
  const dataDir = dataDirectory(given);
  if (given["DATABASE_URL"]) return loadConfig({ ...readSecrets(dataDir), ...given });
  const record = isLocked(dataDir) ? readRunRecord(dataDir) : undefined;
  if (!record)
    fail(`nothing is running on ${dataDir}: start it first (gatewright start), or set DATABASE_URL`);
  const secrets = record.usesSecretsFile ? readSecrets(dataDir) : {};
  return loadConfig({ ...secrets, ...record.environment, ...given });
}
