/** The queue `webhooks`: one job for each attempt. What fails is tried again by the delivery's own plan, not by the queue's. */
import type { Deps } from "../../src/deps.ts";
import { attemptDelivery, findAttempt, recordAttempt } from "../../src/domain/webhooks/delivery/service.ts";
import { isId } from "../../src/lib/ids.ts";
import { PermanentJobError } from "../../src/queue/job-error.ts";
import type { JobProcessor } from "../../src/queue/worker-handle.ts";
import { createTenantProcessor } from "../processor.ts";

export function createWebhooksProcessor(deps: Deps): JobProcessor {
  return createTenantProcessor(deps, "webhooks", {
    async deliver({ tenantId, payload: { delivery_id: id, attempt } }, tx) {
      if (!isId("webhookDelivery", id)) throw new PermanentJobError("the job names no delivery");
      const pending = await findAttempt(tx, tenantId, id, attempt);
      if (!pending) return undefined;
      return async () => recordAttempt(deps, pending, await attemptDelivery(deps, pending));
    },
  });
}
