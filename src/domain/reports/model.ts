import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

export const frameworks = ["soc2", "gdpr", "hipaa"] as const;
export type Framework = (typeof frameworks)[number];

export const formats = ["json", "csv", "pdf"] as const;
export type Format = (typeof formats)[number];

export const contentTypes: Readonly<Record<Format, string>> = {
  json: "application/json",
  csv: "text/csv; charset=utf-8",
  pdf: "application/pdf",
};

const Moment = Type.String();

/** What a compliance report is asked for. */
const PeriodParameters = Type.Object({ from: Moment, to: Moment });

/** What an export of the audit trail is asked for. */
const ExportParameters = Type.Object({
  format: Type.Union([Type.Literal("json"), Type.Literal("csv")]),
  event_type: Type.Union([Type.String(), Type.Null()]),
  limit: Type.Integer({ minimum: 1 }),
});

export type PeriodParameters = Static<typeof PeriodParameters>;
export type ExportParameters = Static<typeof ExportParameters>;

export type ReportRequest =
  | { readonly kind: Framework; readonly parameters: PeriodParameters }
  | { readonly kind: "audit_export"; readonly parameters: ExportParameters };

/** @throws Error when the database holds what nobody could have asked for */
export function requestOf(kind: Framework | "audit_export", parameters: unknown): ReportRequest {
  if (kind === "audit_export") {
    if (Value.Check(ExportParameters, parameters)) return { kind, parameters };
  } else if (Value.Check(PeriodParameters, parameters)) return { kind, parameters };
  throw new Error(`a report of kind ${kind} has parameters that are none`);
}
