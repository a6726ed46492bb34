/**
 * What a SAML message may be written with: a narrow part of XML 1.0, checked before any parser sees it. A message that
 * two parsers could read in two ways is refused here (CVE-2017-11427, CVE-2025-25291, CVE-2022-39299): no document type,
 * no entity beyond the five predefined ones, no comment, no CDATA section, no processing instruction, no unbound prefix,
 * nothing that is not well-formed. No identity provider in use writes any of it.
 */
import { SamlError } from "./errors.ts";
import { ns } from "./names.ts";

const MOST_DEPTH = 40;
const MOST_ELEMENTS = 5000;
const MOST_ATTRIBUTES = 40;
/** Of one place, inherited ones as well: each element below has all of them, and parsers copy them for each. */
const MOST_PREFIXES = 64;

const DECLARATION =
  /^<\?xml version=(?:"1\.0"|'1\.0')(?: encoding=["']utf-?8["'])?(?: standalone=["'](?:yes|no)["'])?\s*\?>/i;
const START = /<([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)/y;
const ATTRIBUTE =
  /[ \t\n]+([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)[ \t\n]*=[ \t\n]*(?:"([^"<]*)"|'([^'<]*)')/y;
const START_END = /[ \t\n]*(\/?)>/y;
const END = /<\/([A-Za-z_][\w.:-]*)[ \t\n]*>/y;
const TEXT = /[^<]+/y;
const REFERENCE = /&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([\dA-Fa-f]{1,6}));/y;
// XML 1.0 §2.2, of what a string of UTF-16 can hold.
// oxlint-disable-next-line no-control-regex -- these are what must not be there
const ILLEGAL = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/;

/** Prefix -> namespace; the empty prefix is the default namespace. */
type Scope = ReadonlyMap<string, string>;

interface Open {
  readonly name: string;
  readonly scope: Scope;
}

/**
 * @param text with line ends normalised (XML 1.0 §2.11)
 * @throws SamlError for anything outside of the grammar
 */
export function checkLexically(text: string): void {
  if (ILLEGAL.test(text) || !text.isWellFormed()) refuse("not_well_formed", "an illegal character");
  const scanner = new Scanner(text, DECLARATION.exec(text)?.[0].length ?? 0);
  scanner.run();
}

class Scanner {
  private readonly open: Open[] = [];
  private elements = 0;

  constructor(
    private readonly text: string,
    private at: number,
  ) {}

  run(): void {
    while (this.at < this.text.length) {
      if (this.text[this.at] !== "<") this.characters();
      else if (this.text[this.at + 1] === "/") this.endTag();
      else if (this.text[this.at + 1] === "!") this.refuseDeclaration();
      else if (this.text[this.at + 1] === "?") refuse("processing_instruction", "a processing instruction");
      else this.startTag();
    }
    if (this.open.length > 0 || this.elements === 0) refuse("not_well_formed", "an element is not closed");
  }

  private take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match) this.at = pattern.lastIndex;
    return match ?? undefined;
  }

  private refuseDeclaration(): never {
    if (this.text.startsWith("<!--", this.at)) refuse("comment", "a comment");
    if (this.text.startsWith("<![CDATA[", this.at)) refuse("cdata", "a CDATA section");
    refuse("doctype", "a document type or another declaration");
  }

  private characters(): void {
    const text = this.take(TEXT)?.[0] ?? "";
    if (this.open.length === 0 && /[^ \t\n]/.test(text))
      refuse("not_well_formed", "text outside of the root");
    if (text.includes("]]>")) refuse("not_well_formed", "]]> in text");
    checkReferences(text);
  }

  private startTag(): void {
    const name = this.take(START)?.[1];
    if (name === undefined) refuse("not_well_formed", "no element name");
    if (this.open.length === 0 && this.elements > 0) refuse("not_well_formed", "a second root");
    this.elements += 1;
    const attributes = new Map<string, string>();
    for (let match = this.take(ATTRIBUTE); match; match = this.take(ATTRIBUTE)) {
      const [, key = "", double, single] = match;
      const value = double ?? single ?? "";
      checkReferences(value);
      if (attributes.has(key)) refuse("not_well_formed", "an attribute twice");
      attributes.set(key, value);
    }
    const end = this.take(START_END);
    if (!end) refuse("not_well_formed", "a malformed tag");
    if (attributes.size > MOST_ATTRIBUTES || this.elements > MOST_ELEMENTS || this.open.length >= MOST_DEPTH)
      refuse("too_complex", "too deep, too many elements or attributes");
    const scope = scopeOf(this.open.at(-1)?.scope ?? new Map(), attributes);
    if (scope.size > MOST_PREFIXES) refuse("too_complex", "too many namespaces in one place");
    checkNames(name, attributes, scope);
    if (end[1] === "") this.open.push({ name, scope });
  }

  private endTag(): void {
    const name = this.take(END)?.[1];
    if (name === undefined || this.open.pop()?.name !== name)
      refuse("not_well_formed", "an end tag that fits no start tag");
  }
}

