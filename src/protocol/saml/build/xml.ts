/**
 * How our own documents are written: by elements, so that no value can be markup. Everything that is text or an attribute is
 * escaped here and nowhere else.
 */

/** A piece of XML that is well-formed by itself. Made by `element` alone, or by signing and encrypting what it made. */
export interface Xml {
  readonly xml: string;
}

export type Content = Xml | string | readonly Xml[] | undefined;

/** Undefined attributes are left out. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** @param name of the element with its prefix, as one of ours: never a value from elsewhere */
export function element(name: string, attributes: Attributes, ...content: readonly Content[]): Xml {
  const written = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${escapeAttribute(String(value))}"`],
  );
  const inner = content.map(writeContent).join("");
  return { xml: `<${name}${written.join("")}${inner === "" ? "/>" : `>${inner}</${name}>`}` };
}

function writeContent(content: Content): string {
  if (content === undefined) return "";
  if (typeof content === "string") return escapeText(content);
  return "xml" in content ? content.xml : content.map(({ xml }) => xml).join("");
}

/** XML 1.0 §2.4, and a carriage return as a reference: parsers would make a line feed of it (§2.11). */
export function escapeText(text: string): string {
  return legal(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("\r", "&#13;");
}

/** The same, and white space as references: parsers would make spaces of it (XML 1.0 §3.3.3). */
export function escapeAttribute(text: string): string {
  return escapeText(text).replaceAll('"', "&quot;").replaceAll("\t", "&#9;").replaceAll("\n", "&#10;");
}

/** Without what no XML document can hold, not even as a reference (XML 1.0 §2.2): one such character would spoil it all. */
function legal(text: string): string {
  return (
    text
      .toWellFormed()
      // oxlint-disable-next-line no-control-regex -- these are what must not be there
      .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, "")
  );
}

/** xs:dateTime in UTC, as SAML wants it (SAML Core §1.3.3). */
export const dateTime = (moment: Date) => moment.toISOString();
