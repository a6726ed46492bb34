/**
 * Reads JSON bodies. The framework's own reader takes any nesting, and its errors put the values they speak of into
 * text: a value that brings its own `toString`, or is nested thousands of levels deep, breaks them or keeps the process
 * busy for seconds. No request of ours is like that.
 */
import { AppError, badRequest, validationError } from "../lib/errors.ts";
import { noteBody } from "./idempotency-content.ts";

const MAX_DEPTH = 32;
/** Names by which a value would say how it is converted, or what it inherits: ignored like every unknown name. */
const IGNORED_KEYS = new Set(["__proto__", "constructor", "prototype", "toString", "valueOf", "toJSON"]);

const unreadable = new WeakMap<Request, AppError>();

/**
 * Why a body could not be read. It is told where the body is refused, and not where it is read: who may not call a route is
 * to be told that first, whatever they sent.
 */
export const bodyProblem = (request: Request): AppError | undefined => unreadable.get(request);

/**
 * For after validation: the framework takes no body at all for a schema that may be left out, and fills in what has a
 * default, so that a body which cannot be read would pass for an empty one. @throws AppError
 */
export function requireReadable(request: Request): void {
  const problem = bodyProblem(request);
  if (problem) throw problem;
}

/** No route takes anything else; where no member is required, the framework would take a list or a number, too. */
function requireObject(value: unknown): unknown {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw validationError([{ field: "body", message: "Must be a JSON object." }]);
}

const reader =
  ({ optional }: { optional: boolean }) =>
  async ({ request }: { request: Request }): Promise<unknown> => {
    const text = await request.text();
    noteBody(request, text);
    if (optional && text.trim() === "") return {};
    try {
      return requireObject(parseJson(text));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      unreadable.set(request, error);
      // No schema of a body takes it.
      return null;
    }
  };

type JsonReader = [ReturnType<typeof reader>, "json"];

/**
 * A route's `parse`: for every content type, so that none of them is a way around it. The framework's own reader comes
 * second, finds the body read and does nothing; its name is what the API description goes by.
 */
export const jsonBody: JsonReader = [reader({ optional: false }), "json"];

/** The same for a route whose body says nothing that has to be said: none is an empty object. */
export const optionalJsonBody: JsonReader = [reader({ optional: true }), "json"];

/** @throws AppError 400 */
export function parseJson(text: string): unknown {
  if (depthOf(text) > MAX_DEPTH) throw badRequest("The request body is nested too deeply.");
  try {
    return JSON.parse(text, (key, value) => (IGNORED_KEYS.has(key) ? undefined : wellFormed(key, value)));
  } catch (cause) {
    if (cause instanceof SyntaxError) throw badRequest("The request body is not valid JSON.", { cause });
    throw cause;
  }
}

/** Half a surrogate pair can be written as an escape (RFC 8259 §8.2): no UTF-8 has it, and no database. */
function wellFormed(key: string, value: unknown): unknown {
  if (key.isWellFormed() && (typeof value !== "string" || value.isWellFormed())) return value;
  throw badRequest("The request body holds half a surrogate pair, which is no character.");
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
