/** The program's own source files and what each of them imports, read from their text. */
import { dirname, join, normalize } from "node:path";
import { Glob } from "bun";

export const ROOT = join(import.meta.dir, "..", "..");

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** The file it names, from the root of the checkout; undefined for a package. */
  readonly file: string | undefined;
  /** Whether it vanishes when types are erased. */
  readonly typeOnly: boolean;
  /** Whether it is an `import()` call. */
  readonly dynamic: boolean;
}

export interface SourceFile {
  /** From the root of the checkout, e.g. `src/lib/ids.ts`. */
  readonly path: string;
  readonly text: string;
  /** The text without its comments. */
  readonly code: string;
  readonly imports: readonly Import[];
}

/** @param patterns globs from the root of the checkout */
export async function readSourceFiles(...patterns: string[]): Promise<SourceFile[]> {
  const paths = patterns
    .flatMap((pattern) => [...new Glob(pattern).scanSync(ROOT)])
    .filter((path) => !path.includes("node_modules/"))
    .toSorted();
  return Promise.all(
    paths.map(async (path) => {
      const text = await Bun.file(join(ROOT, path)).text();
      return { path, text, code: withoutComments(text), imports: importsOf(path, text) };
    }),
  );
}

const STATEMENT = /^(?:import|export)\s+(type\s+)?([^;"']*?)\s*from\s*"([^"]+)"/gm;
const SIDE_EFFECT = /^import\s+"([^"]+)"/gm;
const CALL = /\bimport\(\s*"([^"]+)"\s*\)/g;

/** Every import, those of types included, which a transpiler's scan leaves out. */
export function importsOf(path: string, text: string): Import[] {
  const code = withoutComments(text);
  const entry = (specifier: string, typeOnly: boolean, dynamic: boolean): Import => ({
    specifier,
    file: specifier.startsWith(".") ? normalize(join(dirname(path), specifier)) : undefined,
    typeOnly,
    dynamic,
  });
  return [
    ...[...code.matchAll(STATEMENT)].map(([, type, names = "", specifier = ""]) =>
      entry(specifier, type !== undefined || namesOnlyTypes(names), false),
    ),
    ...[...code.matchAll(SIDE_EFFECT)].map(([, specifier = ""]) => entry(specifier, false, false)),
    ...[...code.matchAll(CALL)].map(([, specifier = ""]) => entry(specifier, false, true)),
  ];
}

function namesOnlyTypes(names: string): boolean {
  const listed = /^\{([\s\S]*)\}$/.exec(names.trim())?.[1];
  if (listed === undefined) return false;
  const parts = listed
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);
  return parts.length > 0 && parts.every((part) => part.startsWith("type "));
}

function withoutComments(text: string): string {
  return text.replace(/^\s*\/\*[\s\S]*?\*\//gm, "").replace(/(^|[\s;{(,])\/\/ .*$/gm, "$1");
}

/** Every file that running `entry` loads, by way of which file. */
export function loadedFrom(
  entry: string,
  files: readonly SourceFile[],
  options: { dynamic: boolean },
): ReadonlyMap<string, { by: string; imports: readonly Import[] }> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const loaded = new Map<string, { by: string; imports: readonly Import[] }>();
  const waiting = [{ path: entry, by: "" }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const file = byPath.get(next.path);
    if (!file || loaded.has(next.path)) continue;
    const imports = file.imports.filter(
      ({ typeOnly, dynamic }) => !typeOnly && (options.dynamic || !dynamic),
    );
    loaded.set(next.path, { by: next.by, imports });
    for (const { file: path } of imports) if (path) waiting.push({ path, by: file.path });
  }
  return loaded;
}
