/**
 * The one way from text to a tree: what is verified and what is read goes through the same parser and the same bounds.
 */
import { SamlError } from "./errors.ts";
import { checkLexically } from "./lexical.ts";
import { xmldom } from "./libraries.ts";

/** Of a message, in bytes of UTF-8. The largest in use carry some hundreds of groups, and stay far below it. */
export const MOST_MESSAGE_BYTES = 256 * 1024;

/**
 * @param text of a whole document
 * @param mostBytes checked before anything else looks at it
 * @returns its root
 * @throws SamlError for what is too large, not well-formed, or outside of what a message may be written with
 */
export function parseXml(text: string, mostBytes = MOST_MESSAGE_BYTES): Element {
  if (text.length > mostBytes || Buffer.byteLength(text) > mostBytes)
    throw new SamlError("too_large", `more than ${mostBytes} bytes`);
  const normalised = text.replace(/^\uFEFF/, "").replaceAll(/\r\n?/g, "\n");
  checkLexically(normalised);
  const problems: string[] = [];
  const parser = new (xmldom().DOMParser)({
    errorHandler: (level, message: string) => problems.push(`${level} ${message}`),
  });
  const root = parser.parseFromString(normalised, "text/xml").documentElement;
  // The parser repairs what it does not understand: to repair is to guess.
  if (problems.length > 0 || !root) throw new SamlError("not_well_formed", "the parser met a problem");
  checkIds(root);
  return root;
}

/** @throws SamlError for bytes that are not UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new SamlError("encoding", "not UTF-8");
  }
}

/** xmlenc and xmldsig: base64 with white space anywhere. @throws SamlError */
export function decodeBase64(text: string): Buffer {
  const compact = text.replaceAll(/[ \t\r\n]/g, "");
  if (compact === "" || compact.length % 4 !== 0 || !/^[A-Za-z\d+/]+={0,2}$/.test(compact))
    throw new SamlError("encoding", "not base64");
  return Buffer.from(compact, "base64");
}

const ID_NAMES = new Set(["ID", "Id", "id", "xml:id", "AssertionID", "ResponseID", "RequestID"]);

/** An identifier names one element, whichever of its spellings is used: else a reference may mean either of two. */
function checkIds(root: Element): void {
  const seen = new Set<string>();
  for (const element of elementsOf(root)) {
    for (const { name, value } of Array.from(element.attributes)) {
      if (!ID_NAMES.has(name)) continue;
      if (seen.has(value)) throw new SamlError("duplicate_id", "an identifier that names two elements");
      seen.add(value);
    }
  }
}

/** An element and all below it, in document order. */
export function elementsOf(root: Element): Element[] {
  return [root, ...childElements(root).flatMap(elementsOf)];
}

export function childElements(parent: Element): Element[] {
  return Array.from(parent.childNodes).filter((node): node is Element => node.nodeType === 1);
}

export const isNamed = (element: Element, namespace: string, localName: string): boolean =>
  element.namespaceURI === namespace && element.localName === localName;

export const childrenNamed = (parent: Element, namespace: string, localName: string): Element[] =>
  childElements(parent).filter((child) => isNamed(child, namespace, localName));

/** @returns undefined for an attribute that is not there, and for one of another namespace */
export const attributeOf = (element: Element, name: string): string | undefined =>
  element.hasAttribute(name) ? (element.getAttribute(name) ?? "") : undefined;

/** All of its text: there are no comments or sections that could split it. */
export const textOf = (element: Element): string => (element.textContent ?? "").trim();
