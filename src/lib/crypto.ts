/** Randomness, digests, comparison and sealing: thin names over node:crypto, so that each choice is made once. */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hash,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";

/** Random bytes in base64url; 256 bits unless told: what every token of ours ends in. */
export function randomSecret(bytes = 32): string {
  return randomBytes(bytes).toString("base64url");
}

export function sha256(input: string | Uint8Array): Buffer {
  return hash("sha256", input, "buffer");
}

export function hmacSha256(key: Uint8Array, input: string | Uint8Array): Buffer {
  return createHmac("sha256", key).update(input).digest();
}

/** Compares without telling by its time where the two differ. Unequal lengths are unequal. */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** A key of 32 bytes for one purpose, from a key of many (HKDF-SHA-256, RFC 5869). */
export function deriveKey(master: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", master, new Uint8Array(0), `gatewright/${purpose}`, 32));
}

/**
 * AES-256-GCM: 12 bytes of nonce, the ciphertext, 16 bytes of tag.
 * @param context authenticated but not stored: a box opens only where it was sealed (e.g. `signing-key/<id>`).
 */
export function seal(key: Uint8Array, plaintext: string | Uint8Array, context: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** @returns undefined when the box was made with another key, for another context, or was changed. */
export function unseal(key: Uint8Array, box: Uint8Array, context: string): Buffer | undefined {
  if (box.length < 28) return undefined;
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, box.subarray(0, 12))
      .setAAD(Buffer.from(context))
      .setAuthTag(box.subarray(box.length - 16));
    return Buffer.concat([decipher.update(box.subarray(12, box.length - 16)), decipher.final()]);
  } catch {
    return undefined;
  }
}
