/** Runs of tasks: how they come to be, how they are done once, and what becomes of those whose worker dies. */
import type { Executor } from "../../../db/client.ts";
import type { Deps } from "../../../deps.ts";
import { addSeconds } from "../../../lib/clock.ts";
import { newId } from "../../../lib/ids.ts";
import type { PageRequest, PageResult } from "../../../lib/page.ts";
import { failureReason } from "../../../queue/job-error.ts";
import { enqueue } from "../../../queue/outbox.ts";
import type { TaskKind } from "../kind.ts";
import * as repo from "./repo.ts";

export type { RunKey, TaskKey, TaskRun } from "./repo.ts";
export { claim, findNewest, findRun } from "./repo.ts";

/**
 * A worker that lives says so every 15 s. One that does not for a minute counts as killed, and its run is begun again with
 * the next look at what is due: not sooner, since a worker that merely stutters would have it done twice at once.
 */
export const LEASE_SECONDS = 60;
const HEARTBEAT_MS = 15_000;
/** After so long a run that nobody began is put on the queue once more; its job may have been lost with the queue. */
const WAIT_SECONDS = 600;
/** After a failure: before the second attempt, and before the third. There is no fourth. */
const RETRY_SECONDS = [60, 300];
const MOST_ATTEMPTS = RETRY_SECONDS.length + 1;

/**
 * Puts a run on the queue, in the caller's transaction.
 * @returns undefined when the task has one that waits or runs already
 */
export async function startRun(
  tx: Executor,
  task: repo.TaskKey,
  run: Pick<repo.TaskRun, "trigger" | "dueAt"> & { attempt?: number },
  now: Date,
): Promise<repo.TaskRun | undefined> {
  const { tenantId, id: taskId } = task;
  const row = { attempt: 1, ...run, tenantId, taskId, id: newId("taskRun"), createdAt: now };
  const made = await repo.insertQueued(tx, row, WAIT_SECONDS);
  if (made) await enqueueRun(tx, made, now);
  return made;
}

const enqueueRun = (tx: Executor, { tenantId, id }: repo.RunKey, now: Date) =>
  enqueue(tx, { tenantId, queue: "tasks", name: "run", payload: { tenant_id: tenantId, run_id: id }, now });

/** Records moments at which a task was due and nothing was done: because nobody was there to, or because it was paused. */
export async function recordPassed(
  tx: Executor,
  { tenantId, id: taskId }: repo.TaskKey,
  passed: { outcome: "missed" | "skipped"; moments: number; first: Date },
  now: Date,
): Promise<void> {
  await repo.insertEnded(tx, {
    tenantId,
    id: newId("taskRun"),
    taskId,
    trigger: "schedule",
    outcome: passed.outcome,
    dueAt: passed.first,
    finishedAt: now,
    counts: { moments: passed.moments },
    createdAt: now,
  });
}

/** Records that a task's schedule cannot be read (any more). */
export async function recordUnreadable(tx: Executor, task: repo.TaskKey, now: Date): Promise<void> {
  await repo.insertEnded(tx, {
    tenantId: task.tenantId,
    id: newId("taskRun"),
    taskId: task.id,
    trigger: "schedule",
    outcome: "failed",
    dueAt: now,
    finishedAt: now,
    error: "the schedule cannot be read",
    createdAt: now,
  });
}

/**
 * Does what a claimed run is for. What it did and what it says to others (`finish`) are written in one transaction, and
 * only while the run is still this worker's: one that came too late leaves nothing.
 */
export async function performRun(
  deps: Deps,
  run: repo.TaskRun,
  kind: TaskKind,
  parameters: Record<string, unknown>,
): Promise<void> {
  const taken = new AbortController();
  const heart = setInterval(() => void beat(deps, run, taken), HEARTBEAT_MS);
  try {
    const { counts, finish } = await kind.run(deps, {
      tenantId: run.tenantId,
      parameters,
      signal: taken.signal,
    });
    const ended = await deps.db.transaction(async (tx) => {
      const result = { outcome: "succeeded", finishedAt: deps.clock.now(), counts } as const;
      if (!(await repo.end(tx, run, result))) return false;
      await finish?.(tx);
      return true;
    });
    deps.log.info({ task: kind.kind, run: run.id, counts, ended }, "a task has run");
  } catch (err) {
    deps.log.error({ err, task: kind.kind, run: run.id, attempt: run.attempt }, "a task failed");
    const now = deps.clock.now();
    const delay = RETRY_SECONDS[run.attempt - 1];
    await repo.end(deps.db, run, {
      outcome: "failed",
      finishedAt: now,
      error: failureReason(err),
      retryAt: delay === undefined ? null : addSeconds(now, delay),
    });
  } finally {
    clearInterval(heart);
  }
}

/** A beat that fails is no reason to give up: the lease is longer than several of them. */
async function beat(deps: Deps, run: repo.TaskRun, taken: AbortController): Promise<void> {
  try {
    if (!(await repo.renew(deps.db, run, LEASE_SECONDS)))
      taken.abort(new Error("the run was given up for lost"));
  } catch (err) {
    deps.log.warn({ err, run: run.id }, "a run could not say that it goes on");
  }
}

export interface Recovered {
  /** Runs whose worker died. */
  readonly lost: number;
  /** Runs that were begun once more. */
  readonly retried: number;
  /** Runs whose job is put on the queue once more. */
  readonly waiting: number;
}

/** Sees to runs that nobody sees to any more. Safe to repeat, and to run twice at once. */
export async function recoverRuns(deps: Deps, now: Date): Promise<Recovered> {
  const lost = await repo.markLost(deps.db, { now, attempts: MOST_ATTEMPTS });
  for (const { id, taskId, attempt } of lost)
    deps.log.warn({ run: id, task: taskId, attempt }, "a run lost its worker");
  const retried = await deps.db.transaction(async (tx) => {
    let count = 0;
    for (const { tenantId, taskId, dueAt, attempt, paused } of await repo.takeRetries(tx, now)) {
      if (paused) continue;
      const again = { trigger: "retry", dueAt, attempt: attempt + 1 } as const;
      // One that began meanwhile does the same work.
      if (await startRun(tx, { tenantId, id: taskId }, again, now)) count++;
    }
    return count;
  });
  const waiting = await deps.db.transaction(async (tx) => {
    const runs = await repo.takeWaiting(tx, WAIT_SECONDS);
    for (const run of runs) await enqueueRun(tx, run, now);
    return runs.length;
  });
  return { lost: lost.length, retried, waiting };
}

/** A task's runs, the newest first or last. */
export function listRuns(
  deps: Deps,
  task: repo.TaskKey,
  page: PageRequest<"created_at">,
): Promise<PageResult<repo.TaskRun>> {
  return repo.listRuns(deps.db, task, page);
}
