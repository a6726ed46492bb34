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

const schedules = [cleanUp];

export async function installSchedules(backend: QueueBackend): Promise<void> {
  for (const { queue, name, pattern, payload } of schedules) {
    const handle = await backend.openQueue(queue);
    await handle.schedule(`${queue}.${name}`, pattern, { name, data: { tenantId: null, payload } });
  }
}
