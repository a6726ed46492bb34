/** What is to be done at fixed times. Every worker process says the same at its start; the queue keeps one of each. */
import { type JobName, type JobPayload, type QueueName } from "../src/queue/contracts.ts";
import type { QueueBackend } from "../src/queue/backend.ts";

interface Schedule<Queue extends QueueName, Name extends JobName<Queue>> {
  queue: Queue;
  name: Name;
  /** A cron expression, in UTC. */
  pattern: string;
  payload: JobPayload<Queue, Name>;
}

// Not on the hour, when everybody's schedules run.
const cleanUp: Schedule<"maintenance", "clean_up"> = {
  queue: "maintenance",
  name: "clean_up",
  pattern: "17 * * * *",
  payload: {},
};

const rotateKeys: Schedule<"maintenance", "rotate_keys"> = {
  queue: "maintenance",
  name: "rotate_keys",
  pattern: "43 * * * *",
  payload: {},
};

const eraseDueAccounts: Schedule<"maintenance", "erase_due_accounts"> = {
  queue: "maintenance",
  name: "erase_due_accounts",
  pattern: "29 * * * *",
  payload: {},
};

const retryWebhooks: Schedule<"maintenance", "retry_webhooks"> = {
  queue: "maintenance",
  name: "retry_webhooks",
  pattern: "* * * * *",
  payload: {},
};

const expireReports: Schedule<"maintenance", "expire_reports"> = {
  queue: "maintenance",
  name: "expire_reports",
  pattern: "53 * * * *",
  payload: {},
};

const sealAudit: Schedule<"maintenance", "seal_audit"> = {
  queue: "maintenance",
  name: "seal_audit",
  pattern: "*/3 * * * *",
  payload: {},
};

const dropAuditMonths: Schedule<"maintenance", "drop_audit_months"> = {
  queue: "maintenance",
  name: "drop_audit_months",
  pattern: "37 3 * * *",
  payload: {},
};

const schedules = [
  cleanUp,
  rotateKeys,
  eraseDueAccounts,
  retryWebhooks,
  sealAudit,
  dropAuditMonths,
  expireReports,
];

export async function installSchedules(backend: QueueBackend): Promise<void> {
  for (const { queue, name, pattern, payload } of schedules) {
    const handle = await backend.openQueue(queue);
    await handle.schedule(`${queue}.${name}`, pattern, { name, data: { tenantId: null, payload } });
  }
}
