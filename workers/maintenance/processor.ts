import type { Deps } from "../../src/deps.ts";
import { rotateDueKeys } from "../../src/domain/keys/rotation.ts";
import { eraseDueAccounts } from "../../src/domain/accounts/deletion.ts";
import { dropOldMonths } from "../../src/domain/audit-seals/retention.ts";
import { sealAuditTrails } from "../../src/domain/audit-seals/service.ts";
import { cleanUp } from "../../src/domain/maintenance/service.ts";
import { removeExpiredReports } from "../../src/domain/reports/service.ts";
import { enqueueDueAttempts } from "../../src/domain/webhooks/delivery/service.ts";
import type { JobProcessor } from "../../src/queue/worker-handle.ts";
import { createInstallationProcessor } from "../processor.ts";

/** The queue `maintenance`. */
export function createMaintenanceProcessor(deps: Deps): JobProcessor {
  return createInstallationProcessor(deps, "maintenance", {
    async clean_up() {
      const removed = await cleanUp(deps);
      deps.log.info({ removed }, "clean-up is done");
    },
    async erase_due_accounts() {
      const erased = await eraseDueAccounts(deps);
      if (erased > 0) deps.log.info({ erased }, "accounts were erased");
    },
    async expire_reports() {
      const removed = await removeExpiredReports(deps);
      if (removed > 0) deps.log.info({ removed }, "expired reports were removed");
    },
    async seal_audit() {
      const { batches, events, failed } = await sealAuditTrails(deps);
      if (batches + failed > 0) deps.log.info({ batches, events, failed }, "the audit trail was sealed");
    },
    async drop_audit_months() {
      // What is not sealed cannot be accounted for.
      await sealAuditTrails(deps);
      const { dropped, waiting } = await dropOldMonths(deps);
      if (dropped.length + waiting.length > 0)
        deps.log.info({ dropped, waiting }, "audit months were dropped");
    },
    async retry_webhooks() {
      await enqueueDueAttempts(deps);
    },
    async rotate_keys() {
      const { published, retiring, failed } = await rotateDueKeys(deps);
      if (published + retiring + failed > 0) {
        deps.log.info({ published, retiring, failed }, "signing keys were rotated");
      }
    },
  });
}
