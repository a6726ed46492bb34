/**
 * A copy of all that is kept about a person, for that person (GDPR Articles 15 and 20): asked for, made by a worker, kept
 * sealed for a week, and opened only for its owner, who has just proved again who they are. It lies in the database and not
 * in a file, because the worker that makes it and the process that hands it out may run on different machines.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { seal } from "../../lib/crypto.ts";
import { AppError, notFound } from "../../lib/errors.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { openBox } from "../../lib/master-keys.ts";
import { enqueue } from "../../queue/outbox.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { User } from "../users/service.ts";
import * as repo from "./repo.ts";
import { sections } from "./sections/service.ts";

const KEPT_SECONDS = 7 * 86_400;

export interface ExportStatus {
  readonly id: Id<"dataExport">;
  readonly status: "pending" | "ready" | "expired";
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** Has a copy made; asked for again while it is being made, it is the same one. */
export async function requestDataExport(
  deps: Deps,
  user: User,
  context: RequestContext,
): Promise<ExportStatus> {
  const now = deps.clock.now();
  const owner = { tenantId: user.tenantId, userId: user.id };
  return deps.db.transaction(async (tx) => {
    const pending = await repo.findPending(tx, owner, now);
    if (pending) return statusOf(pending, now);
    const id = newId("dataExport");
    const row = { ...owner, id, createdAt: now, expiresAt: addSeconds(now, KEPT_SECONDS) };
    await repo.insertExport(tx, row);
    await record(tx, user, "user.export_requested", id, context, now);
    const payload = { export_id: id };
    await enqueue(tx, { tenantId: user.tenantId, queue: "accounts", name: "export_data", payload, now });
    return statusOf({ ...row, readyAt: null }, now);
  });
}

/** The copy that was asked for last, if there is one that is being made or can still be had. */
export async function findNewestExport(deps: Deps, user: User): Promise<ExportStatus | undefined> {
  const now = deps.clock.now();
  const found = await repo.findNewest(deps.db, { tenantId: user.tenantId, userId: user.id }, now);
  return found && statusOf(found, now);
}

/** @throws AppError 404, for another person's as for none */
export async function findDataExport(deps: Deps, user: User, id: Id<"dataExport">): Promise<ExportStatus> {
  const found = await repo.findExport(deps.db, { tenantId: user.tenantId, userId: user.id }, id);
  if (!found) throw noSuchExport();
  return statusOf(found, deps.clock.now());
}

/**
 * @returns the copy, as JSON
 * @throws AppError 404 for none; 409 while it is being made; 410 when it is too old
 */
export async function downloadDataExport(
  deps: Deps,
  user: User,
  id: Id<"dataExport">,
  context: RequestContext,
): Promise<string> {
  const found = await repo.findExport(deps.db, { tenantId: user.tenantId, userId: user.id }, id);
  if (!found) throw noSuchExport();
  const now = deps.clock.now();
  const { status } = statusOf(found, now);
  if (status === "pending") throw new AppError(409, "not_ready", "The copy is still being made.");
  const packed = found.sealed && openBox(deps.secrets.exports, found.sealed, sealContext(id));
  if (status === "expired" || !packed) {
    throw new AppError(410, "export_expired", "This copy is no longer kept. Please ask for a new one.");
  }
  await deps.db.transaction(async (tx) => {
    await repo.updateExport(tx, found, { downloadedAt: now });
    await record(tx, user, "user.export_downloaded", id, context, now);
  });
  return gunzipSync(packed).toString();
}

/**
 * Makes the copy, in the caller's transaction: killed halfway, nothing is there, and it is made again.
 * @returns whose it is; undefined when it was made before, or its owner is gone
 */
export async function makeDataExport(
  deps: Deps,
  tx: Executor,
  tenantId: Id<"tenant">,
  id: Id<"dataExport">,
): Promise<Id<"user"> | undefined> {
  const pending = await repo.lockPending(tx, tenantId, id);
  if (!pending) return undefined;
  const owner = { tenantId, userId: pending.userId };
  const now = deps.clock.now();
  const content: Record<string, unknown> = { generated_at: now };
  for (const [name, read] of Object.entries(sections)) content[name] = await read(tx, owner);
  const packed = gzipSync(JSON.stringify(content));
  const sealed = seal(deps.secrets.exports[0].key, packed, sealContext(id));
  await repo.updateExport(tx, pending, { sealed, readyAt: now, expiresAt: addSeconds(now, KEPT_SECONDS) });
  return pending.userId;
}

const sealContext = (id: Id<"dataExport">) => `data-export/${id}`;
const noSuchExport = () => notFound("There is no such copy of your data.");

function statusOf(
  row: Pick<repo.DataExport, "id" | "createdAt" | "expiresAt" | "readyAt">,
  now: Date,
): ExportStatus {
  const { id, createdAt, expiresAt, readyAt } = row;
  const status = expiresAt <= now ? "expired" : readyAt ? "ready" : "pending";
  return { id, status, createdAt, expiresAt };
}

async function record(
  tx: Executor,
  user: User,
  type: audit.AuditEventType,
  exportId: Id<"dataExport">,
  context: RequestContext,
  now: Date,
): Promise<void> {
  await audit.record(tx, {
    tenantId: user.tenantId,
    type,
    actor: { type: "user", id: user.id },
    target: { type: "user", id: user.id },
    details: { export_id: exportId },
    context,
    now,
  });
}
