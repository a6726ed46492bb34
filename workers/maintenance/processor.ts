import type { Deps } from "../../src/deps.ts";
import { cleanUp } from "../../src/domain/maintenance/service.ts";
import type { JobProcessor } from "../../src/queue/worker-handle.ts";
import { createInstallationProcessor } from "../processor.ts";

/** The queue `maintenance`. */
export function createMaintenanceProcessor(deps: Deps): JobProcessor {
  return createInstallationProcessor(deps, "maintenance", {
    async clean_up() {
      const removed = await cleanUp(deps);
      deps.log.info({ removed }, "clean-up is done");
    },
  });
}
