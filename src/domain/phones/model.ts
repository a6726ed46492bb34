/** Loaded with the first number: its tables of every country take a while to read. */
const loadNumbers = () => import("libphonenumber-js");

/**
 * A phone number in E.164 (`+4930123456`). It has to begin with its country's code: without one nobody knows whose it is.
 * @returns undefined for what cannot be a number
 */
export async function normalizePhone(text: string): Promise<string | undefined> {
  if (text.length > 40) return undefined;
  const { parsePhoneNumberFromString } = await loadNumbers();
  const parsed = parsePhoneNumberFromString(text);
  return parsed?.isValid() && !parsed.ext ? parsed.number : undefined;
}

/** Enough of a number to be known by its owner, and too little for anybody else. */
export function maskPhone(number: string): string {
  return `${number.slice(0, 3)}…${number.slice(-2)}`;
}
