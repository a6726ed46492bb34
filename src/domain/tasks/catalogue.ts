/**
 * Every kind of task there is. A new one is one more row here: built-in ones appear in every installation, or tenant, by
 * themselves, with the next look at what is due. Minutes are spread, and off the hour, when everybody's schedules run.
 */
import { Type } from "@sinclair/typebox";
import { eraseDueAccounts } from "../accounts/deletion.ts";
import { dropOldMonths } from "../audit-seals/retention.ts";
import { sealAuditTrails } from "../audit-seals/service.ts";
import { countDormantAccounts, tellOfDormantAccounts } from "../dormant-accounts/service.ts";
import { rotateDueKeys } from "../keys/rotation.ts";
import { type CleanUp, cleanUp, prepareAuditPartitions } from "../maintenance/service.ts";
import { removeExpiredReports } from "../reports/service.ts";
import { removeExpiredExports } from "../user-export/service.ts";
import { removeExpiredImports } from "../user-import/service.ts";
import { refreshSamlMetadata } from "../saml-sp/metadata.ts";
import { endExpiredSessions } from "../sessions/expiry/service.ts";
import { enqueueDueAttempts } from "../webhooks/delivery/service.ts";
import { kindWith, simpleKind, type TaskKind } from "./kind.ts";
import { deleteOldRuns } from "./runs/history.ts";

const installation = { scope: "installation", builtIn: true } as const;

/** A row of `domain/maintenance`'s table, or several. */
const cleanUpOf = (of: CleanUp, kind: string, name: string, description: string, cron: string): TaskKind =>
  simpleKind({ ...installation, kind, name, description, cron }, (deps, { signal }) =>
    cleanUp(deps, of, signal),
  );

const cleanUps: readonly TaskKind[] = [
  cleanUpOf(
    "tokens",
    "token_clean_up",
    "Clean up tokens",
    "Removes tokens, authorization codes, requests, client secrets and signing keys that are long over.",
    "17 * * * *",
  ),
  cleanUpOf(
    "challenges",
    "challenge_clean_up",
    "Clean up challenges",
    "Removes links and pending sign-ins that nobody completed in time.",
    "19 * * * *",
  ),
  cleanUpOf(
    "proofs",
    "proof_clean_up",
    "Clean up proofs",
    "Removes codes, changes of addresses, lockouts and counters of attempts whose time is over.",
    "21 * * * *",
  ),
  cleanUpOf(
    "sessions",
    "session_clean_up",
    "Clean up sessions",
    "Removes sessions that ended 30 days ago, and devices that are trusted no more.",
    "23 * * * *",
  ),
  cleanUpOf(
    "replays",
    "replay_clean_up",
    "Clean up replay protection",
    "Forgets assertions and other one-time tokens that have expired, and would be refused for that.",
    "27 * * * *",
  ),
  cleanUpOf(
    "idempotency",
    "idempotency_clean_up",
    "Clean up idempotency records",
    "Forgets which requests and jobs were done, when they cannot come a second time any more.",
    "31 * * * *",
  ),
  cleanUpOf(
    "records",
    "record_clean_up",
    "Clean up records",
    "Removes old webhooks with their delivery logs, copies of people's data, and the mailbox's oldest messages.",
    "33 * * * *",
  ),
];

const audits: readonly TaskKind[] = [
  simpleKind(
    {
      ...installation,
      kind: "audit_sealing",
      name: "Seal the audit trail",
      description: "Signs what every tenant's audit trail says since its last seal.",
      cron: "*/3 * * * *",
    },
    async (deps) => {
      const { batches, events, failed } = await sealAuditTrails(deps);
      return { batches, events, failed };
    },
  ),
  simpleKind(
    {
      ...installation,
      kind: "audit_retention",
      name: "Drop old months of the audit trail",
      description: "Drops months that every tenant has kept for long enough, once they are sealed.",
      cron: "37 3 * * *",
    },
    async (deps) => {
      // What is not sealed cannot be accounted for.
      await sealAuditTrails(deps);
      const { dropped, waiting } = await dropOldMonths(deps);
      return { dropped: dropped.length, waiting: waiting.length };
    },
  ),
  simpleKind(
    {
      ...installation,
      kind: "audit_partitions",
      name: "Prepare the audit trail's next months",
      description: "Makes the partitions of this month and the next three, where they are missing.",
      cron: "41 * * * *",
    },
    async (deps) => ({ months: await prepareAuditPartitions(deps) }),
  ),
];

