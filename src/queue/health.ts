/** What an API process asks about the queue, without the library that runs it. */
import { sql } from "drizzle-orm";
import type { Redis } from "ioredis";
import type { Config } from "../config.ts";
import type { Database } from "../db/client.ts";
import type { Logger } from "../lib/log.ts";
import { type QueueName, queueNames } from "./contracts.ts";
import { throttledErrorLog } from "./error-log.ts";
import { outboxBacklog } from "./outbox.ts";
import { QUEUE_SCHEMA, REDIS_PREFIX } from "./queue-schema.ts";

export interface QueueCounts {
  /** Jobs that wait for the relay, counted up to 100,000. */
  outbox: number;
  /** When the oldest of them was written: an age that grows means that no worker runs. */
  outboxOldest: Date | undefined;
  /** Jobs that ran out of attempts, by queue. */
  failed: Record<QueueName, number>;
}

export interface QueueHealth {
  /** @throws when jobs could not be queued now. Answers within 2 s. */
  check(): Promise<void>;
  counts(): Promise<QueueCounts>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 2000;

export function createQueueHealth(config: Pick<Config, "redisUrl">, db: Database, log: Logger): QueueHealth {
  const redis = config.redisUrl ? connectRedis(config.redisUrl, log) : undefined;
  return {
    check: () => withinDeadline(redis ? redis.then((client) => client.ping()) : checkPostgres(db)),
    async counts() {
      const [backlog, failed] = await Promise.all([
        outboxBacklog(db),
        redis ? redis.then(failedInRedis) : failedInPostgres(db),
      ]);
      return { outbox: backlog.jobs, outboxOldest: backlog.oldest, failed };
    },
    async close() {
      (await redis)?.disconnect();
    },
  };
}

/** The client is loaded where there is a Redis. */
async function connectRedis(url: string, log: Logger): Promise<Redis> {
  const { Redis } = await import("ioredis");
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 1,
  });
  redis.on("error", throttledErrorLog(log, { purpose: "readiness" }));
  return redis;
}

async function checkPostgres(db: Database): Promise<void> {
  const [row] = await db.execute(sql`select to_regclass(${`${QUEUE_SCHEMA}.job`}) is not null as migrated`);
  if (!row?.["migrated"]) throw new Error("the queue's tables are missing: run `gatewright migrate`");
}

async function failedInPostgres(db: Database): Promise<Record<QueueName, number>> {
  const rows = await db.execute<{ queue: string; failed: string }>(sql`
    select queue, count(*) as failed from ${sql.identifier(QUEUE_SCHEMA)}.job
    where state = 'failed' and queue in ${queueNames} group by queue`);
  return countsBy((queue) => Number(rows.find((row) => row.queue === queue)?.failed ?? 0));
}

async function failedInRedis(redis: Redis): Promise<Record<QueueName, number>> {
  const counts = new Map(
    await Promise.all(
      queueNames.map(async (queue) => [queue, await redis.zcard(`${REDIS_PREFIX}:${queue}:failed`)] as const),
    ),
  );
  return countsBy((queue) => counts.get(queue) ?? 0);
}

function countsBy(count: (queue: QueueName) => number): Record<QueueName, number> {
  return {
    email: count("email"),
    sms: count("sms"),
    accounts: count("accounts"),
    scim: count("scim"),
    webhooks: count("webhooks"),
    logout: count("logout"),
    users: count("users"),
    reports: count("reports"),
    maintenance: count("maintenance"),
    tasks: count("tasks"),
  };
}

async function withinDeadline(work: Promise<unknown>): Promise<void> {
  const deadline = Promise.withResolvers<never>();
  const timer = setTimeout(() => deadline.reject(new Error("the queue does not answer")), TIMEOUT_MS);
  try {
    await Promise.race([work, deadline.promise]);
  } finally {
    clearTimeout(timer);
  }
}
