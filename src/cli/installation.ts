/** `gatewright start`: everything of one machine, started in order and stopped in reverse. */
import { basename, join } from "node:path";
import type { FirstAdministrator } from "../bootstrap.ts";
import { type Config, loadConfig, readEnvironment } from "../config.ts";
import { isPrepared } from "../db/prepared-database.ts";
import { lockDirectory } from "../embedded/directory-lock.ts";
import { createLogger, type Logger } from "../lib/log.ts";
import { projectRoot } from "../lib/project-root.ts";
import { bundleForNextStart } from "./bundling.ts";
import {
  type Environment,
  ensureSecrets,
  makeDataDirectory,
  newMasterKey,
  readRunRecord,
  readSecrets,
  removeRunRecord,
  writeRunRecord,
} from "./data-directory.ts";
import { checkDatabase } from "./database-check.ts";
import { endLeftovers } from "./leftovers.ts";
import { claimPort } from "./port.ts";
import { type ProcessOptions, STOP_DEADLINE_MS, type Supervised, supervise } from "./supervisor.ts";
import { CliError, dataDirectory } from "./support.ts";
import { administratorLines, summary } from "./summary.ts";

const READY_DEADLINE_MS = 60_000;
/** What this process was started with, and what its services are started with: `launch.ts`, or `cli.ts` where no bundle is wanted. */
const ENTRY = Bun.main;

/** What has been started so far, newest last. */
interface Part {
  stop(): Promise<void>;
  kill(): void;
}

/**
 * Runs until SIGINT, SIGTERM or SIGHUP, then stops everything in reverse order and ends the process with 0. A second
 * signal ends it at once, with 130.
 *
 * @throws ConfigError or CliError with what is wrong; whatever was started is stopped before
 */
export async function start(): Promise<void> {
  const parts: Part[] = [];
  const interruption = onInterruption(() => {
    for (const part of parts.toReversed()) part.kill();
    process.exit(130);
  });
  try {
    await startAll(parts, interruption);
    await interruption.first;
  } finally {
    for (const part of parts.toReversed()) await part.stop();
  }
  console.log("Gatewright has stopped.");
  process.exit(0);
}

async function startAll(parts: Part[], interruption: Interruption): Promise<void> {
  const env = readEnvironment();
  const dataDir = dataDirectory(env);
  const checked = loadConfig(provisional(env, dataDir));
  makeDataDirectory(dataDir);
  const lock = lockDirectory(dataDir);
  parts.push({ stop: async () => lock.release(), kill: () => {} });
  await endLeftovers(readRunRecord(dataDir)?.services ?? [], join(projectRoot, "src"), STOP_DEADLINE_MS);
  const port = await claimPort(checked.host, checked.port);
  const log = createLogger({ level: checked.logLevel, name: "start" });

  const generate = checked.env !== "production" && !given(env)["GATEWRIGHT_MASTER_KEY"];
  const settings = {
    ...(generate ? ensureSecrets(dataDir) : {}),
    ...given(env),
    PORT: String(port),
    GATEWRIGHT_DATA_DIR: dataDir,
  };
  const known = Promise.withResolvers<Environment>();
  const services: Supervised[] = [];
  let record = () => {};
  launchEarly(services, checked.webConcurrency, {
    env: settings,
    later: known.promise,
    log,
    onLaunch: () => record(),
  });
  // Those that never began; the others are stopped before the database is.
  const kill = () => services.forEach((service) => service.kill());
  parts.push({ stop: async () => kill(), kill });
  const database = await findDatabase(settings, { dataDir, log, parts, interruption });
  if (interruption.happened) return;
  const environment = { ...settings, DATABASE_URL: database };
  const config = loadConfig(environment);
  const administrator = await prepare(config);

  parts.push({ stop: async () => removeRunRecord(dataDir), kill: () => {} });
  record = () => {
    const { DATABASE_URL, PORT } = environment;
    const address = { DATABASE_URL, PORT, PUBLIC_URL: config.publicUrl };
    const pids = services.flatMap((service) => service.pid() ?? []);
    writeRunRecord(dataDir, {
      pid: process.pid,
      services: pids,
      usesSecretsFile: generate,
      environment: address,
    });
  };
  let ready = false;
  try {
    const begin = () => known.resolve(environment);
    ready = await startServices(services, { env: environment, log, parts, interruption, record, begin });
  } finally {
    // The password is in no other place: it is said even when nothing else came of this start.
    if (!ready)
      for (const [name, value] of administratorLines(administrator)) console.log(`${name}: ${value}`);
  }
  if (!ready) return;
  console.log(summary(config, administrator));
  if (basename(ENTRY) === "launch.ts") bundleForNextStart(log);
}

