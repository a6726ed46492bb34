/** Comma-separated values (RFC 4180), for people who open them in a spreadsheet. */

/**
 * One line with its end. A cell that a spreadsheet would take for a formula gets an apostrophe in front: what strangers
 * chose as their names must not run as code on an administrator's machine.
 */
export function csvLine(cells: readonly (string | number | null)[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

function csvCell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  // Of a beginning like this, which nearly all have, no formula is made.
  if (/^[0-9A-Za-z]/.test(value)) return quoted(value);
  // Spreadsheets skip leading blanks and control characters before they look for a formula.
  const text =
    /^[\s\p{Cc}]*[=+\-@\uff1d\uff0b\uff0d\uff20]/u.test(value) || /^[\t\r\n]/.test(value)
      ? `'${value}`
      : value;
  return quoted(text);
}

const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
