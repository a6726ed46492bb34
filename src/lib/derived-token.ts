/**
 * Tokens and codes that are not stored anywhere, because they follow from a record's id under a key that only the server
 * has: a job that is tried again sends the same ones again, and a copy of the database gives nobody any. Whether one still
 * works is a matter of the record it names.
 */
import { equalInConstantTime, hmacSha256 } from "./crypto.ts";
import type { Id, IdKind } from "./ids.ts";
import type { PurposeKeys } from "./master-keys.ts";
import { formatSecretToken, parseSecretToken } from "./secret-token.ts";

/** @param purpose what the token is good for: one made for another purpose is another token */
export function deriveToken<K extends IdKind>([{ key }]: PurposeKeys, purpose: string, id: Id<K>): string {
  return formatSecretToken(id, secretOf(key, purpose, id));
}

/** @returns the id of the record; undefined for a token that this server cannot have made for this purpose */
export function readDerivedToken<K extends IdKind>(
  keys: PurposeKeys,
  purpose: string,
  kind: K,
  token: string,
): Id<K> | undefined {
  const parsed = parseSecretToken(kind, token);
  if (!parsed) return undefined;
  const brought = Buffer.from(parsed.secret);
  const isOurs = keys.some(({ key }) =>
    equalInConstantTime(brought, Buffer.from(secretOf(key, purpose, parsed.id))),
  );
  return isOurs ? parsed.id : undefined;
}

/** Six decimal digits, taken from a MAC as RFC 4226 §5.3 does (dynamic truncation). */
export function deriveCode(key: Uint8Array, purpose: string, id: string): string {
  const mac = macOf(key, purpose, id);
  const offset = (mac.at(-1) ?? 0) & 0x0f;
  const number = mac.readUInt32BE(offset) & 0x7f_ff_ff_ff;
  return String(number % 1_000_000).padStart(6, "0");
}

const secretOf = (key: Uint8Array, purpose: string, id: string) =>
  macOf(key, purpose, id).toString("base64url");

const macOf = (key: Uint8Array, purpose: string, id: string) => hmacSha256(key, `${purpose}/${id}`);
