/**
 * Places in the audit trail are given when a row is written and become visible when its transaction commits, in another
 * order. A reader that goes by places must not pass one that is still to come: a seal would miss it, and a stream would
 * never show it. So nobody reads beyond the last place of which it is certain that everything before it has ended.
 */
import type { Database } from "../../db/client.ts";
import * as repo from "./repo.ts";

export interface Cut {
  readonly place: number;
  /** Settled when no transaction below this id is under way. */
  readonly until: bigint;
  /** The oldest transaction that was under way. */
  readonly oldest: bigint;
}

/**
 * The newest place, and the transactions that it waits for. The place is read first: every transaction that was given
 * one up to it has its id by then (`next_audit_seq`) and is among those of the snapshot.
 */
export async function takeCut(db: Database): Promise<Cut> {
  const place = await repo.lastPlace(db);
  const { next, oldest } = await repo.openTransactions(db);
  return { place, until: next, oldest };
}

const POLL_MS = 50;

/**
 * The last place up to which nothing more can appear. Not to be called within a transaction that writes: it would wait
 * for itself.
 * @returns undefined when a transaction that began before has not ended after `patienceMs`
 */
export async function settledPlace(db: Database, patienceMs = 10_000): Promise<number | undefined> {
  const cut = await takeCut(db);
  const end = performance.now() + patienceMs;
  let { oldest } = cut;
  while (oldest < cut.until) {
    if (performance.now() > end) return undefined;
    await Bun.sleep(POLL_MS);
    ({ oldest } = await repo.openTransactions(db));
  }
  return cut.place;
}
