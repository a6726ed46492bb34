import type { Database } from "../../db/client.ts";
import type { Logger } from "../../lib/log.ts";
import { type AuditRow, insertEventBatch } from "./repo.ts";

const MAX_ROWS = 500;
const MAX_DELAY_MS = 50;
/** While the database is away, so many rows are kept; beyond them the oldest are logged and let go. */
const MAX_KEPT = 50_000;

export interface AuditBuffer {
  /** Records an event of a request that writes nothing else, in a batch at most 50 ms later. */
  add(row: AuditRow): void;
  flush(): Promise<void>;
  /** Flushes; to be awaited before the process ends. */
  close(): Promise<void>;
}

export function createAuditBuffer(db: Database, log: Logger): AuditBuffer {
  let rows: AuditRow[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    while (rows.length > 0) {
      const batch = rows.splice(0, MAX_ROWS);
      try {
        await insertEventBatch(db, batch);
      } catch (err) {
        log.error(
          { err, rows: batch.length },
          "audit events could not be written; they are kept for the next try",
        );
        rows = [...batch, ...rows];
        const dropped = rows.length - MAX_KEPT;
        if (dropped > 0) log.fatal({ dropped: rows.splice(0, dropped) }, "audit events dropped");
        schedule(1000);
        return;
      }
    }
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

  return {
    add(row) {
      rows.push(row);
      if (rows.length >= MAX_ROWS) void flush();
      else schedule(MAX_DELAY_MS);
    },
    flush,
    async close() {
      await flush();
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
