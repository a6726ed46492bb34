/** What every service is given: made once from the Config at start, replaced piece by piece in tests. */
import type { Config } from "./config.ts";
import { connectDatabase, closeDatabase, type Database } from "./db/client.ts";
import { createCaches, type Caches } from "./db/caches.ts";
import { createVerifiedTokens, type VerifiedJwts } from "./domain/access-tokens/verified-tokens.ts";
import { createAuditBuffer, type AuditBuffer } from "./domain/audit/buffer.ts";
import { createPasswordHasher, type PasswordHasher } from "./domain/passwords/hasher.ts";
import { createRemoteKeys, type RemoteKeys } from "./domain/remote-documents/remote-keys.ts";
import { type Clock, systemClock } from "./lib/clock.ts";
import { deriveKey } from "./lib/crypto.ts";
import { createCollector } from "./lib/garbage.ts";
import { createLogger, type Logger } from "./lib/log.ts";
import { type PurposeKeys, purposeKeys } from "./lib/master-keys.ts";
import { createPace, type Pace, realTime, unpaced } from "./lib/pace.ts";
import { createDirectories, createOutbound, type Directories, type Outbound } from "./outbound/client.ts";

export interface Deps {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly db: Database;
  readonly caches: Caches;
  readonly passwords: PasswordHasher;
  /** For every request to an address that a tenant or a client supplied. */
  readonly outbound: Outbound;
  /** For every directory that a tenant supplied. */
  readonly directories: Directories;
  /** The keys behind every jwks_uri. */
  readonly remoteKeys: RemoteKeys;
  /** Access tokens whose signature this process has checked. */
  readonly verifiedTokens: VerifiedJwts;
  /** Audit events of requests that write nothing else: batched, at most 50 ms late. */
  readonly auditBuffer: AuditBuffer;
  /** What millions of rows are gone through by, while others sign in. */
  readonly pace: Pace;
  /** Keys derived from the master keys, for one purpose each. */
  readonly secrets: Secrets;
}

export interface Secrets {
  readonly csrf: PurposeKeys;
  readonly interactions: PurposeKeys;
  readonly links: PurposeKeys;
  /** Seals the copies of their data that people ask for. */
  readonly exports: PurposeKeys;
  /** Seals reports and exports of users, which lie in the storage. */
  readonly reports: PurposeKeys;
  readonly userExports: PurposeKeys;
  // Of what lives for minutes, or is only compared with itself, the first master key's will do.
  readonly dpopNonces: Buffer;
  readonly lockouts: Buffer;
  /** What one-time codes are made with. */
  readonly codes: Buffer;
  /** What repeated requests are recognised by. */
  readonly idempotency: Buffer;
}

export interface DepsOptions {
  process: "api" | "worker" | "cli";
  clock?: Clock;
  log?: Logger;
}

/**
 * Connections of each process's pool, so that two API processes and two workers, with those that look things up, listen
 * and keep the queue, fit into the hundred that PostgreSQL lets in by default.
 */
const CONNECTIONS: Record<DepsOptions["process"], number> = { api: 16, worker: 10, cli: 2 };

/** Of the time of one processor, for all that a worker does at length: its own work and what the database does for it. */
const BACKGROUND_SHARE = 1 / 3;
/** So much garbage a worker may have before it is collected. */
const GARBAGE_BYTES = 32 * 1024 * 1024;

const backgroundPace = (): Pace => createPace(BACKGROUND_SHARE, realTime, createCollector(GARBAGE_BYTES));

/** A database that cannot be listened to is closed again: its pool would keep a process alive that failed to start. */
async function listenOrClose({ caches, db, log }: Deps): Promise<() => Promise<void>> {
  try {
    return await caches.listen(db, log);
  } catch (error) {
    await closeDatabase(db);
    throw error;
  }
}

export async function createDeps(
  config: Config,
  options: DepsOptions,
): Promise<Deps & { close(): Promise<void> }> {
  const clock = options.clock ?? systemClock;
  const log = options.log ?? createLogger({ level: config.logLevel, name: options.process });
  const db = connectDatabase(config.databaseUrl, {
    max: CONNECTIONS[options.process],
    applicationName: `gatewright ${options.process}`,
  });
  const { masterKeys } = config;
  const auditBuffer = createAuditBuffer(db, log);
  const caches = createCaches();
  const reach = { allowPrivate: config.outboundAllowPrivate, allowPlain: config.env !== "production" };
  const outbound = createOutbound(reach);
  const deps: Deps = {
    config,
    clock,
    log,
    db,
    caches,
    passwords: createPasswordHasher(undefined, config.masterKeys),
    outbound,
    directories: createDirectories(reach),
    remoteKeys: createRemoteKeys({ outbound, clock }, (jwksUri, err) =>
      log.warn({ err, jwksUri }, "keys could not be fetched"),
    ),
    verifiedTokens: createVerifiedTokens(),
    auditBuffer,
    pace: options.process === "worker" ? backgroundPace() : unpaced,
    secrets: {
      csrf: purposeKeys(masterKeys, "csrf"),
      interactions: purposeKeys(masterKeys, "interactions"),
      links: purposeKeys(masterKeys, "links"),
      exports: purposeKeys(masterKeys, "exports"),
      reports: purposeKeys(masterKeys, "reports"),
      userExports: purposeKeys(masterKeys, "user-exports"),
      dpopNonces: deriveKey(masterKeys[0].key, "dpop-nonces"),
      lockouts: deriveKey(masterKeys[0].key, "lockouts"),
      codes: deriveKey(masterKeys[0].key, "codes"),
      idempotency: deriveKey(masterKeys[0].key, "idempotency"),
    },
  };
  const stopListening = options.process === "cli" ? undefined : await listenOrClose(deps);
  return {
    ...deps,
    async close() {
      await auditBuffer.close();
      await stopListening?.();
      await closeDatabase(db);
    },
  };
}
