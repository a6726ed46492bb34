import type { Framework } from "../reports/model.ts";

export type Status = "pass" | "warning" | "fail";

export const checkIds = [
  "audit-logging",
  "password-policy",
  "mfa-adoption",
  "session-mgmt",
  "access-review",
  "data-retention",
  "consent-tracking",
  "data-encryption",
  "access-controls",
] as const;
export type CheckId = (typeof checkIds)[number];

/** Which checks a framework asks for, in the order of the report. */
export const checksOf: Readonly<Record<Framework, readonly CheckId[]>> = {
  soc2: ["audit-logging", "password-policy", "mfa-adoption", "session-mgmt", "access-review"],
  gdpr: ["audit-logging", "data-retention", "consent-tracking", "data-encryption", "access-controls"],
  hipaa: [
    "audit-logging",
    "password-policy",
    "mfa-adoption",
    "session-mgmt",
    "data-encryption",
    "access-controls",
    "data-retention",
  ],
};

export interface Check {
  readonly id: CheckId;
  readonly category: string;
  readonly name: string;
  readonly description: string;
  readonly status: Status;
  /** What was found, in a sentence. */
  readonly detail: string;
  /** The numbers that the status was computed from. */
  readonly evidence: Readonly<Record<string, number>>;
}

export interface ComplianceReport {
  readonly framework: Framework;
  readonly generated: string;
  readonly organization: { readonly slug: string; readonly name: string };
  readonly period: { readonly from: string; readonly to: string };
  readonly checks: readonly Check[];
  readonly summary: {
    readonly total: number;
    readonly pass: number;
    readonly warning: number;
    readonly fail: number;
  };
  readonly totals: { readonly users: number; readonly sign_ins: number; readonly failed_sign_ins: number };
  /** A day without any is left out. */
  readonly sign_ins: readonly { readonly day: string; readonly succeeded: number; readonly failed: number }[];
}
