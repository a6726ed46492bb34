import type { Deps } from "../../deps.ts";
import { openTokens, sealOpened } from "../federation/tokens.ts";
import * as repo from "./repo.ts";

const BATCH = 200;

/**
 * Seals all tenants' upstream tokens under the first master key. Safe to repeat.
 * @returns how many accounts' it was
 * @throws MasterKeyError when one is sealed under a master key that is not configured
 */
export async function resealUpstreamTokens(deps: Deps): Promise<number> {
  let count = 0;
  for (;;) {
    const found = await repo.findSealedElsewhere(deps.db, deps.config.masterKeys[0].id, BATCH);
    for (const tokens of found) {
      const opened = openTokens(deps, tokens.id, tokens.sealed);
      await repo.replaceSeal(deps.db, tokens, sealOpened(deps, tokens.id, opened));
    }
    count += found.length;
    if (found.length < BATCH) return count;
  }
}
