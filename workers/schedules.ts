/** What the queue adds by itself. Every worker process says the same at its start; the queue keeps one of each. */
import type { QueueBackend } from "../src/queue/backend.ts";

/**
 * One look a minute at what is due; the rest is in the database (`domain/tasks/scheduling.ts`). Schedules of former
 * versions, which had one for each task, are removed.
 */
export async function installSchedules(backend: QueueBackend): Promise<void> {
  const maintenance = await backend.openQueue("maintenance");
  const id = "maintenance.schedule_tasks";
  await maintenance.removeSchedulesExcept([id]);
  await maintenance.schedule(id, "* * * * *", {
    name: "schedule_tasks",
    data: { tenantId: null, payload: {} },
  });
}