/** The environment as it will be once secrets and database are there, so that mistakes show before either is made. */
function provisional(env: Environment, dataDir: string): Environment {
  if (env["NODE_ENV"] === "production") return env;
  return {
    DATABASE_URL: "postgres://127.0.0.1/embedded",
    GATEWRIGHT_MASTER_KEY: newMasterKey(),
    ...readSecrets(dataDir),
    ...given(env),
  };
}

function given(env: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value?.trim() ? [[name, value]] : [])),
  );
}

/** @returns the URL of the operator's database, or of the embedded one, started. */
async function findDatabase(
  env: Environment,
  options: { dataDir: string; log: Logger; parts: Part[]; interruption: Interruption },
): Promise<string> {
  const { dataDir, log, parts, interruption } = options;
  if (env["DATABASE_URL"]) {
    await Promise.race([checkDatabase(env["DATABASE_URL"]), interruption.first]);
    return env["DATABASE_URL"];
  }
  const directory = join(dataDir, "postgres");
  const { startEmbeddedPostgres } = await import("../embedded/postgres.ts");
  const postgres = await startEmbeddedPostgres({ dataDir: directory, log });
  parts.push(postgres);
  if (postgres.relocated) {
    console.log(
      `PostgreSQL may not run as root, and its user cannot reach ${directory}: the database is kept in ${postgres.relocated}`,
    );
  }
  return postgres.url;
}

/**
 * The API processes, which load their code while the database is found and prepared, and wait for its address.
 */
function launchEarly(
  services: Supervised[],
  count: number,
  options: Pick<ProcessOptions, "env" | "later" | "log" | "onLaunch">,
): void {
  const command = [process.execPath, ENTRY, "api"] as const;
  for (let index = 0; index < count; index++) services.push(supervise({ name: "api", command, ...options }));
}

/** @returns the first administrator, when this start made them */
async function prepare(config: Config): Promise<FirstAdministrator | undefined> {
  if (await isPrepared(config)) return undefined;
  const [{ migrateDatabase }, { bootstrap }] = await Promise.all([
    import("../db/migrate.ts"),
    import("../bootstrap.ts"),
  ]);
  await migrateDatabase(config);
  return bootstrap(config);
}

/**
 * API and worker depend on the parts before them, not on one another.
 * @returns whether they are ready, which they are not when the start is interrupted before
 */
async function startServices(
  services: Supervised[],
  options: {
    env: Environment;
    log: Logger;
    parts: Part[];
    interruption: Interruption;
    record: () => void;
    /** Lets the API processes begin. */
    begin: () => void;
  },
): Promise<boolean> {
  const { env, log, parts, interruption, record, begin } = options;
  if (interruption.happened) return false;
  begin();
  const command = [process.execPath, ENTRY, "worker"] as const;
  services.push(supervise({ name: "worker", command, env, log, onLaunch: record }));
  record();
  parts.push({
    stop: async () => void (await Promise.all(services.map((service) => service.stop()))),
    kill: () => services.forEach((service) => service.kill()),
  });
  const late = Promise.withResolvers<never>();
  const deadline = setTimeout(
    () =>
      late.reject(new CliError(`not ready after ${READY_DEADLINE_MS / 1000} s: LOG_LEVEL=debug says more`)),
    READY_DEADLINE_MS,
  );
  try {
    await Promise.race([Promise.all(services.map(({ ready }) => ready)), late.promise, interruption.first]);
    return !interruption.happened;
  } finally {
    clearTimeout(deadline);
  }
}

interface Interruption {
  readonly happened: boolean;
  /** Resolves at the first signal. */
  readonly first: Promise<void>;
}

/** @param again called on every signal after the first */
function onInterruption(again: () => void): Interruption {
  const { promise: first, resolve } = Promise.withResolvers<void>();
  const state = { happened: false, first };
  const onSignal = () => {
    if (state.happened) return again();
    state.happened = true;
    resolve();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  return state;
}
