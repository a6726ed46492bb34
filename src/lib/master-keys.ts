import { deriveKey, seal, unseal } from "./crypto.ts";

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

/**
 * Keys for one purpose, one from each master key and under its id. The first makes what is made from now on; what any of them
 * has made holds. So nobody's form, link or file is void because a master key is replaced, nor while some of many processes
 * have the new one in front and others do not yet.
 */
export type PurposeKeys = MasterKeys;

export function purposeKeys([first, ...rest]: MasterKeys, purpose: string): PurposeKeys {
  const derived = ({ id, key }: MasterKey): MasterKey => ({ id, key: deriveKey(key, purpose) });
  return [derived(first), ...rest.map(derived)];
}

/** A text that somebody else carries for us, sealed: base64url. @param context as for `seal` */
export function sealText(keys: PurposeKeys, text: string, context: string): string {
  return seal(keys[0].key, text, context).toString("base64url");
}

/** @returns undefined when it was not sealed by us and for this context, or was changed */
export function openText(keys: PurposeKeys, sealed: string, context: string): string | undefined {
  return openBox(keys, Buffer.from(sealed, "base64url"), context)?.toString();
}

/** The same of bytes, by whichever of the keys they were sealed with. */
export function openBox(keys: PurposeKeys, box: Uint8Array, context: string): Buffer | undefined {
  for (const { key } of keys) {
    const opened = unseal(key, box, context);
    if (opened) return opened;
  }
  return undefined;
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
