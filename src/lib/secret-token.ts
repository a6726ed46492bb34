/**
 * Opaque bearer secrets: `<prefix>_<record id>_<256 random bits>`. The record id finds the row by its primary key,
 * so that the stored digest is compared in constant time instead of being searched for, and a leaked log line can
 * be traced to its record. Only the SHA-256 of the random part is stored.
 */
import { equalInConstantTime, randomSecret, sha256 } from "./crypto.ts";
import { type Id, type IdKind, idPrefixes, isId } from "./ids.ts";

export interface SecretToken<K extends IdKind> {
  id: Id<K>;
  secret: string;
}

export function newSecretToken<K extends IdKind>(id: Id<K>): { token: string; secret: string; hash: Buffer } {
  const secret = randomSecret();
  return { token: formatSecretToken(id, secret), secret, hash: sha256(secret) };
}

export function formatSecretToken(id: string, secret: string): string {
  return `${id}_${secret}`;
}

const ENCODED_LENGTH = 26;

/** @returns undefined for anything that this server cannot have issued as that kind of token. */
export function parseSecretToken<K extends IdKind>(kind: K, token: string): SecretToken<K> | undefined {
  const idLength = idPrefixes[kind].length + 1 + ENCODED_LENGTH;
  const id = token.slice(0, idLength);
  const secret = token.slice(idLength + 1);
  if (!isId(kind, id) || token[idLength] !== "_" || !/^[\w-]{43}$/.test(secret)) return undefined;
  return { id, secret };
}

export function matchesHash(secret: string, hash: Uint8Array): boolean {
  return equalInConstantTime(sha256(secret), hash);
}
