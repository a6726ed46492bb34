/** The checks, by their ids. A status is never anything but computed. */
import type { Framework } from "../reports/model.ts";
import * as data from "./data-checks.ts";
import { DORMANT_DAYS, type Facts } from "./facts.ts";
import type { Check, CheckId, Status } from "./model.ts";
import * as people from "./people-checks.ts";
import type { Evaluate } from "./verdict.ts";

interface Definition {
  readonly category: string;
  readonly name: string;
  readonly description: string;
  readonly evaluate: Evaluate;
}

const definitions: Readonly<Record<CheckId, Definition>> = {
  "audit-logging": {
    category: "Audit",
    name: "Audit logging",
    description: "Events are recorded without a gap, and the seals over them hold.",
    evaluate: data.auditLogging,
  },
  "password-policy": {
    category: "Authentication",
    name: "Password policy",
    description: "Passwords are strong, well hashed, and cannot be tried at will.",
    evaluate: people.passwordPolicy,
  },
  "mfa-adoption": {
    category: "Authentication",
    name: "Second factors",
    description: "At least 90 % of the enabled users and every administrator have a second factor.",
    evaluate: people.mfaAdoption,
  },
  "session-mgmt": {
    category: "Authentication",
    name: "Session management",
    description: "Sessions end in good time, and at once when their user is disabled.",
    evaluate: people.sessionManagement,
  },
  "access-review": {
    category: "Access",
    name: "Access review",
    description: `No administrator is dormant for ${DORMANT_DAYS} days, and somebody reads these reports.`,
    evaluate: people.accessReview,
  },
  "data-retention": {
    category: "Data",
    name: "Data retention",
    description: "The trail is kept for as long as the framework asks, and deletions are carried out.",
    evaluate: data.dataRetention,
  },
  "consent-tracking": {
    category: "Privacy",
    name: "Consent",
    description: "Applications of others have their users' recorded consent.",
    evaluate: data.consentTracking,
  },
  "data-encryption": {
    category: "Data",
    name: "Encryption",
    description: "Keys are replaced in time, and secrets are sealed under the newest master key.",
    evaluate: data.dataEncryption,
  },
  "access-controls": {
    category: "Access",
    name: "Access controls",
    description: "Administrators are few and have second factors; who is disabled is out.",
    evaluate: people.accessControls,
  },
};

export function runCheck(id: CheckId, facts: Facts, framework: Framework): Check {
  const { category, name, description, evaluate } = definitions[id];
  return { id, category, name, description, ...evaluate(facts, framework) };
}

/** How many checks came out how. */
export function summaryOf(checks: readonly Check[]) {
  const count = (status: Status) => checks.filter((check) => check.status === status).length;
  return { total: checks.length, pass: count("pass"), warning: count("warning"), fail: count("fail") };
}
