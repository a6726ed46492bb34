/** Checks of what is recorded, kept and sealed. Pure. A threshold is named where it is used. */
import { type Evaluate, verdict } from "./verdict.ts";

const MINUTE_MS = 60_000;
/** A seal is made every few minutes. */
const MOST_UNSEALED_MINUTES = 30;
/** 45 CFR § 164.316(b)(2)(i): six years. */
const HIPAA_RETENTION_DAYS = 2190;
/** GDPR Article 5(1)(e): no longer than needed; nobody needs sign-ins of three years ago. */
const GDPR_RETENTION_DAYS = 1095;

export const auditLogging: Evaluate = ({ now, trail, events }) => {
  const oldest = trail.unsealed.oldest;
  const waiting = oldest ? Math.max(0, Math.floor((now.getTime() - oldest.getTime()) / MINUTE_MS)) : 0;
  return {
    ...verdict([
      [trail.bad !== undefined, "fail", `Batch ${trail.bad?.number} of the trail is not what was sealed.`],
      [events.events === 0, "fail", "Nothing was recorded in the period."],
      [trail.seals === 0, "warning", "Nothing has been sealed yet."],
      [waiting > MOST_UNSEALED_MINUTES, "warning", `Events wait for their seal for ${waiting} minutes.`],
      [true, "pass", `${events.events} events were recorded, and all ${trail.seals} seals hold.`],
    ]),
    evidence: {
      events: events.events,
      days_with_events: events.days_with_events,
      seals: trail.seals,
      events_verified: trail.events,
      first_bad_batch: trail.bad?.number ?? 0,
      unsealed_events: trail.unsealed.events,
      oldest_unsealed_minutes: waiting,
    },
  };
};

export const dataRetention: Evaluate = ({ settings, retention, trail }, framework) => {
  const days = settings.audit_retention_days;
  const overdue = retention.overdue_deletions + retention.expired_data_copies;
  return {
    ...verdict([
      [overdue > 0, "fail", `${overdue} deletions are overdue.`],
      [
        framework === "hipaa" && days < HIPAA_RETENTION_DAYS,
        "fail",
        `The trail is kept for ${days} days, not for six years.`,
      ],
      [
        framework === "gdpr" && days > GDPR_RETENTION_DAYS,
        "warning",
        `The trail is kept for ${days} days, longer than three years.`,
      ],
      [
        framework === "gdpr" && !settings.account_deletion_enabled,
        "warning",
        "People cannot delete their accounts themselves.",
      ],
      [true, "pass", `The trail is kept for ${days} days, and nothing that was to be deleted is left.`],
    ]),
    evidence: {
      retention_days: days,
      months_dropped: trail.droppedMonths.length,
      ...retention,
    },
  };
};

export const consentTracking: Evaluate = ({ consents, events }) => ({
  ...verdict([
    [
      consents.access_without_consent > 0,
      "fail",
      `${consents.access_without_consent} accesses lack their user's consent.`,
    ],
    [
      consents.third_party_clients > 0 && consents.consents === 0,
      "warning",
      "There are applications of others, and no consent was ever recorded.",
    ],
    [true, "pass", `${consents.consents} consents are recorded, and no access is without one.`],
  ]),
  evidence: {
    ...consents,
    consents_given_in_period: events.consents_given,
    consents_withdrawn_in_period: events.consents_withdrawn,
  },
});

export const dataEncryption: Evaluate = ({ settings, encryption, passwords }) => {
  const { oldest_signing_key_days: age, sealed_under_older_master_key: older } = encryption;
  const due = settings.key_rotation_days;
  return {
    ...verdict([
      [encryption.signing_keys === 0, "fail", "There is no signing key."],
      [age > due + 30, "fail", `A signing key is ${age} days old; it was to be replaced after ${due}.`],
      [age > due, "warning", `A signing key is ${age} days old; it was to be replaced after ${due}.`],
      [older > 0, "warning", `${older} secrets are sealed under an older master key.`],
      [
        passwords.weak_hashes > 0,
        "warning",
        `${passwords.weak_hashes} passwords are not yet hashed with Argon2id.`,
      ],
      [due > 398, "warning", `Signing keys are replaced after ${due} days.`],
      [
        true,
        "pass",
        `${encryption.sealed_secrets} secrets are sealed, and no key is older than it should be.`,
      ],
    ]),
    evidence: { key_rotation_days: due, ...encryption, ...passwords },
  };
};
