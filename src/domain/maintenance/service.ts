/** What has to be done now and then so that a database neither grows for ever nor runs out of partitions. */
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { removeExpiredIdempotencyKeys } from "../idempotency/service.ts";
import { HINT_SECONDS } from "../keys/service.ts";
import { trimMailbox } from "../mailbox/service.ts";
import { deleteOldWebhookEvents } from "../webhooks/delivery/service.ts";
import * as repo from "./repo.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;
const BATCH = 1000;
const PARTITIONS_AHEAD = 3;

/** What is removed together, by one scheduled task each (`domain/tasks/catalogue.ts`). */
export type CleanUp = "challenges" | "tokens" | "replays" | "sessions" | "proofs" | "idempotency" | "records";

interface Retention {
  readonly what: string;
  readonly by: CleanUp;
  /** How long it is kept after its end. */
  readonly keepSeconds: number;
  readonly remove: repo.DeleteBatch;
}

/** In this order, since sessions wait for families and codes for what they issued. */
const retention: readonly Retention[] = [
  { what: "challenges", by: "challenges", keepSeconds: DAY, remove: repo.deleteChallenges },
  { what: "token_families", by: "tokens", keepSeconds: DAY, remove: repo.deleteTokenFamilies },
  { what: "refresh_tokens", by: "tokens", keepSeconds: DAY, remove: repo.deleteRefreshTokens },
  { what: "access_tokens", by: "tokens", keepSeconds: HOUR, remove: repo.deleteAccessTokens },
  { what: "initial_access_tokens", by: "tokens", keepSeconds: DAY, remove: repo.deleteInitialAccessTokens },
  { what: "client_secrets", by: "tokens", keepSeconds: DAY, remove: repo.deleteClientSecrets },
  // Each an hour longer than it matters, so that clocks that differ do not let anything through twice.
  { what: "revoked_access_tokens", by: "tokens", keepSeconds: HOUR, remove: repo.deleteRevokedAccessTokens },
  { what: "used_tokens", by: "replays", keepSeconds: HOUR, remove: repo.deleteUsedTokens },
  {
    what: "pushed_authorization_requests",
    by: "tokens",
    // While its pages are open it is still to be used up.
    keepSeconds: 3 * HOUR,
    remove: repo.deletePushedAuthorizationRequests,
  },
  { what: "device_authorizations", by: "tokens", keepSeconds: HOUR, remove: repo.deleteDeviceAuthorizations },
  { what: "authorization_codes", by: "tokens", keepSeconds: HOUR, remove: repo.deleteAuthorizationCodes },
  // After what shows that somebody let them in.
  { what: "document_clients", by: "tokens", keepSeconds: DAY, remove: repo.deleteUnusedDocumentClients },
  // Long enough for people to see where they were signed in lately.
  { what: "sessions", by: "sessions", keepSeconds: 30 * DAY, remove: repo.deleteSessions },
  { what: "upstream_saml_sessions", by: "sessions", keepSeconds: 0, remove: repo.deleteUpstreamSamlSessions },
  { what: "impersonations", by: "sessions", keepSeconds: 30 * DAY, remove: repo.deleteImpersonations },
  // Long enough to find out which one it was.
  { what: "api_keys", by: "tokens", keepSeconds: 90 * DAY, remove: repo.deleteApiKeys },
  { what: "signing_keys", by: "tokens", keepSeconds: HINT_SECONDS, remove: repo.deleteSigningKeys },
  { what: "lockouts", by: "proofs", keepSeconds: 0, remove: repo.deleteLockouts },
  // Their windows go by the real time.
  { what: "rate_limits", by: "proofs", keepSeconds: HOUR, remove: repo.deleteRateLimits },
  { what: "proofs", by: "proofs", keepSeconds: DAY, remove: repo.deleteProofs },
  { what: "trusted_devices", by: "sessions", keepSeconds: DAY, remove: repo.deleteTrustedDevices },
  { what: "email_changes", by: "proofs", keepSeconds: DAY, remove: repo.deleteEmailChanges },
  // A copy of somebody's data is gone when it was said to be.
  { what: "data_exports", by: "records", keepSeconds: 0, remove: repo.deleteDataExports },
  { what: "account_deletions", by: "records", keepSeconds: 30 * DAY, remove: repo.deleteAccountDeletions },
  { what: "webhook_events", by: "records", keepSeconds: 30 * DAY, remove: deleteOldWebhookEvents },
  { what: "idempotency_keys", by: "idempotency", keepSeconds: 0, remove: removeExpiredIdempotencyKeys },
  // Longer than the queue can deliver a job twice.
  { what: "completed_jobs", by: "idempotency", keepSeconds: 7 * DAY, remove: repo.deleteCompletedJobs },
  // Longer than the queue keeps failed jobs, which can still be retried.
  { what: "abandoned_jobs", by: "idempotency", keepSeconds: 60 * DAY, remove: repo.deleteAbandonedJobs },
];

/**
 * Removes what has expired, in batches of 1000 so that no statement holds many locks. Safe to repeat and to run twice at
 * once.
 * @param of undefined: all of it
 * @param signal stops it between two batches
 * @returns how many rows of each kind went
 */
export async function cleanUp(
  deps: Deps,
  of?: CleanUp,
  signal?: AbortSignal,
): Promise<Record<string, number>> {
  const now = deps.clock.now();
  const removed: Record<string, number> = {};
  for (const { what, keepSeconds, remove } of retention.filter(({ by }) => of === undefined || by === of)) {
    const before = addSeconds(now, -keepSeconds);
    let count = 0;
    let batch: number;
    do {
      signal?.throwIfAborted();
      batch = await remove(deps.db, before, now, BATCH);
      count += batch;
    } while (batch === BATCH);
    removed[what] = count;
  }
  if (of === undefined || of === "records") removed["mailbox_messages"] = await trimMailbox(deps.db);
  return removed;
}

/**
 * Prepares the audit trail's partitions of this month and the next three. Safe to repeat.
 * @returns how many months are prepared
 */
export async function prepareAuditPartitions(deps: Deps): Promise<number> {
  const now = deps.clock.now();
  for (let ahead = 0; ahead <= PARTITIONS_AHEAD; ahead++) {
    const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1));
    await repo.ensureAuditPartition(deps.db, month);
  }
  return PARTITIONS_AHEAD + 1;
}
