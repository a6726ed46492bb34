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
  type PostgresPoolConfig,
  SchemaMigrationRequiredError,
} from "bullmq";
import type { Config } from "../config.ts";
import { ConfigError } from "../lib/config-error.ts";
import type { Logger } from "../lib/log.ts";
import type { QueueName } from "./contracts.ts";
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
  return config.redisUrl
    ? createBackend(
        createRedisBackend,
        (role) => redisConnection(config.redisUrl ?? "", role),
        "REDIS_URL",
        log,
      )
    : createBackend(
        createPostgresBackend,
        (role) => postgresConnection(config.databaseUrl, role),
        "DATABASE_URL",
        log,
      );
}

type Role = "queue" | "worker";

function createBackend<Backend extends IQueueBackend, Connection>(
  factory: BackendFactory<Backend, Connection>,
  connectionOf: (role: Role) => Connection,
  variable: string,
  log: Logger,
): QueueBackend {
  const queues = new Map<QueueName, QueueHandle>();
  return {
    async openQueue(name) {
      const existing = queues.get(name);
      if (existing) return existing;
      const queue = openQueueWith(factory, name, connectionOf("queue"), log);
      await untilReady(queue, variable);
      queues.set(name, queue);
      return queue;
    },
    openWorker: (name, process, options) =>
      openWorkerWith(factory, name, process, connectionOf("worker"), options, log),
    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      queues.clear();
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

/** A worker completes several jobs at once; a queue only adds and looks. Each also listens on one connection more. */
const POOL_SIZE: Record<Role, number> = { queue: 2, worker: 4 };

function postgresConnection(connectionString: string, role: Role): PostgresPoolConfig {
  return {
    connectionString,
    schema: QUEUE_SCHEMA,
    max: POOL_SIZE[role],
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 60_000,
    statement_timeout: 30_000,
    keepAlive: true,
    application_name: `gatewright ${role}`,
  };
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
