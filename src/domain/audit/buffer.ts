import { type Database, refusesContent } from "../../db/client.ts";
import type { Logger } from "../../lib/log.ts";
import { type AuditRow, insertEventBatch } from "./repo.ts";

const MAX_ROWS = 500;
const MAX_DELAY_MS = 50;
const RETRY_DELAY_MS = 1000;
/** While the database is away, so many rows are kept; beyond them the oldest are logged and let go. */
const MAX_KEPT = 50_000;

export interface AuditBuffer {
  /** Records an event of a request that writes nothing else, in a batch at most 50 ms later. */
  add(row: AuditRow): void;
  /** Tries once to write all that is there. */
  flush(): Promise<void>;
  /** Flushes, and logs what could not be written; to be awaited before the process ends. */
  close(): Promise<void>;
}

export function createAuditBuffer(db: Database, log: Logger): AuditBuffer {
  let rows: AuditRow[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> = Promise.resolve();
  /** Since a batch failed until all is written: the first rows may be in the database, though nobody heard of it. */
  let failing = false;
  let atOnce = MAX_ROWS;

  async function write(): Promise<void> {
    while (rows.length > 0) {
      const batch = rows.splice(0, atOnce);
      try {
        await insertEventBatch(db, batch, { again: failing });
        atOnce = MAX_ROWS;
      } catch (err) {
        failing = true;
        // One row that can never be written must not keep all others waiting: halves are tried until it is alone.
        if (refusesContent(err) && batch.length === 1) {
          log.fatal({ err, dropped: batch }, "audit event refused");
          continue;
        }
        rows = [...batch, ...rows];
        if (refusesContent(err)) {
          atOnce = Math.ceil(batch.length / 2);
          continue;
        }
        log.error(
          { err, rows: batch.length },
          "audit events could not be written; they are kept for the next try",
        );
        schedule(RETRY_DELAY_MS);
        return;
      }
    }
    failing = false;
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(write);
    return writing;
  }

  function schedule(delayMs: number): void {
    timer ??= setTimeout(flush, delayMs);
  }

  const drop = (count: number) => log.fatal({ dropped: rows.splice(0, count) }, "audit events dropped");

  return {
    add(row) {
      rows.push(row);
      if (rows.length >= MAX_KEPT + MAX_ROWS) drop(MAX_ROWS);
      // The next try takes this row along.
      if (failing) return;
      if (rows.length === MAX_ROWS) void flush();
      else schedule(MAX_DELAY_MS);
    },
    flush,
    async close() {
      await flush();
      clearTimeout(timer);
      timer = undefined;
      if (rows.length > 0) drop(rows.length);
    },
  };
}
