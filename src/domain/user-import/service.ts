/**
 * Users that come in a file, as many as another system has: kept sealed, worked through by a worker in batches, told about
 * while it is under way.
 */
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { AppError, conflict, forbidden, notFound } from "../../lib/errors.ts";
import { type Id, isId, newId } from "../../lib/ids.ts";
import type { PageRequest, PageResult } from "../../lib/page.ts";
import { enqueue } from "../../queue/outbox.ts";
import type { Administrator } from "../administrators/service.ts";
import * as audit from "../audit/service.ts";
import { removeFile, writeFile } from "./files.ts";
import { sealFirebaseParameters } from "./firebase.ts";
import { type ConflictRule, type Format, MOST_FILE_BYTES } from "./model.ts";
import * as repo from "./repo.ts";

export { type ConflictRule, conflictRules, type Format, MOST_FILE_BYTES } from "./model.ts";
export type { ImportError, UserImport } from "./repo.ts";

/** What became of an import is told for so long. */
const KEPT_SECONDS = 30 * 86_400;
/** Of one tenant, at once. */
const MOST_OPEN = 5;
const ERRORS_PAGE = 1000;

export interface ImportRequest {
  readonly format: Format;
  readonly onConflict: ConflictRule;
  /** Says what would become of each row, and changes nothing. */
  readonly dryRun: boolean;
  /** JSON, for hashes that Firebase made. */
  readonly firebaseParameters: string | undefined;
  readonly file: AsyncIterable<Uint8Array>;
}

type Person = Administrator & { readonly actor: { readonly type: "user" } };

/** Who comes with a key opens no accounts by hashes of their own making. */
function requirePerson(by: Administrator): asserts by is Person {
  if (by.actor.type !== "user" || by.context.apiKeyId !== undefined)
    throw forbidden("An API key imports no users: this needs an administrator who is signed in.");
}

/**
 * Keeps the file and has it worked through.
 * @throws AppError 403 for an API key; 409 when the tenant has enough imports under way; 413; 422 for Firebase parameters
 *   that are none
 */
export async function requestImport(
  deps: Deps,
  tenantId: Id<"tenant">,
  request: ImportRequest,
  by: Administrator,
): Promise<repo.UserImport> {
  requirePerson(by);
  const row = await announce(deps, tenantId, request, by);
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of request.file) {
      bytes += chunk.byteLength;
      if (bytes > MOST_FILE_BYTES)
        throw new AppError(413, "payload_too_large", `The file is larger than ${MOST_FILE_BYTES} bytes.`);
      yield chunk;
    }
  }
  try {
    await writeFile(deps, row, counted());
  } catch (error) {
    await repo.deleteImport(deps.db, row);
    throw error;
  }
  return submit(deps, row, bytes, by);
}

/** Before the file comes, so that one whose sender or server goes away is found, and removed. */
async function announce(
  deps: Deps,
  tenantId: Id<"tenant">,
  { format, onConflict, dryRun, firebaseParameters }: ImportRequest,
  by: Person,
): Promise<repo.UserImport> {
  if ((await repo.countOpen(deps.db, tenantId, MOST_OPEN)) >= MOST_OPEN)
    throw conflict(`${MOST_OPEN} imports are under way. Wait for one of them, or cancel it.`);
  const id = newId("userImport");
  const now = deps.clock.now();
  const sealed =
    firebaseParameters === undefined ? undefined : sealFirebaseParameters(deps, { id }, firebaseParameters);
  await repo.insertImport(deps.db, {
    tenantId,
    id,
    format,
    onConflict,
    dryRun,
    firebaseParameters: sealed?.box ?? null,
    masterKeyId: deps.config.masterKeys[0].id,
    status: "uploading",
    requestedBy: by.actor.id,
    superAdmin: by.superAdmin,
    createdAt: now,
    expiresAt: addSeconds(now, KEPT_SECONDS),
  });
  return getImport(deps, tenantId, id);
}

async function submit(
  deps: Deps,
  { tenantId, id, ...row }: repo.UserImport,
  bytes: number,
  { actor, context }: Administrator,
): Promise<repo.UserImport> {
  const now = deps.clock.now();
  const { format, onConflict, dryRun } = row;
  const submitted = await deps.db.transaction(async (tx) => {
    const current = await repo.lockImport(tx, { tenantId, id });
    if (current?.status !== "uploading") return false;
    await repo.updateImport(tx, current, { status: "pending", bytes });
    await audit.record(tx, {
      tenantId,
      type: "users.import_requested",
      actor,
      target: { type: "user_import", id },
      details: { format, on_conflict: onConflict, dry_run: dryRun, bytes },
      context,
      now,
    });
    await enqueue(tx, { tenantId, queue: "users", name: "import", payload: { import_id: id }, now });
    return true;
  });
  // Somebody cancelled it while it came.
  if (!submitted) await removeFile(deps, { tenantId, id, ...row });
  return getImport(deps, tenantId, id);
}

/** @throws AppError 404, for another tenant's as for none */
export async function getImport(deps: Deps, tenantId: Id<"tenant">, id: string): Promise<repo.UserImport> {
  const found = isId("userImport", id) ? await repo.findImport(deps.db, tenantId, id) : undefined;
  if (!found) throw noImport();
  return found;
}

const noImport = () => notFound("There is no such import.");

/** @param page whose `after.value` is a moment */
export const listImports = (
  deps: Deps,
  tenantId: Id<"tenant">,
  page: PageRequest<"created_at">,
): Promise<PageResult<repo.UserImport>> => repo.listImports(deps.db, tenantId, page);

/** What is wrong with rows, a page at a time. */
export async function* eachError(deps: Deps, of: repo.UserImport): AsyncGenerator<repo.ImportError[]> {
  let after = { row: 0, number: -1 };
  for (;;) {
    const page = await repo.findErrors(deps.db, of, after, ERRORS_PAGE);
    const last = page.at(-1);
    if (!last) return;
    yield page;
    if (page.length < ERRORS_PAGE) return;
    after = last;
  }
}

/**
 * Stops an import where it is: what was imported stays.
 * @throws AppError 404; 409 for one that is over
 */
export async function cancelImport(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: string,
  { actor, context }: Administrator,
): Promise<repo.UserImport> {
  if (!isId("userImport", id)) throw noImport();
  const now = deps.clock.now();
  const cancelled = await deps.db.transaction(async (tx) => {
    const found = await repo.lockImport(tx, { tenantId, id });
    if (!found) throw noImport();
    if (!["uploading", "pending", "running"].includes(found.status))
      throw conflict("The import is over already.");
    const changes = { status: "cancelled", completedAt: now, firebaseParameters: null } as const;
    await repo.updateImport(tx, found, changes);
    const { rowsRead: rows, created, updated } = found;
    const details = { rows, created, updated };
    const target = { type: "user_import", id } as const;
    await audit.record(tx, {
      tenantId,
      type: "users.import_cancelled",
      actor,
      target,
      details,
      context,
      now,
    });
    return { ...found, ...changes };
  });
  await removeFile(deps, cancelled);
  return cancelled;
}

const EXPIRED_AT_ONCE = 100;

/** Removes what is too old, file first: of one that is killed meanwhile the row is left, and is found again. */
export async function removeExpiredImports(deps: Deps): Promise<number> {
  let removed = 0;
  for (;;) {
    const batch = await repo.findExpired(deps.db, deps.clock.now(), EXPIRED_AT_ONCE);
    for (const one of batch) {
      await removeFile(deps, one);
      await repo.deleteImport(deps.db, one);
    }
    removed += batch.length;
    if (batch.length < EXPIRED_AT_ONCE) return removed;
  }
}
