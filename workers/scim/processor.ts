/** The queue `scim`: what follows from provisioning and may wait, after the change itself is done. */
import type { Deps } from "../../src/deps.ts";
import { findTenantById } from "../../src/domain/tenants/service.ts";
import { publish } from "../../src/domain/webhooks/service.ts";
import { findRecipient } from "../../src/domain/users/service.ts";
import { isId } from "../../src/lib/ids.ts";
import { PermanentJobError } from "../../src/queue/job-error.ts";
import { enqueue } from "../../src/queue/outbox.ts";
import type { JobProcessor } from "../../src/queue/worker-handle.ts";
import { createTenantProcessor } from "../processor.ts";

/** Each job is one transaction, together with its row in the ledger. */
export function createScimProcessor(deps: Deps): JobProcessor {
  return createTenantProcessor(deps, "scim", {
    async user_provisioned({ tenantId, payload }, tx) {
      const { user_id: userId } = payload;
      if (!isId("user", userId)) throw new PermanentJobError("the job names no user");
      const now = deps.clock.now();
      await publish(tx, { tenantId, type: "scimUser.provisioned", data: payload, now });
      const tenant = await findTenantById(deps, tenantId);
      if (!tenant?.settings.scim_welcome_mail) return undefined;
      const recipient = await findRecipient(tx, tenantId, userId);
      if (!recipient) return undefined;
      const letter = { user_id: userId, email_id: recipient.emailId };
      await enqueue(tx, { tenantId, queue: "email", name: "welcome", payload: letter, now });
      return undefined;
    },
    async user_deprovisioned({ tenantId, payload }, tx) {
      const now = deps.clock.now();
      await publish(tx, { tenantId, type: "scimUser.deprovisioned", data: payload, now });
      return undefined;
    },
  });
}
