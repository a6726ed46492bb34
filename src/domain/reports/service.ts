/**
 * Compliance reports and exports of the audit trail: asked for, made by a worker, kept sealed for a week. Equal requests
 * share the one that is being made.
 */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { sha256 } from "../../lib/crypto.ts";
import { AppError, notFound } from "../../lib/errors.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { canonicalJson } from "../../lib/merkle.ts";
import { enqueue } from "../../queue/outbox.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import { readFile, removeFiles } from "./files.ts";
import type { Format, ReportRequest } from "./model.ts";
import * as repo from "./repo.ts";

export type { Report } from "./repo.ts";

const KEPT_SECONDS = 7 * 86_400;

/** The administrator who asks, as the audit trail names them. */
export interface Asker {
  readonly actor: Extract<audit.Actor, { type: "user" | "service_account" }>;
  readonly context: RequestContext;
}

export async function requestReport(
  deps: Deps,
  tenantId: Id<"tenant">,
  { kind, parameters }: ReportRequest,
  by: Asker,
): Promise<repo.Report> {
  const now = deps.clock.now();
  const digest = sha256(canonicalJson([kind, parameters])).toString("base64url");
  return deps.db.transaction(async (tx) => {
    const open = await repo.findOpen(tx, tenantId, digest);
    if (open) return open;
    const id = newId("report");
    const report = await repo.insertReport(tx, {
      tenantId,
      id,
      kind,
      parameters: { ...parameters },
      digest,
      status: "pending",
      requestedBy: by.actor.type === "user" ? by.actor.id : null,
      createdAt: now,
      expiresAt: addSeconds(now, KEPT_SECONDS),
    });
    await record(tx, report, "report.requested", { kind, ...parameters }, by, now);
    await enqueue(tx, { tenantId, queue: "reports", name: "make", payload: { report_id: id }, now });
    return report;
  });
}

/** @throws AppError 404, for another tenant's as for none, and for one that is too old */
export async function getReport(deps: Deps, tenantId: Id<"tenant">, id: Id<"report">): Promise<repo.Report> {
  const found = await repo.findReport(deps.db, tenantId, id);
  if (!found || found.expiresAt <= deps.clock.now()) throw notFound("There is no such report.");
  return found;
}

const POLL_MS = 100;

/** The report as it is when it is done or has failed, or after so many seconds. */
export async function awaitReport(deps: Deps, report: repo.Report, seconds: number): Promise<repo.Report> {
  const end = performance.now() + seconds * 1000;
  let newest = report;
  while (newest.status !== "done" && newest.status !== "failed" && performance.now() < end) {
    await Bun.sleep(Math.min(POLL_MS, Math.max(0, end - performance.now())));
    newest = await getReport(deps, report.tenantId, report.id);
  }
  return newest;
}

/**
 * What a report says, in one of its formats.
 * @throws AppError 409 when it is not done; 404 for a format that it was not made in; 410 when its file is gone
 */
export async function openReport(
  deps: Deps,
  report: repo.Report,
  format: Format,
  by: Asker,
): Promise<AsyncGenerator<Uint8Array>> {
  if (report.status === "failed") throw new AppError(409, "report_failed", "The report could not be made.");
  if (report.status !== "done") throw new AppError(409, "not_ready", "The report is still being made.");
  if (!Object.hasOwn(report.files, format)) throw notFound("The report was not made in this format.");
  const file = await readFile(deps, report, format);
  // The first frame tells whether it opens at all; nothing has been answered yet.
  const first = await file?.next().catch(() => undefined);
  if (!file || !first || first.done) {
    throw new AppError(410, "report_gone", "The report's file is no longer kept. Please ask for a new one.");
  }
  const now = deps.clock.now();
  await record(deps.db, report, "report.downloaded", { kind: report.kind, format }, by, now);
  return resumed(first.value, file);
}

async function* resumed<T>(first: T, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

const BATCH = 100;

/** Removes what is too old, file first: of one that is killed meanwhile the row is left, and is found again. */
export async function removeExpiredReports(deps: Deps): Promise<number> {
  let removed = 0;
  for (;;) {
    const batch = await repo.findExpired(deps.db, deps.clock.now(), BATCH);
    for (const report of batch) {
      await removeFiles(deps, report);
      await repo.deleteReport(deps.db, report);
    }
    removed += batch.length;
    if (batch.length < BATCH) return removed;
  }
}

async function record(
  executor: Executor,
  { tenantId, id }: repo.Report,
  type: "report.requested" | "report.downloaded",
  details: Record<string, unknown>,
  { actor, context }: Asker,
  now: Date,
): Promise<void> {
  await audit.record(executor, {
    tenantId,
    type,
    actor,
    target: { type: "report", id },
    details,
    context,
    now,
  });
}
