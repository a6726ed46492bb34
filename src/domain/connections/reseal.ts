import type { Deps } from "../../deps.ts";
import * as repo from "./repo.ts";
import { sealSecrets, unsealSecrets } from "./secrets.ts";

const BATCH = 200;

/**
 * Seals all tenants' connections' secrets under the first master key. Safe to repeat.
 * @returns how many connections it was
 * @throws MasterKeyError when one is sealed under a master key that is not configured
 */
export async function resealConnectionSecrets(deps: Deps): Promise<number> {
  let count = 0;
  for (;;) {
    const found = await repo.findSealedElsewhere(deps.db, deps.config.masterKeys[0].id, BATCH);
    for (const row of found) {
      const fresh = sealSecrets(deps, row.id, unsealSecrets(deps, row.id, row.sealed));
      if (fresh) await repo.replaceSealedSecrets(deps.db, row, fresh);
    }
    count += found.length;
    if (found.length < BATCH) return count;
  }
}
