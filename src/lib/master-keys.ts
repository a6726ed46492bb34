import { seal, unseal } from "./crypto.ts";

/**
 * The keys that seal other keys at rest. The first one seals; all of them open, so that a key is replaced by
 * putting a new one in front and taking the old one out once everything is sealed anew.
 */
export type MasterKeys = readonly [MasterKey, ...MasterKey[]];

export interface MasterKey {
  readonly id: string;
  readonly key: Buffer;
}

/** @param text `id:base64` of 32 bytes, several separated by commas. A lone base64 value gets the id `1`. */
export function parseMasterKeys(text: string | undefined): MasterKeys | undefined {
  if (!text) return undefined;
  const keys = text.split(",").map((entry): MasterKey => {
    const [id, encoded] = entry.includes(":") ? entry.trim().split(":", 2) : ["1", entry.trim()];
    return { id: id ?? "", key: Buffer.from(encoded ?? "", "base64") };
  });
  const sound = keys.every(({ id, key }) => /^[\w-]{1,32}$/.test(id) && key.length === 32);
  const distinct = new Set(keys.map(({ id }) => id)).size === keys.length;
  const [first, ...rest] = keys;
  return sound && distinct && first ? [first, ...rest] : undefined;
}

/** What is sealed cannot be opened with the master keys that are configured. */
export class MasterKeyError extends Error {
  override readonly name = "MasterKeyError";
}

export interface SealedBox {
  keyId: string;
  box: Buffer;
}

export function sealWith(keys: MasterKeys, plaintext: string | Uint8Array, context: string): SealedBox {
  return { keyId: keys[0].id, box: seal(keys[0].key, plaintext, context) };
}

/** @throws MasterKeyError when the key is not configured any more, or the box was not sealed for this context. */
export function unsealWith(
  keys: MasterKeys,
  sealed: { keyId: string; box: Uint8Array },
  context: string,
): Buffer {
  const master = keys.find(({ id }) => id === sealed.keyId);
  if (!master)
    throw new MasterKeyError(
      `sealed under master key "${sealed.keyId}", which GATEWRIGHT_MASTER_KEY does not hold`,
    );
  const plaintext = unseal(master.key, sealed.box, context);
  if (!plaintext)
    throw new MasterKeyError(
      `cannot open what was sealed for ${context}: another master key, or changed data`,
    );
  return plaintext;
}
