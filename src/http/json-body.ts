/**
 * Reads JSON bodies. The framework's own reader takes any nesting, and its errors put the values they speak of into
 * text: a value that brings its own `toString`, or is nested thousands of levels deep, breaks them or keeps the process
 * busy for seconds. No request of ours is like that.
 */
import { badRequest } from "../lib/errors.ts";

const MAX_DEPTH = 32;
/** Names by which a value would say how it is converted, or what it inherits: ignored like every unknown name. */
const IGNORED_KEYS = new Set(["__proto__", "constructor", "prototype", "toString", "valueOf", "toJSON"]);

async function readJson({ request }: { request: Request }): Promise<unknown> {
  return parseJson(await request.text());
}

/**
 * A route's `parse`: for every content type, so that none of them is a way around it. The framework's own reader comes
 * second, finds the body read and does nothing; its name is what the API description goes by.
 */
export const jsonBody: [typeof readJson, "json"] = [readJson, "json"];

/** @throws AppError 400 */
export function parseJson(text: string): unknown {
  if (depthOf(text) > MAX_DEPTH) throw badRequest("The request body is nested too deeply.");
  try {
    return JSON.parse(text, (key, value) => (IGNORED_KEYS.has(key) ? undefined : value));
  } catch (cause) {
    if (cause instanceof SyntaxError) throw badRequest("The request body is not valid JSON.", { cause });
    throw cause;
  }
}

/**
 * How deep brackets nest in a JSON text, whether or not it is a valid one. One pass over it: a pattern for strings would
 * start over at each quote of one that never ends.
 */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (inString && character === "\\") at++;
    else if (character === '"') inString = !inString;
    else if (inString) continue;
    else if (character === "[" || character === "{") deepest = Math.max(deepest, ++depth);
    else if (character === "]" || character === "}") depth--;
  }
  return deepest;
}
