/** Takes jobs off a queue and has them processed. */
import { type BackendFactory, type IQueueBackend, UnrecoverableError, withBackend } from "bullmq";
import type { Logger } from "../lib/log.ts";
import type { JobData, QueueName } from "./contracts.ts";
import { throttledErrorLog } from "./error-log.ts";
import { failureReason, PermanentJobError } from "./job-error.ts";
import { REDIS_PREFIX } from "./queue-schema.ts";

/** A job as it comes off the queue: nothing about it has been checked yet. */
export interface DeliveredJob {
  id: string;
  name: string;
  data: unknown;
  /** 1 for the first attempt. */
  attempt: number;
}

/** @throws PermanentJobError when trying again cannot help; any other error is tried again with backoff. */
export type JobProcessor = (job: DeliveredJob) => Promise<void>;

export interface WorkerHandle {
  /** Takes no more jobs and waits for the running ones, `deadlineMs` at most; others take over what is left. */
  stop(deadlineMs: number): Promise<void>;
}

/**
 * A worker that lives renews its jobs' locks every 5 s. The locks of one that was killed run out after 10 s, and
 * within two checks of 5 s (one marks, the next takes) the jobs are others': some 15 s in all. Shorter locks would
 * take jobs from workers that merely stutter.
 */
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 5_000;
/**
 * How often a job may lose its worker before it counts as failed. It is not the job's fault when machines go away, so
 * only a job that kills every worker ends here.
 */
const MAX_STALLED = 50;
/** The pause after the queue's server refused a connection. */
const RECONNECT_MS = 1000;

export function openWorkerWith<Backend extends IQueueBackend, Connection>(
  factory: BackendFactory<Backend, Connection>,
  name: QueueName,
  process: JobProcessor,
  connection: Connection,
  options: { concurrency: number },
  log: Logger,
): WorkerHandle {
  const { Worker } = withBackend(factory);
  const running = new Set<Promise<void>>();
  const worker = new Worker<JobData, void>(
    name,
    async (job) => {
      const delivered = { id: job.id ?? "", name: job.name, data: job.data, attempt: job.attemptsMade + 1 };
      const attempt = process(delivered).catch(rethrowForQueue);
      const settled = attempt.catch(() => {}).finally(() => running.delete(settled));
      running.add(settled);
      return attempt;
    },
    {
      connection,
      prefix: REDIS_PREFIX,
      concurrency: options.concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      maxStalledCount: MAX_STALLED,
      runRetryDelay: RECONNECT_MS,
    },
  );
  worker.on("error", throttledErrorLog(log, { queue: name }));
  worker.on("stalled", (jobId) =>
    log.warn({ queue: name, job_id: jobId }, "job lost its worker and is taken over"),
  );

  return {
    async stop(deadlineMs) {
      const deadline = Promise.withResolvers<void>();
      const timer = setTimeout(deadline.resolve, deadlineMs);
      // `close()` alone would wait for ever, and once it waits it cannot be made to stop.
      await worker.pause(true);
      await Promise.race([allSettled(running), deadline.promise]);
      const unfinished = running.size;
      if (unfinished > 0) log.warn({ queue: name, jobs: unfinished }, "jobs are left to another worker");
      await Promise.race([worker.close(unfinished > 0), deadline.promise]);
      clearTimeout(timer);
    },
  };
}

/** A job that was on its way when the worker paused may still join the running ones. */
async function allSettled(running: ReadonlySet<Promise<void>>): Promise<void> {
  while (running.size > 0) await Promise.all(running);
}

/** The queue stores message and stack, so it gets an error of ours instead of the original. */
function rethrowForQueue(error: unknown): never {
  const reason = failureReason(error);
  throw error instanceof PermanentJobError ? new UnrecoverableError(reason) : new Error(reason);
}
