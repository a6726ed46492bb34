/** Compares a password with a hash of any form that `hash-formats.ts` reads. */
import { createCipheriv, pbkdf2, scrypt, type ScryptOptions } from "node:crypto";
import { promisify } from "node:util";
import { equalInConstantTime } from "../../lib/crypto.ts";
import { type MasterKeys, unsealWith } from "../../lib/master-keys.ts";
import { type PasswordHash, readPasswordHash } from "./hash-formats.ts";

const derive = promisify(pbkdf2);
const deriveScrypt = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** What a Firebase project's signer key is sealed as. */
export const SIGNER_KEY_CONTEXT = "firebase-signer-key";
/** bcrypt looks at no more of a password. */
const BCRYPT_BYTES = 72;

/** @returns false also for a hash of no known form, or one whose cost is out of bounds */
export async function matchesHash(
  password: string,
  encoded: string,
  masterKeys: MasterKeys | undefined,
): Promise<boolean> {
  const hash = readPasswordHash(encoded);
  if (typeof hash === "string") return false;
  switch (hash.algorithm) {
    case "argon2":
      return verifyEncoded(password, hash.encoded);
    case "bcrypt":
      // The runtime hashes longer ones first, which nobody else does.
      return verifyEncoded(Buffer.from(password).subarray(0, BCRYPT_BYTES), hash.encoded);
    case "scrypt":
      return equalInConstantTime(await scryptOf(password, hash.salt, hash, hash.digest.length), hash.digest);
    case "pbkdf2": {
      const { salt, iterations, digest } = hash;
      return equalInConstantTime(await derive(password, salt, iterations, digest.length, hash.hash), digest);
    }
    case "firebase-scrypt":
      return matchesFirebase(password, hash, masterKeys);
  }
}

const UNUSABLE = new Set(["PASSWORD_INVALID_ENCODING", "PASSWORD_WEAK_PARAMETERS"]);

/** The runtime throws for what it cannot decode or finds too weak: no password is right for that. */
async function verifyEncoded(password: string | Buffer, encoded: string): Promise<boolean> {
  try {
    return await Bun.password.verify(password, encoded);
  } catch (error) {
    if (error instanceof Error && "code" in error && UNUSABLE.has(String(error.code))) return false;
    throw error;
  }
}

function scryptOf(
  password: string,
  salt: Buffer,
  { N, r, p }: { N: number; r: number; p: number },
  length: number,
): Promise<Buffer> {
  // What RFC 7914 §5 needs, and some for the rest.
  return deriveScrypt(password, salt, length, { N, r, p, maxmem: 128 * r * (N + p + 2) + 1024 * 1024 });
}

/**
 * Firebase's modification: the derived key is not compared, it encrypts the project's signer key (AES-256 in counter mode),
 * and the result is compared.
 * @throws MasterKeyError when the signer key was sealed under a master key that is not there any more
 */
async function matchesFirebase(
  password: string,
  hash: PasswordHash & { algorithm: "firebase-scrypt" },
  masterKeys: MasterKeys | undefined,
): Promise<boolean> {
  if (!masterKeys) return false;
  const box = { keyId: hash.keyId, box: hash.sealedSignerKey };
  const signerKey = unsealWith(masterKeys, box, SIGNER_KEY_CONTEXT);
  const costs = { N: 2 ** hash.memCost, r: hash.rounds, p: 1 };
  const key = await scryptOf(password, Buffer.concat([hash.salt, hash.saltSeparator]), costs, 32);
  const cipher = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
  return equalInConstantTime(Buffer.concat([cipher.update(signerKey), cipher.final()]), hash.digest);
}
