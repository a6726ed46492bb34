/**
 * Brings jobs from the outbox to the queue. Rows are added to the queue before the transaction that deletes them
 * commits, so a relay that dies between the two leaves the rows, and the next one adds them again under the same job
 * ids: the queue ignores an id that it knows, and the ledger stops what the queue has forgotten.
 */
import type { Database } from "../src/db/client.ts";
import type { Logger } from "../src/lib/log.ts";
import { type QueueName, queueNames } from "../src/queue/contracts.ts";
import { claimOutboxRows, OUTBOX_CHANNEL } from "../src/queue/outbox.ts";
import type { NewJob } from "../src/queue/queue-handle.ts";

export type AddJobs = (queue: QueueName, jobs: readonly NewJob[]) => Promise<void>;

export interface Relay {
  /** Resolves when the batch in hand is on the queue. */
  stop(): Promise<void>;
}

const BATCH = 200;
const POLL_MS = 2000;
const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 5000;

/** @returns how many rows were moved; fewer than `limit` when the outbox is empty or others hold the rest. */
export async function relayBatch(db: Database, add: AddJobs, limit = BATCH): Promise<number> {
  return db.transaction(async (tx) => {
    const rows = await claimOutboxRows(tx, limit);
    for (const queue of queueNames) {
      const jobs = rows
        .filter((row) => row.queue === queue)
        .map(({ id, name, tenantId, payload }) => ({
          id: `outbox-${id}`,
          name,
          data: { tenantId, payload },
        }));
      if (jobs.length > 0) await add(queue, jobs);
    }
    return rows.length;
  });
}

/**
 * Moves rows as they come: woken by the database's notification, and by the clock where one was lost. Any number of
 * relays may run at once. While database or queue are away it tries again, ever more slowly.
 */
export async function startRelay(db: Database, add: AddJobs, log: Logger): Promise<Relay> {
  let stopping = false;
  const alarm = createAlarm();
  const subscription = await db.$client.listen(OUTBOX_CHANNEL, alarm.ring, alarm.ring);

  async function run(): Promise<void> {
    let backoffMs = FIRST_BACKOFF_MS;
    while (!stopping) {
      try {
        const moved = await relayBatch(db, add);
        backoffMs = FIRST_BACKOFF_MS;
        if (moved < BATCH) await alarm.waitAtMost(POLL_MS);
      } catch (err) {
        if (stopping) return;
        log.warn({ err, retry_in_ms: backoffMs }, "the outbox could not be relayed");
        await alarm.waitAtMost(backoffMs);
        backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS);
      }
    }
  }

  const running = run();
  return {
    async stop() {
      stopping = true;
      alarm.ring();
      await running;
      await subscription.unlisten();
    },
  };
}

/** A wait that can be cut short; a ring before the wait counts for it. */
function createAlarm() {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring(): void {
      rung = true;
      wake?.();
    },
    async waitAtMost(ms: number): Promise<void> {
      if (!rung) {
        const { promise, resolve } = Promise.withResolvers<void>();
        const timer = setTimeout(resolve, ms);
        wake = resolve;
        await promise;
        clearTimeout(timer);
        wake = undefined;
      }
      rung = false;
    },
  };
}
