/** What the compliance routes take and give. */
import { t } from "elysia";
import type { Report } from "../../domain/reports/service.ts";

const Moment = t.String({ format: "date-time" });

export const PeriodQuery = t.Object({
  from: t.Optional(
    t.String({ format: "date-time", description: "Inclusive; 90 days before `to` when left out" }),
  ),
  to: t.Optional(t.String({ format: "date-time", description: "Exclusive; now when left out" })),
});

export const ExportQuery = t.Object({
  format: t.Optional(t.String({ enum: ["json", "csv"], default: "json" })),
  event_type: t.Optional(t.String({ minLength: 1, maxLength: 64 })),
  limit: t.Optional(
    t.Integer({ minimum: 1, maximum: 10_000_000, default: 1000, description: "The newest so many events" }),
  ),
});

export const DownloadQuery = t.Object({
  format: t.Optional(
    t.String({
      enum: ["json", "csv", "pdf"],
      description: "An export of the audit trail has the one asked for",
    }),
  ),
});

export const WaitHeaders = t.Object({
  prefer: t.Optional(t.String({ maxLength: 256, description: "`wait=N` (RFC 7240 §4.3): seconds" })),
});

const Count = t.Integer();
const Status = t.String({ enum: ["pass", "warning", "fail"] });

export const ComplianceReportResponse = t.Object(
  {
    framework: t.String({ enum: ["soc2", "gdpr", "hipaa"] }),
    generated: Moment,
    organization: t.Object({ slug: t.String(), name: t.String() }),
    period: t.Object({ from: Moment, to: Moment }),
    checks: t.Array(
      t.Object({
        id: t.String(),
        category: t.String(),
        name: t.String(),
        description: t.String(),
        status: Status,
        detail: t.String(),
        evidence: t.Record(t.String(), t.Number(), {
          description: "The numbers that the status was computed from",
        }),
      }),
    ),
    summary: t.Object({ total: Count, pass: Count, warning: Count, fail: Count }),
    totals: t.Object({ users: Count, sign_ins: Count, failed_sign_ins: Count }),
    sign_ins: t.Array(t.Object({ day: t.String(), succeeded: Count, failed: Count })),
  },
  { description: "A compliance report" },
);

export const ReportResponse = t.Object(
  {
    id: t.String(),
    kind: t.String({ enum: ["soc2", "gdpr", "hipaa", "audit_export"] }),
    status: t.String({ enum: ["pending", "running", "done", "failed"] }),
    progress: t.Integer({ description: "Percent" }),
    formats: t.Array(t.String(), { description: "What it can be downloaded as" }),
    events: t.Union([t.Integer(), t.Null()], { description: "How many events an export holds" }),
    created_at: Moment,
    completed_at: t.Union([Moment, t.Null()]),
    expires_at: Moment,
  },
  { description: "How far a report is" },
);

export function reportResponse(report: Report): typeof ReportResponse.static {
  return {
    id: report.id,
    kind: report.kind,
    status: report.status,
    progress: report.progress,
    formats: Object.keys(report.files).toSorted(),
    events: report.events,
    created_at: report.createdAt.toISOString(),
    completed_at: report.completedAt?.toISOString() ?? null,
    expires_at: report.expiresAt.toISOString(),
  };
}
