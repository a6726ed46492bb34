/**
 * The queue: BullMQ on Redis where REDIS_URL is set, on the database itself otherwise. This file alone knows which.
 * It is loaded by workers and by `gatewright jobs`; API processes write outbox rows and need none of it.
 */
import {
  type BackendFactory,
  type ConnectionOptions,
  createPostgresBackend,
  createRedisBackend,
  type IQueueBackend,
  SchemaMigrationRequiredError,
} from "bullmq";
import pg from "pg";
import type { Config } from "../config.ts";
import { ConfigError } from "../lib/config-error.ts";
import type { Logger } from "../lib/log.ts";
import { type QueueName, queueNames } from "./contracts.ts";
import { failureReason } from "./job-error.ts";
import { openQueueWith, type QueueHandle } from "./queue-handle.ts";
import { QUEUE_SCHEMA } from "./queue-schema.ts";
import { type JobProcessor, openWorkerWith, type WorkerHandle } from "./worker-handle.ts";

export { QUEUE_SCHEMA } from "./queue-schema.ts";

export interface QueueBackend {
  /** @throws ConfigError when the queue's server does not answer within 10 s. */
  openQueue(name: QueueName): Promise<QueueHandle>;
  openWorker(name: QueueName, process: JobProcessor, options: { concurrency: number }): WorkerHandle;
  /** Closes the queues. Workers are stopped by their own handles, before. */
  close(): Promise<void>;
}

const READY_DEADLINE_MS = 10_000;

export function createQueueBackend(
  config: Pick<Config, "databaseUrl" | "redisUrl">,
  log: Logger,
): QueueBackend {
  const { redisUrl } = config;
  if (redisUrl) {
    return createBackend(
      createRedisBackend,
      {
        variable: "REDIS_URL",
        connectionOf: (role) => redisConnection(redisUrl, role),
        close: async () => {},
      },
      log,
    );
  }
  // One pool for all queues and one for all workers: one for each of them, as BullMQ opens them by itself, would be a
  // hundred connections a process.
  const pools = {
    queue: openPool(config.databaseUrl, "queue"),
    worker: openPool(config.databaseUrl, "worker"),
  };
  return createBackend(
    createPostgresBackend,
    {
      variable: "DATABASE_URL",
      connectionOf: (role) => pools[role],
      close: async () => void (await Promise.all(Object.values(pools).map(closePool))),
    },
    log,
  );
}

type Role = "queue" | "worker";

/** Where a queue is kept. */
interface Store<Connection> {
  /** The variable that names it, for the operator. */
  readonly variable: string;
  connectionOf(role: Role): Connection;
  /** Closes what the queues and workers shared. */
  close(): Promise<void>;
}

function createBackend<Backend extends IQueueBackend, Connection>(
  factory: BackendFactory<Backend, Connection>,
  store: Store<Connection>,
  log: Logger,
): QueueBackend {
  const queues = new Map<QueueName, QueueHandle>();
  return {
    async openQueue(name) {
      const existing = queues.get(name);
      if (existing) return existing;
      const queue = openQueueWith(factory, name, store.connectionOf("queue"), log);
      await untilReady(queue, store.variable);
      queues.set(name, queue);
      return queue;
    },
    openWorker: (name, process, options) =>
      openWorkerWith(factory, name, process, store.connectionOf("worker"), options, log),
    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      queues.clear();
      await store.close();
    },
  };
}

async function untilReady(queue: QueueHandle & { ready(): Promise<void> }, variable: string): Promise<void> {
  const deadline = Promise.withResolvers<never>();
  const timer = setTimeout(() => deadline.reject(new Error("no answer")), READY_DEADLINE_MS);
  try {
    await Promise.race([queue.ready(), deadline.promise]);
  } catch (error) {
    // Closing waits for a connection that may never come.
    void queue.close().catch(() => {});
    throw new ConfigError([
      error instanceof SchemaMigrationRequiredError
        ? "The queue's tables are missing: run `gatewright migrate` first."
        : `${variable}: the queue cannot be used there (${failureReason(error)}). Check that the server runs.`,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Connections of each pool, opened when they are needed. A statement of the queue takes a few milliseconds at most, so few
 * serve all; each worker keeps one more to listen on.
 */
const POOL_SIZE: Record<Role, number> = { queue: 2, worker: queueNames.length + 4 };

function openPool(connectionString: string, role: Role): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    options: `-c search_path=${QUEUE_SCHEMA}`,
    max: POOL_SIZE[role],
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 60_000,
    statement_timeout: 30_000,
    keepAlive: true,
    application_name: `gatewright ${role}`,
  });
  // Every queue and every worker listens to the errors of the pool and of its connections.
  pool.setMaxListeners(0);
  pool.on("connect", (client) => client.setMaxListeners(0));
  return pool;
}

/** A worker that had to leave a job may hold its connection still: the process does not wait for it. */
const CLOSE_DEADLINE_MS = 2000;

async function closePool(pool: pg.Pool): Promise<void> {
  const deadline = Promise.withResolvers<void>();
  const timer = setTimeout(deadline.resolve, CLOSE_DEADLINE_MS);
  await Promise.race([pool.end(), deadline.promise]);
  clearTimeout(timer);
}

function redisConnection(url: string, role: Role): ConnectionOptions {
  return {
    url,
    connectTimeout: 10_000,
    retryStrategy: (attempt: number) => Math.min(50 * 2 ** attempt, 3000),
    // A worker waits for Redis as long as it takes. Whoever adds jobs holds a database transaction open meanwhile,
    // so that fails early and is tried again.
    maxRetriesPerRequest: role === "worker" ? null : 1,
  };
}
