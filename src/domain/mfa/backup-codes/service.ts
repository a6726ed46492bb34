/**
 * Backup codes: ten, each good once, for when a phone is lost. Short enough to be typed, so a plain digest of one could be
 * searched for in moments: they are hashed under a random key of their set, which is sealed under the master key.
 */
import { randomBytes } from "node:crypto";
import type { Executor } from "../../../db/client.ts";
import type { Deps } from "../../../deps.ts";
import { hmacSha256 } from "../../../lib/crypto.ts";
import { sealWith, unsealWith } from "../../../lib/master-keys.ts";
import * as repo from "./repo.ts";
import type { Owner } from "./repo.ts";

export { countUnused as countBackupCodes, deleteSet as dropBackupCodes } from "./repo.ts";

export const BACKUP_CODE_COUNT = 10;

/** Crockford's alphabet in lower case: nothing in it is mistaken for anything else in it. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

const contextOf = ({ userId }: Owner) => `backup-codes/${userId}`;

/** Makes a new set, in the caller's transaction; the one before is good no more. @returns the codes, for this once */
export async function createBackupCodes(
  deps: Deps,
  executor: Executor,
  owner: Owner,
  now: Date,
): Promise<string[]> {
  const key = randomBytes(32);
  const codes = new Set<string>();
  while (codes.size < BACKUP_CODE_COUNT) codes.add(newCode());
  const sealed = sealWith(deps.config.masterKeys, key, contextOf(owner));
  await repo.replaceSet(
    executor,
    { ...owner, sealedKey: sealed.box, masterKeyId: sealed.keyId, createdAt: now },
    [...codes].map((code) => hmacSha256(key, code)),
  );
  return [...codes].map((code) => `${code.slice(0, 4)}-${code.slice(4)}`);
}

/** 40 random bits. */
function newCode(): string {
  return [...randomBytes(8)].map((byte) => ALPHABET[byte % 32]).join("");
}

/**
 * A code as it was printed, however it was typed: upper case, without the hyphen, with the letters that stand for digits.
 * @returns undefined for what is no code
 */
function normalize(text: string): string | undefined {
  const code = text.toLowerCase().replaceAll(/[\s-]/g, "").replaceAll("o", "0").replaceAll(/[il]/g, "1");
  return /^[0-9a-hjkmnp-tv-z]{8}$/.test(code) ? code : undefined;
}

/**
 * The unused code that somebody typed.
 * @returns what uses it up, in the transaction that it is used for: false when another request was quicker
 */
export async function findBackupCode(
  deps: Deps,
  owner: Owner,
  text: string,
): Promise<((executor: Executor, now: Date) => Promise<boolean>) | undefined> {
  const code = normalize(text);
  const set = code && (await repo.findSet(deps.db, owner));
  if (!set) return undefined;
  const hash = hmacSha256(keyOf(deps, set), code);
  if (!(await repo.isUnused(deps.db, owner, hash))) return undefined;
  return (executor, now) => repo.useCode(executor, owner, hash, now);
}

function keyOf(deps: Deps, set: repo.BackupCodeSet): Buffer {
  const sealed = { keyId: set.masterKeyId, box: set.sealedKey };
  return unsealWith(deps.config.masterKeys, sealed, contextOf(set));
}

/** Seals up to `limit` sets' keys under the first master key. @returns how many it was */
export async function resealBackupCodeKeys(deps: Deps, limit: number): Promise<number> {
  const { masterKeys } = deps.config;
  const sets = await repo.findSealedOtherwise(deps.db, masterKeys[0].id, limit);
  for (const set of sets) {
    await repo.replaceSeal(deps.db, set, sealWith(masterKeys, keyOf(deps, set), contextOf(set)));
  }
  return sets.length;
}
