/** Search filters as text (RFC 4515). */

/**
 * A value for a place in a filter: RFC 4515 §3 asks for the escape of `*`, `(`, `)`, `\` and NUL. All other ASCII that is no
 * plain letter or digit is escaped as well, which means the same and leaves nothing to a server's own reading. What is not
 * ASCII stands for itself, in UTF-8.
 */
export const escapeFilterValue = (value: string): string =>
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  value.replace(/[\x00-\x7f]/g, (character) => (PLAIN.test(character) ? character : hex(character)));

/** Letters, digits, and what stands in user names and addresses: none of it means anything in a filter. */
const PLAIN = /[A-Za-z0-9@._-]/;

const hex = (character: string) => `\\${character.charCodeAt(0).toString(16).padStart(2, "0")}`;

/** A filter with a value in the place of `{{name}}`, as often as it is there. */
export const fillFilter = (template: string, name: string, value: string): string =>
  template.replaceAll(`{{${name}}}`, () => escapeFilterValue(value));
