/** Compliance reports and exports of the audit trail: made by the worker, answered at once where they are done in time. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../deps.ts";
import { contentTypes, type Format, formats, type ReportRequest } from "../../domain/reports/model.ts";
import {
  type Asker,
  awaitReport,
  getReport,
  openReport,
  type Report,
  requestReport,
} from "../../domain/reports/service.ts";
import type { Tenant } from "../../domain/tenants/service.ts";
import { fileResponse } from "../../http/file-response.ts";
import { bearerAuth, ErrorResponse } from "../../http/models.ts";
import { adminScope } from "../../http/scope.ts";
import { AppError, badRequest, notFound } from "../../lib/errors.ts";
import { isId } from "../../lib/ids.ts";
import { adminErrors } from "./admin/models.ts";
import * as models from "./compliance-models.ts";

const DEFAULT_WAIT_SECONDS = 5;
/** Below the time after which the server gives an idle connection up. */
const MOST_WAIT_SECONDS = 25;
const DEFAULT_PERIOD_MS = 90 * 86_400_000;
const MINUTE_MS = 60_000;

const accepted = { 202: models.ReportResponse, 500: ErrorResponse };
const waiting =
  "Waits for `Prefer: wait=N` seconds (5 when not said, at most 25); a report that takes longer is answered with 202 and its Location.";

export const complianceRoutes = (deps: Deps) =>
  new Elysia({ name: "native-compliance", detail: { tags: ["Compliance"], security: bearerAuth } })
    .use(frameworkRoute(deps, "soc2", "SOC 2"))
    .use(frameworkRoute(deps, "gdpr", "GDPR"))
    .use(frameworkRoute(deps, "hipaa", "HIPAA"))
    .use(exportRoute(deps))
    .use(reportRoutes(deps));

const scope = (deps: Deps, name: string) =>
  new Elysia({ name, detail: { tags: ["Compliance"], security: bearerAuth } }).use(adminScope(deps));

const frameworkRoute = (deps: Deps, kind: "soc2" | "gdpr" | "hipaa", name: string) =>
  scope(deps, `native-compliance-${kind}`).get(
    `/api/v1/compliance/${kind}`,
    ({ tenant, query, headers, by }) =>
      answer(deps, tenant, { kind, parameters: periodOf(deps, query) }, { by, prefer: headers.prefer }),
    {
      query: models.PeriodQuery,
      headers: models.WaitHeaders,
      response: { 200: models.ComplianceReportResponse, ...adminErrors, ...accepted },
      detail: { summary: `${name} compliance report`, description: waiting },
    },
  );

const exportRoute = (deps: Deps) =>
  scope(deps, "native-compliance-export").get(
    "/api/v1/compliance/audit-export",
    ({ tenant, query, headers, by }) => {
      const format = query.format === "csv" ? "csv" : "json";
      const parameters = {
        format,
        event_type: query.event_type ?? null,
        limit: query.limit ?? 1000,
      } as const;
      return answer(deps, tenant, { kind: "audit_export", parameters }, { by, prefer: headers.prefer });
    },
    {
      query: models.ExportQuery,
      headers: models.WaitHeaders,
      response: {
        200: t.Unknown({ description: "The events, the newest first, as JSON or CSV" }),
        ...adminErrors,
        ...accepted,
      },
      detail: {
        summary: "Export the audit trail",
        description: `CSV columns: id, event_type, actor_name, target_type, target_name, ip_address, created_at. ${waiting}`,
      },
    },
  );

const reportRoutes = (deps: Deps) =>
  scope(deps, "native-compliance-reports")
    .get(
      "/api/v1/compliance/reports/:id",
      async ({ tenant, params }) => models.reportResponse(await reportOf(deps, tenant, params.id)),
      {
        params: t.Object({ id: t.String() }),
        response: { 200: models.ReportResponse, ...adminErrors },
        detail: { summary: "How far a report is", description: "A report is kept for seven days." },
      },
    )
    .get(
      "/api/v1/compliance/reports/:id/download",
      async ({ tenant, params, query, by }) => {
        const report = await reportOf(deps, tenant, params.id);
        const wanted = formats.find((format) => format === query.format);
        return download(deps, report, wanted ?? firstFormat(report), by);
      },
      {
        params: t.Object({ id: t.String() }),
        query: models.DownloadQuery,
        response: {
          200: t.Unknown({ description: "The report, as JSON, CSV or PDF" }),
          409: ErrorResponse,
          410: ErrorResponse,
          ...adminErrors,
        },
        detail: { summary: "Download a report" },
      },
    );

async function reportOf(deps: Deps, tenant: Tenant, id: string): Promise<Report> {
  if (!isId("report", id)) throw notFound("There is no such report.");
  return getReport(deps, tenant.id, id);
}

async function answer(
  deps: Deps,
  tenant: Tenant,
  request: ReportRequest,
  { by, prefer }: { by: Asker; prefer: string | undefined },
): Promise<Response> {
  const seconds = waitSeconds(prefer);
  const report = await awaitReport(deps, await requestReport(deps, tenant.id, request, by), seconds);
  if (report.status === "failed")
    throw new AppError(500, "report_failed", "The report could not be made. Please try again later.");
  if (report.status === "done") return download(deps, report, firstFormat(report), by);
  return Response.json(models.reportResponse(report), {
    status: 202,
    headers: {
      location: `/api/v1/compliance/reports/${report.id}`,
      "retry-after": "5",
      "cache-control": "no-store",
      "preference-applied": `wait=${seconds}`,
    },
  });
}

const firstFormat = (report: Report): Format =>
  formats.find((format) => Object.hasOwn(report.files, format)) ?? "json";

async function download(deps: Deps, report: Report, format: Format, by: Asker): Promise<Response> {
  const chunks = await openReport(deps, report, format, by);
  const name = `${report.kind.replace("_", "-")}-${report.createdAt.toISOString().slice(0, 10)}.${format}`;
  return fileResponse(chunks, { contentType: contentTypes[format], name });
}

/** RFC 7240 §2 and §4.3: one preference among others, and one that cannot be read is as if it had not been said. */
function waitSeconds(prefer: string | undefined): number {
  const [, seconds] = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:$|[,;])/i.exec(prefer ?? "") ?? [];
  if (seconds !== undefined) return Math.min(Number(seconds), MOST_WAIT_SECONDS);
  return /(?:^|,)\s*respond-async\s*(?:$|[,;])/i.test(prefer ?? "") ? 0 : DEFAULT_WAIT_SECONDS;
}

/** Without an end it is the end of this minute: whoever asks twice within it gets the report that is being made. */
function periodOf(deps: Deps, query: typeof models.PeriodQuery.static): { from: string; to: string } {
  const now = deps.clock.now().getTime();
  const to = query.to === undefined ? Math.ceil(now / MINUTE_MS) * MINUTE_MS : Date.parse(query.to);
  const from = query.from === undefined ? to - DEFAULT_PERIOD_MS : Date.parse(query.from);
  if (from >= to) throw badRequest("from must be before to.");
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}
