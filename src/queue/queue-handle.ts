/** What can be done with a queue from outside of a worker: add, schedule, look, retry. */
import {
  type BackendFactory,
  type DefaultJobOptions,
  type IQueueBackend,
  type Job,
  withBackend,
} from "bullmq";
import type { Logger } from "../lib/log.ts";
import type { JobData, QueueName } from "./contracts.ts";
import { throttledErrorLog } from "./error-log.ts";
import { REDIS_PREFIX } from "./queue-schema.ts";

export const jobStates = ["failed", "waiting", "delayed", "active", "completed"] as const;
export type JobState = (typeof jobStates)[number];

export interface NewJob {
  /** Chosen by the caller: a job whose id the queue still knows is not added again. */
  id: string;
  name: string;
  data: JobData;
}

export interface JobSummary {
  id: string;
  queue: QueueName;
  name: string;
  tenantId: string | null;
  attemptsMade: number;
  createdAt: Date;
  failedReason: string | undefined;
}

export interface QueueHandle {
  readonly name: QueueName;
  add(jobs: readonly NewJob[]): Promise<void>;
  /** Adds a job at every moment that the cron `pattern` names, in UTC. Any number of processes may say the same. */
  schedule(id: string, pattern: string, job: Omit<NewJob, "id">): Promise<void>;
  /** Forgets schedules, with the job that each has waiting. */
  removeSchedulesExcept(ids: readonly string[]): Promise<void>;
  /** Newest first. */
  list(state: JobState, limit: number): Promise<JobSummary[]>;
  count(state: JobState): Promise<number>;
  /** Lets a failed job begin again with all its attempts. */
  retry(jobId: string): Promise<"retried" | "not_failed" | "unknown">;
  /** @returns how many failed jobs began again. */
  retryFailed(): Promise<number>;
  close(): Promise<void>;
}

/** How often a job is tried before it counts as failed. */
export const JOB_ATTEMPTS = 10;

/**
 * Ten attempts over about 25 minutes (3 s, 6 s, 12 s … 13 min, each less up to half at random, so that what failed
 * together is not tried together). Completed jobs are kept for a while only to be looked at and to refuse a known id;
 * the ledger is what remembers. Failed jobs are kept for an operator.
 */
const jobOptions: DefaultJobOptions = {
  attempts: JOB_ATTEMPTS,
  backoff: { type: "exponential", delay: 3000, jitter: 0.5 },
  removeOnComplete: { age: 24 * 60 * 60, count: 500 },
  removeOnFail: { age: 30 * 24 * 60 * 60 },
  stackTraceLimit: 1,
};

const RETRY_BATCH = 100;

export function openQueueWith<Backend extends IQueueBackend, Connection>(
  factory: BackendFactory<Backend, Connection>,
  name: QueueName,
  connection: Connection,
  log: Logger,
): QueueHandle & { ready(): Promise<void> } {
  const { Queue } = withBackend(factory);
  const queue = new Queue<JobData, void>(name, {
    connection,
    prefix: REDIS_PREFIX,
    defaultJobOptions: jobOptions,
    streams: { events: { maxLen: 1000 } },
  });
  queue.on("error", throttledErrorLog(log, { queue: name }));

  return {
    name,
    ready: () => queue.waitUntilReady(),
    async add(jobs) {
      await queue.addBulk(jobs.map((job) => ({ name: job.name, data: job.data, opts: { jobId: job.id } })));
    },
    async schedule(id, pattern, job) {
      await queue.upsertJobScheduler(
        id,
        { pattern, tz: "UTC" },
        { name: job.name, data: job.data, opts: jobOptions },
      );
    },
    async removeSchedulesExcept(ids) {
      for (const { key } of await queue.getJobSchedulers())
        if (!ids.includes(key)) await queue.removeJobScheduler(key);
    },
    async list(state, limit) {
      const jobs = await queue.getJobs([state], 0, limit - 1, false);
      return jobs.map((job) => summaryOf(name, job));
    },
    count: (state) => queue.getJobCountByTypes(state),
    async retry(jobId) {
      const job = await queue.getJob(jobId);
      if (!job) return "unknown";
      if (!(await job.isFailed())) return "not_failed";
      await retryFromStart(job);
      return "retried";
    },
    async retryFailed() {
      let retried = 0;
      for (;;) {
        const jobs = await queue.getJobs(["failed"], 0, RETRY_BATCH - 1);
        for (const job of jobs) await retryFromStart(job);
        retried += jobs.length;
        if (jobs.length < RETRY_BATCH) return retried;
      }
    },
    close: () => queue.close(),
  };
}

async function retryFromStart(job: Job): Promise<void> {
  await job.retry("failed", { resetAttemptsMade: true, resetAttemptsStarted: true });
}

function summaryOf(queue: QueueName, job: Job<JobData, void>): JobSummary {
  return {
    id: job.id ?? "",
    queue,
    name: job.name,
    tenantId: job.data.tenantId,
    attemptsMade: job.attemptsMade,
    createdAt: new Date(job.timestamp),
    failedReason: job.failedReason,
  };
}
