/** What has to be done now and then so that a database neither grows for ever nor runs out of partitions. */
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { HINT_SECONDS } from "../keys/service.ts";
import { trimMailbox } from "../mailbox/service.ts";
import { deleteOldWebhookEvents } from "../webhooks/delivery/service.ts";
import * as repo from "./repo.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;
const BATCH = 1000;
const PARTITIONS_AHEAD = 3;

/** In this order, since sessions wait for families and codes for what they issued. `keepSeconds`: after the end. */
const retention: readonly { what: string; keepSeconds: number; remove: repo.DeleteBatch }[] = [
  { what: "challenges", keepSeconds: DAY, remove: repo.deleteChallenges },
  { what: "token_families", keepSeconds: DAY, remove: repo.deleteTokenFamilies },
  { what: "refresh_tokens", keepSeconds: DAY, remove: repo.deleteRefreshTokens },
  { what: "access_tokens", keepSeconds: HOUR, remove: repo.deleteAccessTokens },
  { what: "initial_access_tokens", keepSeconds: DAY, remove: repo.deleteInitialAccessTokens },
  { what: "client_secrets", keepSeconds: DAY, remove: repo.deleteClientSecrets },
  // Each an hour longer than it matters, so that clocks that differ do not let anything through twice.
  { what: "revoked_access_tokens", keepSeconds: HOUR, remove: repo.deleteRevokedAccessTokens },
  { what: "used_tokens", keepSeconds: HOUR, remove: repo.deleteUsedTokens },
  {
    what: "pushed_authorization_requests",
    // While its pages are open it is still to be used up.
    keepSeconds: 3 * HOUR,
    remove: repo.deletePushedAuthorizationRequests,
  },
  { what: "device_authorizations", keepSeconds: HOUR, remove: repo.deleteDeviceAuthorizations },
  { what: "authorization_codes", keepSeconds: HOUR, remove: repo.deleteAuthorizationCodes },
  // After what shows that somebody let them in.
  { what: "document_clients", keepSeconds: DAY, remove: repo.deleteUnusedDocumentClients },
  // Long enough for people to see where they were signed in lately.
  { what: "sessions", keepSeconds: 30 * DAY, remove: repo.deleteSessions },
  { what: "signing_keys", keepSeconds: HINT_SECONDS, remove: repo.deleteSigningKeys },
  { what: "lockouts", keepSeconds: 0, remove: repo.deleteLockouts },
  // Their windows go by the real time.
  { what: "rate_limits", keepSeconds: HOUR, remove: repo.deleteRateLimits },
  { what: "proofs", keepSeconds: DAY, remove: repo.deleteProofs },
  { what: "trusted_devices", keepSeconds: DAY, remove: repo.deleteTrustedDevices },
  { what: "email_changes", keepSeconds: DAY, remove: repo.deleteEmailChanges },
  // A copy of somebody's data is gone when it was said to be.
  { what: "data_exports", keepSeconds: 0, remove: repo.deleteDataExports },
  { what: "account_deletions", keepSeconds: 30 * DAY, remove: repo.deleteAccountDeletions },
  { what: "webhook_events", keepSeconds: 30 * DAY, remove: deleteOldWebhookEvents },
  // Longer than the queue can deliver a job twice.
  { what: "completed_jobs", keepSeconds: 7 * DAY, remove: repo.deleteCompletedJobs },
  // Longer than the queue keeps failed jobs, which can still be retried.
  { what: "abandoned_jobs", keepSeconds: 60 * DAY, remove: repo.deleteAbandonedJobs },
];

/**
 * Removes what has expired, in batches of 1000 so that no statement holds many locks, and prepares the audit trail's
 * partitions of this month and the next three. Safe to repeat and to run twice at once.
 * @returns how many rows of each kind went.
 */
export async function cleanUp(deps: Deps): Promise<Record<string, number>> {
  const now = deps.clock.now();
  const removed: Record<string, number> = {};
  for (const { what, keepSeconds, remove } of retention) {
    const before = addSeconds(now, -keepSeconds);
    let count = 0;
    let batch: number;
    do {
      batch = await remove(deps.db, before, now, BATCH);
      count += batch;
    } while (batch === BATCH);
    removed[what] = count;
  }
  removed["mailbox_messages"] = await trimMailbox(deps.db);
  for (let ahead = 0; ahead <= PARTITIONS_AHEAD; ahead++) {
    const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1));
    await repo.ensureAuditPartition(deps.db, month);
  }
  return removed;
}
