import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import * as repo from "./repo.ts";

export { revokeAllFamiliesOfUser, revokeFamiliesOfSession } from "./repo.ts";

/** Why a family ended, as the audit trail and the database say it. */
export type RevocationReason = "refresh_token_reused" | "code_replayed" | "logout" | "revoked";

/** Ends every token that descends from one authorization. Telling it twice changes nothing. */
export async function revokeFamily(
  deps: Deps,
  family: { tenantId: Id<"tenant">; id: Id<"tokenFamily"> },
  reason: RevocationReason,
  by: { type: audit.AuditEventType; actor: audit.Actor; context: RequestContext },
): Promise<void> {
  const now = deps.clock.now();
  await deps.db.transaction(async (tx: Executor) => {
    const revoked = await repo.markFamilyRevoked(tx, family.tenantId, family.id, reason, now);
    await audit.record(tx, {
      tenantId: family.tenantId,
      ...by,
      target: { type: "token_family", id: family.id },
      details: { reason, revoked },
      now,
    });
  });
}
