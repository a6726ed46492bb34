/** The worker's half of reports. */
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import type { Id } from "../../lib/ids.ts";
import { countMatching } from "../audit/reading.ts";
import { computeReport, reportCsv } from "../compliance/service.ts";
import { findTenantById, type Tenant } from "../tenants/service.ts";
import { auditExport } from "./audit-export.ts";
import { writeFile } from "./files.ts";
import {
  type ExportParameters,
  type Format,
  type Framework,
  type PeriodParameters,
  requestOf,
} from "./model.ts";
import * as repo from "./repo.ts";

const KEPT_SECONDS = 7 * 86_400;
/** Progress is written when it has grown by so many percent. */
const STEP = 5;

type Made = Pick<repo.Report, "files" | "events">;

/** Makes a report that was asked for, unless it is made already. Safe to repeat and to run twice at once. */
export async function makeReport(deps: Deps, tenantId: Id<"tenant">, id: Id<"report">): Promise<void> {
  const report = await repo.findReport(deps.db, tenantId, id);
  const tenant = await findTenantById(deps, tenantId);
  if (!report || !tenant || report.status === "done") return;
  await repo.updateOpenReport(deps.db, report, { status: "running", progress: 0 });
  const request = requestOf(report.kind, report.parameters);
  const onProgress = progressOf(deps, report);
  const made =
    request.kind === "audit_export"
      ? await makeExport(deps, tenant, report, request.parameters, onProgress)
      : await makeCompliance(deps, tenant, report, request, onProgress);
  const now = deps.clock.now();
  const expiresAt = addSeconds(now, KEPT_SECONDS);
  await repo.updateOpenReport(deps.db, report, {
    ...made,
    status: "done",
    progress: 100,
    completedAt: now,
    expiresAt,
  });
}

/** Says that nobody tries to make it any more. */
export async function failReport(deps: Deps, tenantId: Id<"tenant">, id: Id<"report">): Promise<void> {
  await repo.updateOpenReport(deps.db, { tenantId, id }, { status: "failed", completedAt: deps.clock.now() });
}

async function makeCompliance(
  deps: Deps,
  tenant: Tenant,
  report: repo.Report,
  { kind, parameters }: { kind: Framework; parameters: PeriodParameters },
  onProgress: (percent: number) => Promise<void>,
): Promise<Made> {
  const period = { from: new Date(parameters.from), to: new Date(parameters.to) };
  const computed = await computeReport(deps, tenant, kind, period, onProgress);
  // Loaded when a report is made: it would be memory that nothing else in a worker uses.
  const { reportPdf } = await import("../compliance/pdf.ts");
  const contents: Record<Format, string | Uint8Array> = {
    json: JSON.stringify(computed),
    csv: reportCsv(computed),
    pdf: await reportPdf(computed),
  };
  const files: Record<string, number> = {};
  for (const format of ["json", "csv", "pdf"] as const) {
    files[format] = await writeFile(deps, report, format, once(contents[format]));
  }
  return { files, events: null };
}

async function makeExport(
  deps: Deps,
  tenant: Tenant,
  report: repo.Report,
  parameters: ExportParameters,
  onProgress: (percent: number) => Promise<void>,
): Promise<Made> {
  const { format, limit, event_type: type } = parameters;
  const total = await countMatching(deps, tenant, { type: type ?? undefined }, limit);
  let events = 0;
  const chunks = auditExport(deps, tenant, parameters, async (written) => {
    events = written;
    await onProgress(Math.min(99, Math.floor((written / Math.max(total, 1)) * 100)));
  });
  return { files: { [format]: await writeFile(deps, report, format, chunks) }, events };
}

function progressOf(deps: Deps, report: repo.Report): (percent: number) => Promise<void> {
  let told = 0;
  return async (percent) => {
    if (percent < told + STEP) return;
    told = percent;
    await repo.updateOpenReport(deps.db, report, { progress: percent });
  };
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}
