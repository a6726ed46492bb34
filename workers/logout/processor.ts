/** The queue `logout`: back-channel logout requests, one job for each application and session. */
import type { Deps } from "../../src/deps.ts";
import { deliver, findLogoutNotice, recordDelivery } from "../../src/domain/sessions/backchannel-logout.ts";
import { findTenantById } from "../../src/domain/tenants/service.ts";
import { isId } from "../../src/lib/ids.ts";
import { PermanentJobError } from "../../src/queue/job-error.ts";
import type { JobProcessor } from "../../src/queue/worker-handle.ts";
import { createTenantProcessor } from "../processor.ts";

export function createLogoutProcessor(deps: Deps): JobProcessor {
  return createTenantProcessor(deps, "logout", {
    async backchannel_logout(job, tx) {
      const { client_id: clientId, session_id: sessionId, user_id: userId } = job.payload;
      if (!isId("client", clientId) || !isId("session", sessionId) || !isId("user", userId)) return undefined;
      const about = { clientId, sessionId, userId };
      const tenant = await findTenantById(deps, job.tenantId);
      const notice = tenant && (await findLogoutNotice(deps, tx, tenant, about));
      if (!notice) return undefined;
      return async () => {
        const { outcome, reason } = await deliver(deps, notice);
        if (outcome === "delivered" || outcome === "refused" || job.isLastAttempt) {
          const delivered = outcome === "delivered";
          await recordDelivery(deps, job.tenantId, about, { delivered, reason });
        }
        if (outcome === "refused")
          throw new PermanentJobError(`the application refused the logout: ${reason}`);
        if (outcome === "try_again") throw new Error(`the application could not be told: ${reason}`);
      };
    },
  });
}