const others: readonly TaskKind[] = [
  simpleKind(
    {
      ...installation,
      kind: "saml_metadata_refresh",
      name: "Read the metadata of SAML identity providers",
      description:
        "Learns of certificates that identity providers are about to sign with, where they publish metadata.",
      cron: "11 * * * *",
    },
    async (deps, { signal }) => ({ ...(await refreshSamlMetadata(deps, deps.clock.now(), signal)) }),
  ),
  simpleKind(
    {
      ...installation,
      kind: "session_expiry",
      name: "End expired sessions",
      description: "Ends sessions whose time is over, and lets their applications know.",
      cron: "*/5 * * * *",
    },
    async (deps, { signal }) => ({ sessions: await endExpiredSessions(deps, signal) }),
  ),
  simpleKind(
    {
      ...installation,
      kind: "key_rotation",
      name: "Rotate signing keys",
      description: "Publishes the next signing keys where they are due, and retires those that sign no more.",
      cron: "43 * * * *",
    },
    async (deps) => ({ ...(await rotateDueKeys(deps)) }),
  ),
  simpleKind(
    {
      ...installation,
      kind: "account_erasure",
      name: "Erase deleted accounts",
      description: "Erases accounts whose owners asked for it and have had their time to think better of it.",
      cron: "29 * * * *",
    },
    async (deps) => ({ accounts: await eraseDueAccounts(deps) }),
  ),
  simpleKind(
    {
      ...installation,
      kind: "report_expiry",
      name: "Remove expired reports",
      description: "Removes compliance reports, exports and imports that are too old, with their files.",
      cron: "53 * * * *",
    },
    async (deps) => ({
      reports: await removeExpiredReports(deps),
      user_imports: await removeExpiredImports(deps),
      user_exports: await removeExpiredExports(deps),
    }),
  ),
  simpleKind(
    {
      ...installation,
      kind: "webhook_retries",
      name: "Retry webhooks",
      description: "Puts deliveries on the queue again whose next attempt is due.",
      cron: "* * * * *",
    },
    async (deps) => ({ deliveries: await enqueueDueAttempts(deps) }),
  ),
  simpleKind(
    {
      ...installation,
      kind: "task_history_clean_up",
      name: "Clean up the history of tasks",
      description: "Keeps the last 200 runs of each task, for 90 days; the last ten for ever.",
      cron: "11 * * * *",
    },
    async (deps, { signal }) => ({ runs: await deleteOldRuns(deps, signal) }),
  ),
];

const ofTenants: readonly TaskKind[] = [
  kindWith(
    {
      kind: "dormant_accounts",
      name: "Report dormant accounts",
      description:
        "Counts accounts that are enabled and that nobody signed in to for a time, and mails the numbers to the administrators.",
      scope: "tenant",
      cron: "7 6 * * 1",
      builtIn: true,
    },
    Type.Object(
      {
        inactive_days: Type.Integer({
          minimum: 1,
          maximum: 3650,
          default: 90,
          description: "After how many days without a sign-in an account counts as dormant",
        }),
        notify: Type.Boolean({
          default: true,
          description: "Whether administrators are mailed, where there are any such accounts",
        }),
      },
      { additionalProperties: false },
    ),
    async (deps, { tenantId, parameters: { inactive_days: inactiveDays, notify } }) => {
      const found = await countDormantAccounts(deps, tenantId, inactiveDays);
      const { dormant, neverSignedIn, administrators } = found;
      const counts = { dormant, never_signed_in: neverSignedIn, administrators };
      if (!notify || dormant + neverSignedIn === 0) return { counts };
      return {
        counts,
        async finish(tx) {
          await tellOfDormantAccounts(tx, tenantId, found, { inactiveDays, now: deps.clock.now() });
        },
      };
    },
  ),
];

export const taskKinds: readonly TaskKind[] = [...cleanUps, ...audits, ...others, ...ofTenants];

const byName = new Map(taskKinds.map((kind) => [kind.kind, kind]));

/** @returns undefined for what only another build knows */
export const kindOf = (kind: string): TaskKind | undefined => byName.get(kind);
