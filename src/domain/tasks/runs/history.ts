import type { Deps } from "../../../deps.ts";
import { addSeconds } from "../../../lib/clock.ts";
import * as repo from "./repo.ts";

const NEWEST = 200;
const ALWAYS = 10;
const KEPT_SECONDS = 90 * 86_400;
const BATCH = 1000;

/** Removes runs beyond the last 200 of their task, and those older than 90 days that are not among its last ten. */
export async function deleteOldRuns(deps: Deps, signal: AbortSignal): Promise<number> {
  const keep = { newest: NEWEST, always: ALWAYS, since: addSeconds(deps.clock.now(), -KEPT_SECONDS) };
  let total = 0;
  for (;;) {
    signal.throwIfAborted();
    const gone = await repo.deleteOld(deps.db, keep, BATCH);
    total += gone;
    if (gone < BATCH) return total;
  }
}
