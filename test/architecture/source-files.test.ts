/** That the scan on which the other tests here rely sees what is there. */
import { describe, expect, it } from "bun:test";
import { importsOf, readSourceFiles } from "./source-files.ts";

const files = await readSourceFiles("src/**/*.{ts,tsx}", "workers/**/*.{ts,tsx}");

describe("the scan of imports", () => {
  it("finds every kind of import", () => {
    const text = `
      import a from "a"; // import no from "comment"
import { type B, c } from "./b.ts";
import type { D } from "../d.ts";
import { type E, type F } from "e";
import {
  g,
  type H,
} from "./g/h.ts";
import "./side.ts";
export * from "./i.ts";
export { type J } from "./j.ts";
/**
 * import { x } from "docstring";
 */
const { k } = await import("k");
const text = 'import z from "z"';
`.replace("      import a", "import a");
    const found = importsOf("src/x/y.ts", text).map(({ specifier, file, typeOnly, dynamic }) => [
      specifier,
      file,
      typeOnly ? "type" : dynamic ? "dynamic" : "",
    ]);
    expect(found.toSorted()).toEqual(
      [
        ["a", undefined, ""],
        ["./b.ts", "src/x/b.ts", ""],
        ["../d.ts", "src/d.ts", "type"],
        ["e", undefined, "type"],
        ["./g/h.ts", "src/x/g/h.ts", ""],
        ["./side.ts", "src/x/side.ts", ""],
        ["./i.ts", "src/x/i.ts", ""],
        ["./j.ts", "src/x/j.ts", "type"],
        ["k", undefined, "dynamic"],
      ].toSorted(),
    );
  });

  it("finds what the transpiler finds, in every file", () => {
    for (const file of files) {
      const loader = file.path.endsWith("x") ? "tsx" : "ts";
      const scanned = new Bun.Transpiler({ loader }).scanImports(file.text).map(({ path }) => path);
      const ours = new Set(file.imports.map(({ specifier }) => specifier));
      // JSX adds its own runtime.
      const missed = scanned.filter((path) => !ours.has(path) && !/^react$|jsx/.test(path));
      expect({ file: file.path, missed }).toEqual({ file: file.path, missed: [] });
    }
  });

  it("reaches files that exist, and no others", () => {
    const known = new Set(files.map(({ path }) => path));
    expect(files.length).toBeGreaterThan(100);
    const lost = files.flatMap(({ path, imports }) =>
      imports
        .filter(({ file }) => file !== undefined && !known.has(file) && file !== "package.json")
        .map(({ specifier }) => `${path} imports ${specifier}`),
    );
    expect(lost).toEqual([]);
  });
});
