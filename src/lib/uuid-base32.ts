/**
 * The 128 bits of a UUID as 26 characters of Crockford's base32, and back: without arithmetic on big integers, which cost
 * four times as much and are made for every id of every row.
 */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const HEX = "0123456789abcdef";
const HYPHEN = 45;
/** What a character code stands for; 255 for what is no digit. */
const fromHex = valuesOf(HEX, HEX.toUpperCase());
const fromBase32 = valuesOf(DIGITS);

function valuesOf(...alphabets: string[]): Uint8Array {
  const values = new Uint8Array(128).fill(255);
  for (const alphabet of alphabets)
    for (let value = 0; value < alphabet.length; value++) values[alphabet.charCodeAt(value)] = value;
  return values;
}

/**
 * @param uuid with its hyphens
 * @throws RangeError for what is no UUID
 */
export function encodeUuid(uuid: string): string {
  let encoded = "";
  let bits = 0;
  // 26 characters hold 130 bits: the first two are nobody's.
  let held = 2;
  for (let at = 0; at < uuid.length; at++) {
    const code = uuid.charCodeAt(at);
    if (code === HYPHEN) continue;
    const value = fromHex[code] ?? 255;
    if (value > 15) throw new RangeError("not a UUID");
    bits = ((bits & 31) << 4) | value;
    held += 4;
    if (held >= 5) {
      held -= 5;
      encoded += DIGITS[(bits >> held) & 31];
    }
  }
  if (encoded.length !== 26 || held !== 0) throw new RangeError("not a UUID");
  return encoded;
}

/** @param encoded 26 characters that `encodeUuid` may have made: the caller has looked */
export function decodeUuid(encoded: string): string {
  let uuid = "";
  let bits = 0;
  let held = -2;
  for (let at = 0; at < encoded.length; at++) {
    bits = ((bits & 15) << 5) | (fromBase32[encoded.charCodeAt(at)] ?? 0);
    held += 5;
    while (held >= 4) {
      held -= 4;
      if (uuid.length === 8 || uuid.length === 13 || uuid.length === 18 || uuid.length === 23) uuid += "-";
      uuid += HEX[(bits >> held) & 15];
    }
  }
  return uuid;
}