function scopeOf(outer: Scope, attributes: ReadonlyMap<string, string>): Scope {
  const declared = [...attributes].flatMap(([key, uri]): [string, string][] => {
    const prefix = key === "xmlns" ? "" : key.startsWith("xmlns:") ? key.slice(6) : undefined;
    if (prefix === undefined) return [];
    // Canonicalization writes them as they are, and some fail on relative ones and then sign nothing at all.
    const undeclares = uri === "" && prefix === "";
    if (!undeclares && !/^[A-Za-z][A-Za-z\d+.-]*:[^\s"'<>&]+$/.test(uri))
      refuse("namespace", "an unusual name");
    if (prefix === "xml" || prefix === "xmlns" || uri === ns.xml || uri === ns.xmlns)
      refuse("namespace", "a reserved prefix or name");
    return [[prefix, uri]];
  });
  return declared.length === 0 ? outer : new Map([...outer, ...declared]);
}

function checkNames(name: string, attributes: ReadonlyMap<string, string>, scope: Scope): void {
  if (name.includes(":") && !scope.has(prefixOf(name))) refuse("namespace", "an unbound prefix");
  const seen = new Set<string>();
  for (const key of attributes.keys()) {
    if (key === "xmlns" || key.startsWith("xmlns:")) continue;
    // Canonicalization takes these for declarations, and leaves them out.
    if (/^xml/i.test(key) && !key.startsWith("xml:")) refuse("namespace", "a reserved attribute name");
    if (!key.includes(":")) continue;
    const prefix = prefixOf(key);
    const uri = prefix === "xml" ? ns.xml : scope.get(prefix);
    if (uri === undefined) refuse("namespace", "an unbound prefix");
    const expanded = `${uri} ${key.slice(prefix.length + 1)}`;
    if (seen.has(expanded)) refuse("namespace", "an attribute twice, by two prefixes");
    seen.add(expanded);
  }
}

const prefixOf = (name: string) => name.slice(0, name.indexOf(":"));

/** XML 1.0 §4.1: none but the predefined entities and characters that may be in a document. */
function checkReferences(text: string): void {
  for (let at = text.indexOf("&"); at !== -1; at = text.indexOf("&", at + 1)) {
    REFERENCE.lastIndex = at;
    const match = REFERENCE.exec(text);
    if (!match) refuse("entity", "an entity that is not predefined");
    const [, named, decimal, hex] = match;
    if (named !== undefined) continue;
    const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
    const legal =
      code === 9 ||
      code === 10 ||
      code === 13 ||
      (code >= 32 && code <= 0xd7ff) ||
      (code >= 0xe000 && code < 0xfffe);
    if (!legal && !(code >= 0x10000 && code <= 0x10ffff)) refuse("entity", "an illegal character");
  }
}

function refuse(reason: ConstructorParameters<typeof SamlError>[0], detail: string): never {
  throw new SamlError(reason, detail);
}
