/** The worker process: relays the outbox, works through the queues, keeps the schedules. */
import type { Config } from "../src/config.ts";
import { createDeps, type Deps } from "../src/deps.ts";
import { scheduleDueTasks } from "../src/domain/tasks/scheduling.ts";
import type { Clock } from "../src/lib/clock.ts";
import type { Logger } from "../src/lib/log.ts";
import { createMailDriver, type MailDriver } from "../src/mail/driver.ts";
import { createQueueBackend, type QueueBackend } from "../src/queue/backend.ts";
import { type QueueName, queueNames } from "../src/queue/contracts.ts";
import type { JobProcessor, WorkerHandle } from "../src/queue/worker-handle.ts";
import { createSmsDriver } from "../src/sms/driver.ts";
import { createAccountsProcessor } from "./accounts/processor.ts";
import { createEmailProcessor } from "./email/processor.ts";
import { createLogoutProcessor } from "./logout/processor.ts";
import { createMaintenanceProcessor } from "./maintenance/processor.ts";
import { type AddJobs, startRelay } from "./relay.ts";
import { createReportsProcessor } from "./reports/processor.ts";
import { createScimProcessor } from "./scim/processor.ts";
import { createSmsProcessor } from "./sms/processor.ts";
import { createTasksProcessor } from "./tasks/processor.ts";
import { createUsersProcessor } from "./users/processor.ts";
import { createWebhooksProcessor } from "./webhooks/processor.ts";
import { installSchedules } from "./schedules.ts";

export interface WorkerOptions {
  clock?: Clock;
  log?: Logger;
  /** How long `stop` waits for running jobs. */
  stopDeadlineMs?: number;
}

/** Below the 10 s that a service manager gives a process before it kills it. */
const STOP_DEADLINE_MS = 8000;

/** Jobs of each queue that one process works on at a time. Mail is mostly waiting for a server. */
const concurrency: Record<QueueName, number> = {
  email: 10,
  sms: 10,
  accounts: 2,
  scim: 5,
  webhooks: 20,
  logout: 10,
  users: 1,
  reports: 1,
  maintenance: 1,
  tasks: 2,
};

/**
 * Resolves when the worker is working.
 * @throws ConfigError when the queue's server does not answer.
 */
export async function startWorker(
  config: Config,
  options: WorkerOptions = {},
): Promise<{ stop(): Promise<void> }> {
  const deps = await createDeps(config, { process: "worker", ...options });
  const backend = createQueueBackend(config, deps.log);
  const mailDriver = config.mail.driver === "mailbox" ? undefined : createMailDriver(config.mail);
  const workers: WorkerHandle[] = [];
  const stopWorkers = () =>
    Promise.all(workers.map((worker) => worker.stop(options.stopDeadlineMs ?? STOP_DEADLINE_MS)));
  try {
    const queues = new Map(
      await Promise.all(queueNames.map(async (name) => [name, await backend.openQueue(name)] as const)),
    );
    const add: AddJobs = async (queue, jobs) => queues.get(queue)?.add(jobs);
    await installSchedules(backend);
    workers.push(...openWorkers(deps, backend, mailDriver));
    const relay = await startRelay(deps.db, add, deps.log);
    await lookAtOnce(deps);
    deps.log.info(
      { queues: queueNames, backend: config.redisUrl ? "redis" : "postgresql" },
      "worker is ready",
    );
    return {
      async stop() {
        await Promise.all([relay.stop(), stopWorkers()]);
        await close(deps, backend, mailDriver);
        deps.log.info("worker has stopped");
      },
    };
  } catch (error) {
    await stopWorkers();
    await close(deps, backend, mailDriver);
    throw error;
  }
}

/** What was missed while no worker ran is caught up now, and not with the next look a minute later. */
async function lookAtOnce(deps: Deps): Promise<void> {
  try {
    await scheduleDueTasks(deps);
  } catch (err) {
    deps.log.error({ err }, "tasks that are due wait for the next look");
  }
}

function openWorkers(deps: Deps, backend: QueueBackend, mailDriver: MailDriver | undefined): WorkerHandle[] {
  const processors: Record<QueueName, JobProcessor> = {
    email: createEmailProcessor(deps, mailDriver),
    sms: createSmsProcessor(deps, createSmsDriver(deps.config.sms)),
    accounts: createAccountsProcessor(deps),
    scim: createScimProcessor(deps),
    webhooks: createWebhooksProcessor(deps),
    logout: createLogoutProcessor(deps),
    users: createUsersProcessor(deps),
    reports: createReportsProcessor(deps),
    maintenance: createMaintenanceProcessor(deps),
    tasks: createTasksProcessor(deps),
  };
  return queueNames.map((name) =>
    backend.openWorker(name, processors[name], { concurrency: concurrency[name] }),
  );
}

async function close(
  deps: Deps & { close(): Promise<void> },
  backend: QueueBackend,
  mailDriver: MailDriver | undefined,
): Promise<void> {
  await backend.close();
  mailDriver?.close();
  await deps.close();
}
