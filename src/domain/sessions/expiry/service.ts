/** The end of sessions that nobody ended: their time is over. */
import type { Executor } from "../../../db/client.ts";
import type { Deps } from "../../../deps.ts";
import * as audit from "../../audit/service.ts";
import { systemContext } from "../../request-context.ts";
import { revokeFamiliesOfSession } from "../../tokens/revocation.ts";
import { tellApplications } from "../ending.ts";
import * as repo from "./repo.ts";

const BATCH = 200;

/**
 * Ends sessions whose time is over as a sign-out would: their applications are told (OpenID Connect Back-Channel Logout
 * §2.7), their tokens stop, and those of `offline_access` live on (OpenID Connect Core §11). Safe to repeat, and to run
 * twice at once.
 * @returns how many it was
 */
export async function endExpiredSessions(deps: Deps, signal: AbortSignal): Promise<number> {
  let total = 0;
  for (;;) {
    signal.throwIfAborted();
    const ended = await deps.db.transaction(async (tx) => {
      const now = deps.clock.now();
      const expired = await repo.endExpired(tx, now, BATCH);
      for (const session of expired) await settle(tx, session, now);
      if (expired.length > 0) await audit.record(tx, ...expired.map((session) => expiryOf(session, now)));
      return expired.length;
    });
    total += ended;
    if (ended < BATCH) return total;
  }
}

async function settle(tx: Executor, { tenantId, userId, id }: repo.Expired, now: Date): Promise<void> {
  await tellApplications(tx, tenantId, userId, [id], now);
  await revokeFamiliesOfSession(tx, tenantId, id, { includingOffline: false, now });
}

const expiryOf = ({ tenantId, id, userId }: repo.Expired, now: Date): audit.AuditEvent => ({
  tenantId,
  type: "session.expired",
  actor: { type: "system" },
  target: { type: "session", id },
  details: { user_id: userId },
  context: systemContext,
  now,
});
