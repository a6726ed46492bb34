import type { Deps } from "../../src/deps.ts";
import { scheduleDueTasks } from "../../src/domain/tasks/scheduling.ts";
import type { JobProcessor } from "../../src/queue/worker-handle.ts";
import { createInstallationProcessor } from "../processor.ts";

/** The queue `maintenance`: the look at what is due, apart from the runs themselves, which may take long. */
export function createMaintenanceProcessor(deps: Deps): JobProcessor {
  return createInstallationProcessor(deps, "maintenance", {
    async schedule_tasks() {
      const scheduled = await scheduleDueTasks(deps);
      if (scheduled.started + scheduled.lost + scheduled.retried + scheduled.waiting > 0)
        deps.log.info(scheduled, "tasks are due");
    },
  });
}
