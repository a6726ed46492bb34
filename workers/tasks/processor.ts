/** The queue `tasks`: one job for each run. */
import type { Deps } from "../../src/deps.ts";
import { claimRun, performRun } from "../../src/domain/tasks/running.ts";
import { isId } from "../../src/lib/ids.ts";
import { PermanentJobError } from "../../src/queue/job-error.ts";
import type { JobProcessor } from "../../src/queue/worker-handle.ts";
import { createInstallationProcessor } from "../processor.ts";

/**
 * The run's row says whether it is still to be done, so the job ledger is not asked. A run whose worker was killed is not
 * taken up by its own job, which comes again within seconds and finds the run begun: it is begun anew when its lease is
 * over, as another run with the same work.
 */
export function createTasksProcessor(deps: Deps): JobProcessor {
  return createInstallationProcessor(deps, "tasks", {
    async run({ tenant_id: tenantId, run_id: id }) {
      if (!isId("tenant", tenantId) || !isId("taskRun", id))
        throw new PermanentJobError("the job names no run");
      const claimed = await claimRun(deps, { tenantId, id });
      if (claimed) await performRun(deps, claimed);
    },
  });
}
