/** What every job goes through: its contract, the ledger, the log. */
import type { Executor } from "../src/db/client.ts";
import type { Deps } from "../src/deps.ts";
import { type Id, isId } from "../src/lib/ids.ts";
import { type JobName, type JobPayload, parsePayload, type QueueName } from "../src/queue/contracts.ts";
import { PermanentJobError } from "../src/queue/job-error.ts";
import { claimJob, completeJob } from "../src/queue/ledger.ts";
import { JOB_ATTEMPTS } from "../src/queue/queue-handle.ts";
import type { DeliveredJob, JobProcessor } from "../src/queue/worker-handle.ts";

/** What a job does outside of our database. It may happen twice, so it must carry the job's id as its identity. */
export type OutsideEffect = () => Promise<void>;

export interface TenantJob<Payload> {
  id: string;
  tenantId: Id<"tenant">;
  payload: Payload;
  /** Whether nobody tries again when this attempt fails. */
  isLastAttempt: boolean;
}

/**
 * Does all that a job does in the database, in one transaction with the ledger, and returns what is left to do
 * outside of it, if anything.
 */
export type TenantJobHandler<Payload> = (
  job: TenantJob<Payload>,
  tx: Executor,
) => Promise<OutsideEffect | undefined>;

/** One handler for each job of a queue. */
export type TenantJobHandlers<Queue extends QueueName> = {
  readonly [Name in JobName<Queue>]: TenantJobHandler<JobPayload<Queue, Name>>;
};

/** Processes a queue of tenants' jobs: each has its effect once, however often it is delivered. */
export function createTenantProcessor<Queue extends QueueName>(
  deps: Deps,
  queue: Queue,
  handlers: TenantJobHandlers<Queue>,
): JobProcessor {
  return logged(deps, queue, async (job) => {
    const { tenantId, payload } = envelopeOf(job.data);
    if (!isId("tenant", tenantId)) throw new PermanentJobError("the job names no tenant");
    const name = jobNameOf(handlers, job.name);
    const parsed = parsePayload(queue, name, payload);
    if (!parsed) throw new PermanentJobError("the payload breaks the job's contract");
    const isLastAttempt = job.attempt >= JOB_ATTEMPTS;
    return runOnce(deps, { id: job.id, tenantId, payload: parsed, isLastAttempt }, handlers[name]);
  });
}

/** One handler for each job of a queue. A handler may be called twice for one job, and must not mind. */
export type InstallationJobHandlers<Queue extends QueueName> = {
  readonly [Name in JobName<Queue>]: (payload: JobPayload<Queue, Name>) => Promise<void>;
};

/** Processes a queue of jobs that concern the whole installation: scheduled ones, which are safe to repeat. */
export function createInstallationProcessor<Queue extends QueueName>(
  deps: Deps,
  queue: Queue,
  handlers: InstallationJobHandlers<Queue>,
): JobProcessor {
  return logged(deps, queue, async (job) => {
    const name = jobNameOf(handlers, job.name);
    const parsed = parsePayload(queue, name, envelopeOf(job.data).payload);
    if (!parsed) throw new PermanentJobError("the payload breaks the job's contract");
    await handlers[name](parsed);
    return "done";
  });
}

type Outcome = "done" | "skipped";

async function runOnce<Payload>(
  deps: Deps,
  job: TenantJob<Payload>,
  handler: TenantJobHandler<Payload>,
): Promise<Outcome> {
  const claim = await deps.db.transaction(async (tx) => {
    if (!(await claimJob(tx, job.tenantId, job.id, deps.clock.now()))) return undefined;
    const outside = await handler(job, tx);
    if (!outside) await completeJob(tx, job.tenantId, job.id, deps.clock.now());
    return { outside };
  });
  if (!claim) return "skipped";
  if (claim.outside) {
    await claim.outside();
    await completeJob(deps.db, job.tenantId, job.id, deps.clock.now());
  }
  return "done";
}

function jobNameOf<Handlers extends object>(handlers: Handlers, name: string): keyof Handlers & string {
  if (!isKeyOf(handlers, name)) throw new PermanentJobError("no such job");
  return name;
}

function isKeyOf<T extends object>(object: T, key: string): key is keyof T & string {
  return Object.hasOwn(object, key);
}

function envelopeOf(data: unknown): { tenantId: unknown; payload: unknown } {
  if (typeof data !== "object" || data === null || !("tenantId" in data) || !("payload" in data)) {
    throw new PermanentJobError("the job's data breaks its contract");
  }
  return data;
}

/** Says what became of each attempt, by ids alone. */
function logged(
  deps: Deps,
  queue: QueueName,
  process: (job: DeliveredJob) => Promise<Outcome>,
): JobProcessor {
  return async (job) => {
    const begun = performance.now();
    const fields = () => ({
      queue,
      job: job.name,
      job_id: job.id,
      attempt: job.attempt,
      duration_ms: Math.round(performance.now() - begun),
    });
    try {
      const outcome = await process(job);
      deps.log.info(fields(), outcome === "done" ? "job done" : "job skipped: it was done before");
    } catch (err) {
      deps.log.warn({ err, ...fields() }, "job failed");
      throw err;
    }
  };
}
