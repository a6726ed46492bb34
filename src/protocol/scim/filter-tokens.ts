import { ScimError } from "./error.ts";

/** A piece of a filter. A word is an attribute's name, an operator or one of true, false, null. */
export type Token =
  | { readonly kind: "word"; readonly text: string }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "number"; readonly value: number }
  /** `.value` behind the bracket of a value path. */
  | { readonly kind: "sub"; readonly name: string }
  | { readonly kind: "(" | ")" | "[" | "]" };

const SPACE = /[ \t\r\n]+/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y;
const SUB_ATTRIBUTE = /\.[$A-Za-z][\w$-]*/y;
/** Names of attributes with URN and sub-attribute. */
const WORD = /[$A-Za-z][\w$:.-]*/y;

/**
 * Splits a filter. Every expression is anchored and of a fixed first character, so that the time is linear in the
 * length whatever the text.
 * @throws ScimError invalidFilter
 */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  const match = (expression: RegExp): string | undefined => {
    expression.lastIndex = position;
    const found = expression.exec(text)?.[0];
    if (found !== undefined) position += found.length;
    return found;
  };
  while (position < text.length) {
    if (match(SPACE) !== undefined) continue;
    const character = text[position];
    if (character === "(" || character === ")" || character === "[" || character === "]") {
      tokens.push({ kind: character });
      position++;
      continue;
    }
    const string = match(STRING);
    if (string !== undefined) {
      tokens.push({ kind: "string", value: unquote(string) });
      continue;
    }
    const number = match(NUMBER);
    if (number !== undefined) {
      tokens.push({ kind: "number", value: Number(number) });
      continue;
    }
    const subAttribute = match(SUB_ATTRIBUTE);
    if (subAttribute !== undefined) {
      tokens.push({ kind: "sub", name: subAttribute.slice(1) });
      continue;
    }
    const word = match(WORD);
    if (word === undefined)
      throw new ScimError(400, "invalidFilter", `The filter cannot be read from character ${position} on.`);
    tokens.push({ kind: "word", text: word });
  }
  return tokens;
}

/** Strings are JSON strings (RFC 7644 §3.4.2.2, figure 1). */
function unquote(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    throw new ScimError(400, "invalidFilter", "The filter holds a string that is no JSON string.");
  }
}
