/** Distinguished names as text (RFC 4514). */

const ATTRIBUTE_TYPE = "(?:[A-Za-z][A-Za-z0-9-]*|\\d+(?:\\.\\d+)+)";
/** Pairs, and characters that need no escape (§3); a hex string (`#…`) is such characters too. */
const VALUE = '(?:[^"+,;<>\\\\\\x00]|\\\\(?:[ "#+,;<=>\\\\]|[0-9A-Fa-f]{2}))*';
const PAIR = `\\s*${ATTRIBUTE_TYPE}\\s*=${VALUE}`;
const NAME = new RegExp(`^${PAIR}(?:[,+]${PAIR})*$`, "u");

/** Whether a text is a distinguished name; the empty one, the root's, is none here. */
export const isDistinguishedName = (text: string): boolean => NAME.test(text);

/**
 * What spellings of one name have in common that differ in case, in the spaces around its parts, and in which characters
 * are escaped (§2.4 leaves that open). For names as directories write them: nothing is known of their schemas.
 */
export function distinguishedNameKey(text: string): string {
  const normal = text
    .replace(/\\([0-9A-Fa-f]{2}|.)/gsu, (_, escaped: string) => escapedOctets(escaped))
    .replace(/ *([,+=]) */g, "$1")
    .trim();
  return normal.normalize("NFKC").toLowerCase();
}

/** An escaped character, told from the bare one of the same look, which separates. */
function escapedOctets(escaped: string): string {
  const octets = Buffer.from(escaped, /^[0-9A-Fa-f]{2}$/.test(escaped) ? "hex" : "utf8");
  return [...octets].map((octet) => `\\${octet.toString(16).padStart(2, "0")}`).join("");
}
