import { defineCommand } from "citty";
import { createLogger } from "../lib/log.ts";
import { createQueueBackend } from "../queue/backend.ts";
import { type QueueName, queueNames } from "../queue/contracts.ts";
import { type JobState, jobStates, type JobSummary, type QueueHandle } from "../queue/queue-handle.ts";
import { fail, withDatabaseEnvironment } from "./support.ts";

const queueArgument = {
  type: "string",
  description: `only this queue: ${queueNames.join(" or ")}`,
  valueHint: "name",
} as const;

const list = defineCommand({
  meta: { description: "Lists jobs, newest first: those that failed, unless --state says otherwise" },
  args: {
    queue: queueArgument,
    state: { type: "string", default: "failed", description: jobStates.join(", "), valueHint: "state" },
    limit: {
      type: "string",
      default: "50",
      description: "at most so many of each queue",
      valueHint: "count",
    },
    json: { type: "boolean", description: "print JSON" },
  },
  run: ({ args }) => {
    const state = parseState(args.state);
    const limit = parseLimit(args.limit);
    return withQueues(args.queue, async (queues) => {
      const jobs = (await Promise.all(queues.map((queue) => queue.list(state, limit)))).flat();
      console.log(args.json ? JSON.stringify(jobs.map(toJson), null, 2) : toTable(jobs, state));
    });
  },
});

const retry = defineCommand({
  meta: { description: "Lets failed jobs begin again, with all their attempts" },
  args: {
    id: { type: "positional", required: false, description: "the job's id, as `jobs list` shows it" },
    all: { type: "boolean", description: "every failed job" },
    queue: queueArgument,
  },
  run: ({ args }) => {
    if ((args.id === undefined) === !args.all)
      fail("give either a job's id or --all (gatewright jobs retry --help)");
    return withQueues(args.queue, async (queues) => {
      const retried = args.id === undefined ? await retryAll(queues) : await retryOne(queues, args.id);
      console.log(retried === 1 ? "1 job begins again" : `${retried} jobs begin again`);
    });
  },
});

export default defineCommand({
  meta: { description: "Lists the jobs of the queue, and retries those that failed" },
  subCommands: { list, retry },
});

async function retryAll(queues: readonly QueueHandle[]): Promise<number> {
  let retried = 0;
  for (const queue of queues) retried += await queue.retryFailed();
  return retried;
}

async function retryOne(queues: readonly QueueHandle[], id: string): Promise<number> {
  for (const queue of queues) {
    const outcome = await queue.retry(id);
    if (outcome === "retried") return 1;
    if (outcome === "not_failed") fail(`this job has not failed, so there is nothing to retry`);
  }
  return fail("there is no job of this id (gatewright jobs list)");
}

async function withQueues(
  only: string | undefined,
  work: (queues: readonly QueueHandle[]) => Promise<void>,
): Promise<void> {
  const names = only === undefined ? queueNames : [parseQueue(only)];
  const config = await withDatabaseEnvironment();
  const backend = createQueueBackend(config, createLogger({ level: "error", name: "cli" }));
  try {
    await work(await Promise.all(names.map((name) => backend.openQueue(name))));
  } finally {
    await backend.close();
  }
}

function parseQueue(text: string): QueueName {
  return queueNames.find((name) => name === text) ?? fail(`--queue must be one of: ${queueNames.join(", ")}`);
}

function parseState(text: string): JobState {
  return jobStates.find((state) => state === text) ?? fail(`--state must be one of: ${jobStates.join(", ")}`);
}

function parseLimit(text: string): number {
  const limit = Number(text);
  return Number.isInteger(limit) && limit >= 1 && limit <= 10_000
    ? limit
    : fail("--limit must be a whole number from 1 to 10000");
}

function toJson(job: JobSummary) {
  return {
    id: job.id,
    queue: job.queue,
    name: job.name,
    tenant_id: job.tenantId,
    attempts: job.attemptsMade,
    created_at: job.createdAt.toISOString(),
    failed_reason: job.failedReason ?? null,
  };
}

function toTable(jobs: readonly JobSummary[], state: JobState): string {
  if (jobs.length === 0) return `no ${state} jobs`;
  const rows = jobs.map((job) => [
    job.id,
    `${job.queue}/${job.name}`,
    job.createdAt.toISOString(),
    `${job.attemptsMade}`,
    job.failedReason ?? "",
  ]);
  const header = ["ID", "JOB", "CREATED", "ATTEMPTS", "REASON"];
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
