/**
 * The keys that seals are checked with. They are the tenant's own signing keys, whose public halves are kept here for as
 * long as the seals are; each with a proof under the master key, since somebody who may write to the database, and no
 * more than that, could else sign with a key of their own and put it here.
 */
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { deriveKey, equalInConstantTime, hmacSha256 } from "../../lib/crypto.ts";
import { type Id, isId } from "../../lib/ids.ts";
import type { MasterKey } from "../../lib/master-keys.ts";
import { canonicalJson } from "../../lib/merkle.ts";
import {
  importVerificationKey,
  publicJwkOf,
  type SigningKey,
  type VerificationKey,
} from "../../protocol/jose/keys.ts";
import * as repo from "./repo.ts";

/** What seals are signed with. */
export const SEAL_ALGORITHM = "ES256";

/** Keeps the public half of a key that signs a seal, in the transaction that keeps the seal. */
export async function keepSealKey(
  deps: Deps,
  executor: Executor,
  tenantId: Id<"tenant">,
  key: SigningKey,
  now: Date,
): Promise<void> {
  if (!isId("signingKey", key.kid)) throw new Error("not one of our signing keys");
  const publicJwk = { ...publicJwkOf(key) };
  const [master] = deps.config.masterKeys;
  const row = { tenantId, kid: key.kid, publicJwk };
  await repo.insertSealKey(executor, {
    ...row,
    proof: proofOf(master, row),
    masterKeyId: master.id,
    createdAt: now,
  });
}

/** The tenant's keys that the master key vouches for, by `kid`. */
export async function trustedKeys(
  deps: Deps,
  tenantId: Id<"tenant">,
): Promise<ReadonlyMap<string, VerificationKey>> {
  const rows = await repo.findSealKeys(deps.db, tenantId);
  return new Map(
    rows
      .filter((row) => isProven(deps, row))
      .map((row) => [row.kid, importVerificationKey(row.kid, SEAL_ALGORITHM, row.publicJwk)]),
  );
}

/**
 * Vouches for all tenants' keys under the first of the master keys, so that the others can be taken away. A key whose
 * proof does not hold is left as it is.
 * @returns how many were proven anew
 */
export async function proveKeysAnew(deps: Deps): Promise<number> {
  const [master] = deps.config.masterKeys;
  const rows = (await repo.findKeysProvenOtherwise(deps.db, master.id)).filter((row) => isProven(deps, row));
  for (const row of rows) {
    await repo.replaceProof(deps.db, row, { proof: proofOf(master, row), masterKeyId: master.id });
  }
  return rows.length;
}

function isProven(deps: Deps, row: repo.SealKeyRow): boolean {
  const master = deps.config.masterKeys.find(({ id }) => id === row.masterKeyId);
  return master !== undefined && equalInConstantTime(row.proof, proofOf(master, row));
}

function proofOf(
  master: MasterKey,
  { tenantId, kid, publicJwk }: Pick<repo.SealKeyRow, "tenantId" | "kid" | "publicJwk">,
): Buffer {
  return hmacSha256(deriveKey(master.key, "audit-seal-keys"), canonicalJson([tenantId, kid, publicJwk]));
}
