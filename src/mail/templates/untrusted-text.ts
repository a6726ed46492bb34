/**
 * Text that strangers chose and that goes into mails to others. A mail from us is trusted, so whoever registers a
 * foreign address under a name such as "Claim your prize at http://evil.example" must not have us deliver that.
 */

/** Characters that join or part letters in Persian and Indic names and in emoji: fine in a name. */
const JOINERS = /[\u200c\u200d]/g;

/** Control characters, line and paragraph separators, and invisible marks such as those that turn the direction. */
const CONTROLS = /[[\p{Cc}\p{Cf}\u2028\u2029]--[\u200c\u200d]]+/gv;

/** `scheme://`, `www.`, `name@host`, and anything that mail programs turn into a link by themselves: `evil.example`. */
const LINK_LIKE = /[a-z]:\/|\/\/|www\.|@|[\p{L}\p{N}][.\u3002][\p{L}\p{N}-]{2,}|\d\.\d+\.\d/iu;

const MAX_NAME_LENGTH = 64;
const MAX_SUBJECT_LENGTH = 150;

/** @returns undefined when a greeting is better off without the name: it is odd, long or looks like a link. */
export function safeName(name: string | undefined): string | undefined {
  const trimmed = name?.trim() ?? "";
  // NFKC turns the full-width forms that browsers read as dots and slashes into plain ones.
  const normalized = trimmed.normalize("NFKC").replace(JOINERS, "");
  const isOdd = normalized.search(CONTROLS) >= 0 || LINK_LIKE.test(normalized);
  return normalized === "" || isOdd || normalized.length > MAX_NAME_LENGTH ? undefined : trimmed;
}

/** One line that cannot end its header or begin another (RFC 5322 §2.2), and fits a list of mails. */
export function headerText(text: string): string {
  return truncated(oneLine(text), MAX_SUBJECT_LENGTH);
}

/** For values that are facts and have to be shown, such as the name of a device. */
export function factText(text: string): string {
  return truncated(oneLine(text), MAX_NAME_LENGTH);
}

function oneLine(text: string): string {
  return text.replace(CONTROLS, " ").replace(/\s+/g, " ").trim();
}

function truncated(text: string, length: number): string {
  const characters = [...text];
  return characters.length > length ? `${characters.slice(0, length - 1).join("")}…` : text;
}
