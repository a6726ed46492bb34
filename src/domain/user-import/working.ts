/** The worker's half of imports. */
import { type Executor, violatesUnique } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import * as audit from "../audit/service.ts";
import { importBatch } from "./batch.ts";
import { readFile, removeFile } from "./files.ts";
import { openFirebaseParameters } from "./firebase.ts";
import { type Candidate, type FirebaseHashing, readCandidate } from "./model.ts";
import { fail, noOutcome, type Outcome, slices } from "./outcome.ts";
import { type FileRecord, readRecords, UnreadableFile } from "./records.ts";
import * as repo from "./repo.ts";

/** Rows of one transaction. */
const BATCH = 500;
/** Of so many failed rows it is kept what is wrong with them. */
export const MOST_FAILED_KEPT = 100_000;
/** Somebody else took the same name or address between our look and our writing: looked at again, it is a conflict. */
const TRIES = 3;

/** Somebody cancelled the import, or another worker has it. */
class Superseded extends Error {
  override readonly name = "Superseded";
}

/**
 * Works through an import from where it is, unless it is over. Safe to repeat and to run twice at once: every batch holds
 * the import, and goes on only where the one before ended.
 */
export async function runImport(deps: Deps, tenantId: Id<"tenant">, id: Id<"userImport">): Promise<void> {
  const begun = await begin(deps, tenantId, id);
  if (!begun) return;
  try {
    const file = await readFile(deps, begun);
    if (!file) throw new UnreadableFile("The file is not there any more.");
    await workThrough(deps, begun, file);
    await finish(deps, begun, "done");
  } catch (error) {
    if (error instanceof Superseded) return;
    if (!(error instanceof UnreadableFile)) throw error;
    await finish(deps, begun, "failed", error.message);
  }
}

/** Says that nobody works on it any more. What was imported stays. */
export async function giveUpImport(deps: Deps, tenantId: Id<"tenant">, id: Id<"userImport">): Promise<void> {
  const found = await repo.findImport(deps.db, tenantId, id);
  if (found) await finish(deps, found, "failed", "The import was given up after several attempts.");
}

async function begin(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: Id<"userImport">,
): Promise<repo.UserImport | undefined> {
  return deps.db.transaction(async (tx) => {
    const found = await repo.lockImport(tx, { tenantId, id });
    if (found?.status !== "pending" && found?.status !== "running") return undefined;
    const startedAt = found.startedAt ?? deps.clock.now();
    await repo.updateImport(tx, found, { status: "running", startedAt });
    return { ...found, status: "running", startedAt };
  });
}

async function workThrough(deps: Deps, of: repo.UserImport, file: AsyncIterable<Uint8Array>): Promise<void> {
  const firebase = openFirebaseParameters(deps, of);
  let done = of.rowsRead;
  let records: FileRecord[] = [];
  const flush = async () => {
    const last = records.at(-1);
    if (!last) return;
    await writeBatch(deps, of, { firebase, after: done, records, bytesRead: last.bytesRead });
    done = last.row;
    records = [];
  };
  for await (const record of readRecords(of.format, file)) {
    if (record.row <= of.rowsRead) continue;
    records.push(record);
    if (records.length === BATCH) await flush();
  }
  await flush();
}

interface Batch {
  readonly firebase: FirebaseHashing | undefined;
  /** The last row of the batch before. */
  readonly after: number;
  readonly records: readonly FileRecord[];
  readonly bytesRead: number;
}

async function writeBatch(deps: Deps, of: repo.UserImport, batch: Batch): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await deps.db.transaction((tx) => writeOnce(tx, of, batch, deps.clock.now()));
      return;
    } catch (error) {
      const taken = violatesUnique(error, "users_username") || violatesUnique(error, "user_emails_address");
      if (!taken || attempt === TRIES) throw error;
    }
  }
}

async function writeOnce(
  tx: Executor,
  of: repo.UserImport,
  { firebase, after, records, bytesRead }: Batch,
  now: Date,
): Promise<void> {
  const current = await repo.lockImport(tx, of);
  if (current?.status !== "running" || current.rowsRead !== after) throw new Superseded();
  const outcome = noOutcome();
  const candidates: Candidate[] = [];
  for (const { row, fields } of records) {
    const read = fields ? readCandidate(row, fields, { firebase, now }) : [unreadable];
    if (Array.isArray(read)) fail(outcome, row, read);
    else candidates.push(read);
  }
  await importBatch(tx, current, candidates, outcome, now);
  if (current.failed < MOST_FAILED_KEPT)
    for (const some of slices(outcome.errors)) await repo.insertErrors(tx, current, some);
  await repo.updateImport(tx, current, {
    rowsRead: after + records.length,
    bytesRead,
    ...sums(current, outcome),
  });
}

const unreadable = { field: "row", message: "Cannot be read, or is longer than 65536 characters." };

const sums = (of: repo.UserImport, { created, updated, skipped, failed }: Outcome) => ({
  created: of.created + created,
  updated: of.updated + updated,
  skipped: of.skipped + skipped,
  failed: of.failed + failed,
});

async function finish(
  deps: Deps,
  of: repo.UserImport,
  status: "done" | "failed",
  problem: string | null = null,
): Promise<void> {
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    const current = await repo.lockImport(tx, of);
    if (current?.status !== "running" && current?.status !== "pending") return;
    const bytesRead = status === "done" ? current.bytes : current.bytesRead;
    await repo.updateImport(tx, of, {
      status,
      problem,
      bytesRead,
      completedAt: now,
      firebaseParameters: null,
    });
    const { dryRun, rowsRead, created, updated, skipped, failed } = current;
    await audit.record(tx, {
      tenantId: of.tenantId,
      type: "users.import_finished",
      actor: { type: "system" },
      target: { type: "user_import", id: of.id },
      details: { status, dry_run: dryRun, rows: rowsRead, created, updated, skipped, failed },
      context: { requestId: of.id, ip: undefined, userAgent: undefined },
      now,
    });
  });
  // It holds people's names and hashes: nobody needs them twice.
  await removeFile(deps, of);
}
