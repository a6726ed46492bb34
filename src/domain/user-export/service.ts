/** Users as a file: asked for, made by a worker, kept sealed for a week. */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { AppError, forbidden, notFound } from "../../lib/errors.ts";
import { type Id, isId, newId } from "../../lib/ids.ts";
import type { PageRequest, PageResult } from "../../lib/page.ts";
import { enqueue } from "../../queue/outbox.ts";
import type { Administrator } from "../administrators/service.ts";
import * as audit from "../audit/service.ts";
import { readFile, removeFile } from "./files.ts";
import { KEPT_SECONDS } from "./making.ts";
import type { Filter, Format } from "./model.ts";
import * as repo from "./repo.ts";

export { contentTypes, type Filter, type Format, formats } from "./model.ts";
export type { UserExport } from "./repo.ts";

export interface ExportRequest {
  readonly format: Format;
  readonly filter: Filter;
  /** Whoever has them can guess at every password for as long as they like. */
  readonly includePasswordHashes: boolean;
}

/** @throws AppError 403 for password hashes by who does not administer every tenant */
export async function requestExport(
  deps: Deps,
  tenantId: Id<"tenant">,
  { format, filter, includePasswordHashes }: ExportRequest,
  by: Administrator,
): Promise<repo.UserExport> {
  if (includePasswordHashes) requireMayTakeHashes(by);
  const now = deps.clock.now();
  const id = newId("userExport");
  return deps.db.transaction(async (tx) => {
    const made = await repo.insertExport(tx, {
      tenantId,
      id,
      format,
      filter,
      includePasswordHashes,
      status: "pending",
      requestedBy: by.actor.type === "user" ? by.actor.id : null,
      createdAt: now,
      expiresAt: addSeconds(now, KEPT_SECONDS),
    });
    const details = { format, filter, include_password_hashes: includePasswordHashes };
    await record(tx, made, "users.export_requested", details, by, now);
    await enqueue(tx, { tenantId, queue: "users", name: "export", payload: { export_id: id }, now });
    return made;
  });
}

/** A person, by a token of theirs: a key that was stolen is not to be worth all passwords. @throws AppError 403 */
function requireMayTakeHashes({ superAdmin, context }: Administrator): void {
  if (!superAdmin || context.apiKeyId !== undefined)
    throw forbidden("Only who administers every tenant, and is signed in, takes password hashes out of one.");
}

/** @throws AppError 404, for another tenant's as for none, and for one that is too old */
export async function getExport(deps: Deps, tenantId: Id<"tenant">, id: string): Promise<repo.UserExport> {
  const found = isId("userExport", id) ? await repo.findExport(deps.db, { tenantId, id }) : undefined;
  if (!found || found.expiresAt <= deps.clock.now()) throw notFound("There is no such export.");
  return found;
}

/** @param page whose `after.value` is a moment */
export const listExports = (
  deps: Deps,
  tenantId: Id<"tenant">,
  page: PageRequest<"created_at">,
): Promise<PageResult<repo.UserExport>> => repo.listExports(deps.db, tenantId, page);

/**
 * The users, as they were when the file was made.
 * @throws AppError 403 for a file with password hashes by who does not administer every tenant; 409 when it is not made; 410
 *   when it is gone
 */
export async function openExport(
  deps: Deps,
  of: repo.UserExport,
  by: Administrator,
): Promise<AsyncGenerator<Uint8Array>> {
  if (of.includePasswordHashes) requireMayTakeHashes(by);
  if (of.status === "failed") throw new AppError(409, "export_failed", "The export could not be made.");
  if (of.status !== "done") throw new AppError(409, "not_ready", "The export is still being made.");
  const file = await readFile(deps, of);
  // The first frame tells whether it opens at all; nothing has been answered yet.
  const first = await file?.next().catch(() => undefined);
  if (!file || !first || first.done)
    throw new AppError(410, "export_gone", "The export's file is no longer kept. Please ask for a new one.");
  const details = { format: of.format, include_password_hashes: of.includePasswordHashes };
  await record(deps.db, of, "users.export_downloaded", details, by, deps.clock.now());
  return resumed(first.value, file);
}

async function* resumed<T>(first: T, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

const EXPIRED_AT_ONCE = 100;

/** Removes what is too old, file first: of one that is killed meanwhile the row is left, and is found again. */
export async function removeExpiredExports(deps: Deps): Promise<number> {
  let removed = 0;
  for (;;) {
    const batch = await repo.findExpired(deps.db, deps.clock.now(), EXPIRED_AT_ONCE);
    for (const one of batch) {
      await removeFile(deps, one);
      await repo.deleteExport(deps.db, one);
    }
    removed += batch.length;
    if (batch.length < EXPIRED_AT_ONCE) return removed;
  }
}

async function record(
  executor: Executor,
  { tenantId, id }: repo.UserExport,
  type: "users.export_requested" | "users.export_downloaded",
  details: Record<string, unknown>,
  { actor, context }: Administrator,
  now: Date,
): Promise<void> {
  const target = { type: "user_export", id } as const;
  await audit.record(executor, { tenantId, type, actor, target, details, context, now });
}
