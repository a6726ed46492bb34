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
/** Two digits of base32 for ten bits, and two of hex for eight: fewer pieces to put together than digits one by one. */
const base32Pairs = pairsOf(DIGITS);
const hexPairs = pairsOf(HEX);

function valuesOf(...alphabets: string[]): Uint8Array {
  const values = new Uint8Array(128).fill(255);
  for (const alphabet of alphabets)
    for (let value = 0; value < alphabet.length; value++) values[alphabet.charCodeAt(value)] = value;
  return values;
}

function pairsOf(digits: string): string[] {
  return [...digits].flatMap((high) => [...digits].map((low) => high + low));
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
    bits = ((bits & 1023) << 4) | value;
    held += 4;
    if (held >= 10) {
      held -= 10;
      encoded += base32Pairs[(bits >> held) & 1023];
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
    bits = ((bits & 127) << 5) | (fromBase32[encoded.charCodeAt(at)] ?? 0);
    held += 5;
    if (held < 8) continue;
    held -= 8;
    if (uuid.length === 8 || uuid.length === 13 || uuid.length === 18 || uuid.length === 23) uuid += "-";
    uuid += hexPairs[(bits >> held) & 255];
  }
  return uuid;
}
