/** The queue `accounts`: what takes long or must not fail halfway, for the owner of an account. */
import type { Deps } from "../../src/deps.ts";
import { eraseDueAccount } from "../../src/domain/accounts/deletion.ts";
import { makeDataExport } from "../../src/domain/data-exports/service.ts";
import { revokeFormerTokens } from "../../src/domain/external-accounts/revocation.ts";
import { isId } from "../../src/lib/ids.ts";
import { PermanentJobError } from "../../src/queue/job-error.ts";
import { enqueue } from "../../src/queue/outbox.ts";
import type { JobProcessor } from "../../src/queue/worker-handle.ts";
import { createTenantProcessor } from "../processor.ts";

/** Each job is one transaction, together with its row in the ledger; what others are asked comes after it. */
export function createAccountsProcessor(deps: Deps): JobProcessor {
  return createTenantProcessor(deps, "accounts", {
    async erase_account({ tenantId, payload: { deletion_id: id } }, tx) {
      if (!isId("accountDeletion", id)) throw new PermanentJobError("the job names no deletion");
      await eraseDueAccount(tx, deps.clock.now(), { tenantId, id });
      return undefined;
    },
    async export_data({ tenantId, payload: { export_id: id } }, tx) {
      if (!isId("dataExport", id)) throw new PermanentJobError("the job names no export");
      const userId = await makeDataExport(deps, tx, tenantId, id);
      if (userId) {
        const now = deps.clock.now();
        await enqueue(tx, {
          tenantId,
          queue: "email",
          name: "data_export_ready",
          payload: { user_id: userId },
          now,
        });
      }
      return undefined;
    },
    async revoke_external_tokens({ tenantId, payload: { external_account_id: id }, isLastAttempt }) {
      if (!isId("externalAccount", id)) throw new PermanentJobError("the job names no external account");
      return () => revokeFormerTokens(deps, tenantId, id, { last: isLastAttempt });
    },
  });
}
