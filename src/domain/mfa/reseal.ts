import type { Deps } from "../../deps.ts";
import { resealBackupCodeKeys } from "./backup-codes/service.ts";
import { resealTotpSecrets } from "./totp/service.ts";

const BATCH = 200;

/**
 * Seals the secrets of all tenants' authenticator apps and backup codes under the first master key, after which the others
 * can be taken out of the configuration as far as these go. Safe to repeat.
 * @returns how many were sealed anew
 * @throws MasterKeyError when one is sealed under a master key that is not configured
 */
export async function resealMfaSecrets(deps: Deps): Promise<number> {
  let count = 0;
  for (const resealSome of [resealTotpSecrets, resealBackupCodeKeys]) {
    let resealed: number;
    do {
      resealed = await resealSome(deps, BATCH);
      count += resealed;
    } while (resealed === BATCH);
  }
  return count;
}
