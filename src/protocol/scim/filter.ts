/** Filters (RFC 7644 §3.4.2.2): read into a tree whose attributes are resolved and whose values fit them. */
import type { Attribute } from "./attribute.ts";
import { ScimError } from "./error.ts";
import { type AttributePath, type ResourceSchema, resolvePath } from "./resource-schema.ts";
import { findAttribute } from "./attribute.ts";
import { type Token, tokenize } from "./filter-tokens.ts";
import { toMoment } from "./resource.ts";

export const comparisonOperators = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"] as const;

export type ComparisonOperator = (typeof comparisonOperators)[number];

export type ComparisonValue = string | number | boolean;

export type Filter =
  | { readonly op: "and" | "or"; readonly left: Filter; readonly right: Filter }
  | { readonly op: "not"; readonly filter: Filter }
  | { readonly op: "pr"; readonly path: AttributePath }
  | { readonly op: ComparisonOperator; readonly path: AttributePath; readonly value: ComparisonValue }
  /** One element of `path` fulfils all of `filter`, whose paths start at the element. */
  | { readonly op: "element"; readonly path: AttributePath; readonly filter: Filter };

/** Bounds of what a filter may cost: longer or deeper ones are refused, whatever they would find. */
export const MOST_CHARACTERS = 8_192;
const MOST_DEPTH = 32;
const MOST_COMPARISONS = 200;

/** How a name in the filter becomes an attribute: of the resource, or of one element of a multi-valued one. */
type Resolver = (name: string) => AttributePath | undefined;

/** @throws ScimError invalidFilter */
export function parseFilter(text: string, schema: ResourceSchema): Filter {
  return parseWith(text, (name) => resolvePath(schema, name));
}

/** The filter in the brackets of a value path, which is about the elements of `attribute`. */
export function parseElementFilter(text: string, path: AttributePath): Filter {
  return parseWith(text, elementResolver(path));
}

function parseWith(text: string, resolve: Resolver): Filter {
  if (text.length > MOST_CHARACTERS) throw invalidFilter("The filter is too long.");
  const parser = new Parser(tokenize(text), resolve);
  return parser.parse();
}

function elementResolver(path: AttributePath): Resolver {
  return (name) => {
    const { attribute } = path;
    if (attribute.type !== "complex")
      return name.toLowerCase() === "value" ? { ...path, subAttribute: undefined } : undefined;
    const subAttribute = findAttribute(attribute.subAttributes, name);
    return subAttribute && { ...path, subAttribute };
  };
}

/** `or` binds least, then `and`, then `not` (RFC 7644 §3.4.2.2). */
class Parser {
  private position = 0;
  private depth = 0;
  private comparisons = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private resolve: Resolver,
  ) {}

  parse(): Filter {
    const filter = this.disjunction();
    if (this.position < this.tokens.length) throw invalidFilter("The filter has something after its end.");
    return filter;
  }

  private disjunction(): Filter {
    let left = this.conjunction();
    while (this.acceptWord("or")) left = { op: "or", left, right: this.conjunction() };
    return left;
  }

  private conjunction(): Filter {
    let left = this.term();
    while (this.acceptWord("and")) left = { op: "and", left, right: this.term() };
    return left;
  }

  private term(): Filter {
    if (++this.depth > MOST_DEPTH) throw invalidFilter("The filter is nested too deeply.");
    try {
      const negated = this.peekWord("not") && this.peek(1)?.kind === "(";
      if (negated) this.position++;
      if (this.accept("(")) {
        const filter = this.disjunction();
        this.expect(")");
        return negated ? { op: "not", filter } : filter;
      }
      return this.attributeExpression();
    } finally {
      this.depth--;
    }
  }

  private attributeExpression(): Filter {
    if (++this.comparisons > MOST_COMPARISONS) throw invalidFilter("The filter compares too much.");
    const name = this.next("word", "an attribute");
    const path = this.resolve(name);
    if (!path) throw invalidFilter(`There is no attribute ${printable(name)}.`);
    return this.accept("[") ? this.elementExpression(path) : this.comparisonOf(path);
  }

  private comparisonOf(path: AttributePath): Filter {
    const operator = this.next("word", "an operator").toLowerCase();
    if (operator === "pr") return { op: "pr", path };
    const op = comparisonOperators.find((known) => known === operator);
    if (!op) throw invalidFilter(`There is no operator ${printable(operator)}.`);
    return comparison(op, comparable(path), this.value());
  }

  private elementExpression(path: AttributePath): Filter {
    if (path.subAttribute || !path.attribute.multiValued)
      throw invalidFilter(`${path.attribute.name} has no elements to filter.`);
    const outer = this.resolve;
    this.resolve = elementResolver(path);
    const filter = this.disjunction();
    this.expect("]");
    // Beyond the RFC's grammar, Entra ID asks for `emails[type eq "work"].value eq "…"`: one element is both.
    const token = this.peek();
    if (token?.kind === "sub") {
      this.position++;
      const subPath = this.resolve(token.name);
      if (!subPath) throw invalidFilter(`There is no attribute ${printable(token.name)}.`);
      const both: Filter = { op: "and", left: filter, right: this.comparisonOf(subPath) };
      this.resolve = outer;
      return { op: "element", path, filter: both };
    }
    this.resolve = outer;
    return { op: "element", path, filter };
  }

  private value(): ComparisonValue | null {
    const token = this.tokens[this.position++];
    if (token?.kind === "string" || token?.kind === "number") return token.value;
    const word = token?.kind === "word" ? token.text : undefined;
    if (word === "true") return true;
    if (word === "false") return false;
    if (word === "null") return null;
    throw invalidFilter("A value is missing, or is no JSON value.");
  }

  private peek(ahead = 0): Token | undefined {
    return this.tokens[this.position + ahead];
  }

  private peekWord(word: string): boolean {
    const token = this.peek();
    return token?.kind === "word" && token.text.toLowerCase() === word;
  }

  private acceptWord(word: string): boolean {
    if (!this.peekWord(word)) return false;
    this.position++;
    return true;
  }

  private accept(kind: Token["kind"]): boolean {
    if (this.peek()?.kind !== kind) return false;
    this.position++;
    return true;
  }

  private expect(kind: "(" | ")" | "]"): void {
    if (!this.accept(kind)) throw invalidFilter(`The filter lacks a ${kind}.`);
  }

  private next(kind: "word", what: string): string {
    const token = this.tokens[this.position++];
    if (token?.kind !== kind) throw invalidFilter(`The filter lacks ${what}.`);
    return token.text;
  }
}

