import { randomInt } from "node:crypto";

/** Consonants alone (RFC 8628 §6.1): nothing that looks like another letter, and no words. 20^8 codes: 34 bits. */
const ALPHABET = "BCDFGHJKLMNPQRSTVWXZ";
const LENGTH = 8;

/** As it is stored and compared. */
export function newUserCode(): string {
  return Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
}

/** As people read and type it. */
export function formatUserCode(userCode: string): string {
  return `${userCode.slice(0, LENGTH / 2)}-${userCode.slice(LENGTH / 2)}`;
}

/**
 * What somebody typed, as it is compared: case, spaces and dashes do not count (RFC 8628 §6.1).
 * @returns undefined for what no device can have shown
 */
export function normalizeUserCode(typed: string): string | undefined {
  const code = typed.toUpperCase().replace(/[^A-Z0-9]/g, "");
  return code.length === LENGTH && [...code].every((letter) => ALPHABET.includes(letter)) ? code : undefined;
}
