/** The queue `reports`. */
import type { Deps } from "../../src/deps.ts";
import { failReport, makeReport } from "../../src/domain/reports/making.ts";
import { isId } from "../../src/lib/ids.ts";
import { PermanentJobError } from "../../src/queue/job-error.ts";
import type { JobProcessor } from "../../src/queue/worker-handle.ts";
import { createTenantProcessor } from "../processor.ts";

/**
 * Outside of the job's transaction, since a report may take minutes: it writes each file anew and whole, so of two that
 * make the same report neither does harm, and one that is killed leaves nothing half-done.
 */
export function createReportsProcessor(deps: Deps): JobProcessor {
  return createTenantProcessor(deps, "reports", {
    async make({ tenantId, payload: { report_id: id }, isLastAttempt }) {
      if (!isId("report", id)) throw new PermanentJobError("the job names no report");
      return async () => {
        try {
          await makeReport(deps, tenantId, id);
        } catch (error) {
          if (isLastAttempt) await failReport(deps, tenantId, id);
          throw error;
        }
      };
    },
  });
}