/** Comparing a complex attribute compares its `value` (RFC 7644 §3.4.2.2). */
function comparable(path: AttributePath): AttributePath {
  if (path.subAttribute || path.attribute.type !== "complex") return path;
  const value = findAttribute(path.attribute.subAttributes, "value");
  if (!value) throw invalidFilter(`${path.attribute.name} cannot be compared as a whole.`);
  return { ...path, subAttribute: value };
}

/** Comparing with null asks whether there is a value at all (RFC 7643 §2.5: null is no value). */
function comparison(op: ComparisonOperator, path: AttributePath, value: ComparisonValue | null): Filter {
  if (value === null) {
    if (op === "ne") return { op: "pr", path };
    if (op === "eq") return { op: "not", filter: { op: "pr", path } };
    throw invalidFilter(`${op} cannot be used with null.`);
  }
  return { op, path, value: fitting(op, targetOf(path), value) };
}

export function targetOf(path: AttributePath): Attribute {
  return path.subAttribute ?? path.attribute;
}

/** Clients are loose about types: "true" for a boolean is taken as meant, anything that cannot be is refused. */
function fitting(op: ComparisonOperator, attribute: Attribute, value: ComparisonValue): ComparisonValue {
  const isSubstring = op === "co" || op === "sw" || op === "ew";
  switch (attribute.type) {
    case "boolean": {
      if (op !== "eq" && op !== "ne") throw invalidFilter(`${op} cannot be used with a boolean.`);
      const meant = String(value).toLowerCase();
      if (meant !== "true" && meant !== "false") throw invalidFilter(`${attribute.name} is a boolean.`);
      return meant === "true";
    }
    case "integer":
    case "decimal": {
      if (isSubstring || typeof value === "boolean" || !Number.isFinite(Number(value)) || value === "")
        throw invalidFilter(`${attribute.name} is a number.`);
      return Number(value);
    }
    case "dateTime": {
      if (isSubstring) throw invalidFilter(`${op} cannot be used with a date.`);
      const moment = toMoment(value);
      if (moment === undefined) throw invalidFilter(`${attribute.name} is a date and time (RFC 3339).`);
      return moment;
    }
    default:
      if (typeof value !== "string") throw invalidFilter(`${attribute.name} is a string.`);
      // No stored value holds them, and the database takes none of them.
      if (value.includes("\0") || !value.isWellFormed()) throw invalidFilter("The filter holds no text.");
      return value;
  }
}

export function invalidFilter(detail: string): ScimError {
  return new ScimError(400, "invalidFilter", detail);
}

/** What a stranger wrote, as far as it may stand in our answer. */
export function printable(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
