import { describe, expect, it } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import {
  ensureSecrets,
  makeDataDirectory,
  readSecrets,
  writeRunRecord,
} from "../../src/cli/data-directory.ts";
import { CliError, valuesOf, withDatabaseEnvironment } from "../../src/cli/support.ts";
import { lockDirectory } from "../../src/embedded/directory-lock.ts";
import { ConfigError } from "../../src/lib/config-error.ts";
import { scratchDirectory } from "../support/scratch.ts";

const RUNNING = {
  DATABASE_URL: "postgres://u:p@127.0.0.1:5555/db",
  PORT: "4444",
  PUBLIC_URL: "http://localhost:4444",
};

describe("Commands: finding the database", () => {
  it("is that of the `start` that runs on the data directory, with its secrets and address", async () => {
    using scratch = scratchDirectory();
    ensureSecrets(scratch.path);
    const lock = lockDirectory(scratch.path);
    writeRunRecord(scratch.path, {
      pid: process.pid,
      services: [],
      usesSecretsFile: true,
      environment: RUNNING,
    });
    const config = await withDatabaseEnvironment({ GATEWRIGHT_DATA_DIR: scratch.path });
    lock.release();
    expect(config).toMatchObject({
      databaseUrl: RUNNING.DATABASE_URL,
      port: 4444,
      publicUrl: RUNNING.PUBLIC_URL,
    });
    expect(config.masterKeys[0].key).toHaveLength(32);
  });

  it("is none when that `start` was killed and left its record behind", async () => {
    using scratch = scratchDirectory();
    ensureSecrets(scratch.path);
    lockDirectory(scratch.path).release();
    writeRunRecord(scratch.path, {
      pid: process.pid,
      services: [],
      usesSecretsFile: true,
      environment: RUNNING,
    });
    expect(withDatabaseEnvironment({ GATEWRIGHT_DATA_DIR: scratch.path })).rejects.toThrow(CliError);
  });

  it("is DATABASE_URL when that is set", async () => {
    using scratch = scratchDirectory();
    ensureSecrets(scratch.path);
    const env = { GATEWRIGHT_DATA_DIR: scratch.path, DATABASE_URL: "postgres://other/db" };
    expect((await withDatabaseEnvironment(env)).databaseUrl).toBe("postgres://other/db");
  });

  it("never takes a generated master key for one that `start` was given", async () => {
    using scratch = scratchDirectory();
    ensureSecrets(scratch.path);
    const lock = lockDirectory(scratch.path);
    writeRunRecord(scratch.path, {
      pid: process.pid,
      services: [],
      usesSecretsFile: false,
      environment: RUNNING,
    });
    expect(withDatabaseEnvironment({ GATEWRIGHT_DATA_DIR: scratch.path })).rejects.toThrow(
      /GATEWRIGHT_MASTER_KEY/,
    );
    lock.release();
  });

  it("takes no generated secret in production", async () => {
    using scratch = scratchDirectory();
    ensureSecrets(scratch.path);
    const env = {
      NODE_ENV: "production",
      GATEWRIGHT_DATA_DIR: scratch.path,
      DATABASE_URL: "postgres://other/db",
    };
    expect(withDatabaseEnvironment(env)).rejects.toThrow(/GATEWRIGHT_MASTER_KEY/);
  });
});

describe("Data directory", () => {
  it("keeps one set of secrets, which its owner alone can read", () => {
    using scratch = scratchDirectory();
    const made = ensureSecrets(scratch.path);
    expect(made["GATEWRIGHT_MASTER_KEY"]).toMatch(/^1:[A-Za-z0-9+/]{43}=$/);
    expect(ensureSecrets(scratch.path)).toEqual(made);
    expect(statSync(join(scratch.path, "secrets.json")).mode & 0o777).toBe(0o600);
  });

  it("is closed to others, except that root's may be passed through", () => {
    using scratch = scratchDirectory();
    const directory = join(scratch.path, "deep", "data");
    makeDataDirectory(directory);
    expect(statSync(directory).mode & 0o777).toBe(process.getuid?.() === 0 ? 0o711 : 0o700);
  });

  it("that cannot be made, or holds a broken file, is an error of configuration that names it", async () => {
    using scratch = scratchDirectory();
    const file = join(scratch.path, "secrets.json");
    await Bun.write(file, "{");
    expect(() => makeDataDirectory(join(file, "below"))).toThrow(ConfigError);
    expect(() => readSecrets(scratch.path)).toThrow(`${file} is not JSON`);
  });
});

describe("Options that may be repeated", () => {
  it("give every value in order, in both spellings", () => {
    const rawArgs = ["--uri", "a", "--name", "x", "--uri=b=c", "--uris", "d"];
    expect(valuesOf(rawArgs, "uri")).toEqual(["a", "b=c"]);
  });
});
