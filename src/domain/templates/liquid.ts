/**
 * Liquid templates that turn one value into another: what a connection says of somebody into our words, and what we know of
 * somebody into an application's. Templates are written by administrators and the values by strangers: no tags that read
 * files or loop, a list of filters that are known to be cheap, own properties only, and bounds on what a template may hold
 * and make.
 */
import { createRequire } from "node:module";
import type { Liquid } from "liquidjs";

/** Characters of a template. */
export const TEMPLATE_LENGTH = 1000;
/** Characters and list items that one rendering may make, as liquidjs counts them. */
const MEMORY_LIMIT = 200_000;
/** `capture` is not here: what it collects is not counted, so that a few of them could fill the memory. */
const TAGS = new Set(["assign", "case", "comment", "if", "unless"]);
const FILTERS = new Set([
  "append",
  "capitalize",
  "compact",
  "concat",
  "default",
  "downcase",
  "first",
  "join",
  "last",
  "map",
  "prepend",
  "remove",
  "remove_first",
  "replace",
  "replace_first",
  "size",
  "slice",
  "split",
  "strip",
  "truncate",
  "uniq",
  "upcase",
]);

let made: Liquid | undefined;

function engine(): Liquid {
  made ??= sandbox();
  return made;
}

/** Loaded with the first template: many installations have none, and it is large. */
function sandbox(): Liquid {
  const library: typeof import("liquidjs") = createRequire(import.meta.url)("liquidjs");
  const liquid = new library.Liquid({
    ownPropertyOnly: true,
    strictFilters: true,
    strictVariables: false,
    dynamicPartials: false,
    relativeReference: false,
    templates: {},
    // A template that is one {{ … }} keeps what it is: a list stays a list.
    keepOutputType: true,
    parseLimit: TEMPLATE_LENGTH,
    memoryLimit: MEMORY_LIMIT,
  });
  for (const name of Object.keys(liquid.tags)) if (!TAGS.has(name)) delete liquid.tags[name];
  for (const name of Object.keys(liquid.filters)) if (!FILTERS.has(name)) delete liquid.filters[name];
  return liquid;
}

/** What is wrong with a template, as a sentence; undefined: nothing. */
export function templateProblem(template: string): string | undefined {
  if (template.length > TEMPLATE_LENGTH) return `Must have at most ${TEMPLATE_LENGTH} characters.`;
  try {
    engine().parse(template);
    return undefined;
  } catch {
    return `Must be a Liquid template with the tags ${[...TAGS].join(", ")} and the filters ${[...FILTERS].join(", ")}.`;
  }
}

/**
 * What a template makes of the values that it sees by name. One that is a lone `{{ … }}` gives what it finds, lists as lists;
 * any other gives text.
 * @throws Error of the engine's, when the template fails or makes too much
 */
export function evaluateTemplate(template: string, scope: Readonly<Record<string, unknown>>): unknown {
  return engine().parseAndRenderSync(template.trim(), { ...scope });
}
