/** What holds for every file of the program and its tests. */
import { describe, expect, it } from "bun:test";
import { basename } from "node:path";
import { Glob } from "bun";
import { readSourceFiles, ROOT } from "./source-files.ts";

const source = await readSourceFiles(
  "src/**/*.{ts,tsx}",
  "workers/**/*.{ts,tsx}",
  "bench/**/*.ts",
  "drizzle/*.ts",
);
const tests = await readSourceFiles("test/**/*.{ts,tsx}");
const all = [...source, ...tests];

/** This file names what it looks for. */
const SELF = "test/architecture/files.test.ts";

/** Longer than the rest for a reason. */
const long = new Map<string, string>([]);

function withLines(files: readonly { path: string; text: string }[], pattern: RegExp): string[] {
  return files
    .filter(({ path }) => path !== SELF)
    .flatMap(({ path, text }) =>
      text
        .split("\n")
        .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
    );
}

describe("every file", () => {
  it("is looked at here", () => {
    expect(source.length).toBeGreaterThan(150);
    expect(tests.length).toBeGreaterThan(30);
  });

  it("has a kebab-case name", () => {
    const folders = ["src", "workers", "test", "drizzle"].flatMap((folder) =>
      [...new Glob(`${folder}/**`).scanSync(ROOT)].filter((path) => !path.startsWith("drizzle/migrations")),
    );
    const names = folders.filter((path) => {
      const parts = path.split("/");
      const name = basename(path).replace(/(?:\.(?:test|routes|config))?\.\w+$/, "");
      return ![...parts.slice(0, -1), name].every((part) => /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(part));
    });
    expect(names).toEqual([]);
  });

  it("has at most 300 lines", () => {
    const broken = all.filter(({ path, text }) => text.trimEnd().split("\n").length > 300 && !long.has(path));
    expect(broken.map(({ path }) => path)).toEqual([]);
  });

  it("leaves nothing to do later", () => {
    expect(withLines(all, /\b(?:TODO|FIXME|XXX|HACK)\b/)).toEqual([]);
  });

  it("does not talk the type checker out of its opinion", () => {
    expect(
      withLines(
        all,
        /^(?! \*).*(?:\bas any\b|\bas unknown as\b|\bas never\b)|@ts-(?:ignore|expect-error|nocheck)/,
      ),
    ).toEqual([]);
    expect(withLines(source, /[:<]\s*any\b/)).toEqual([]);
  });

  it("does not silence the linter, unless it says why", () => {
    expect(withLines(all, /(?:oxlint|eslint)-disable(?!.*--)/)).toEqual([]);
  });

  it("writes to the log, not to the console", () => {
    const program = source.filter(({ path }) => !path.startsWith("src/cli/") && path !== "src/cli.ts");
    expect(withLines(program, /\bconsole\./)).toEqual([]);
  });

  it("names imported files with their extension", () => {
    const broken = all.flatMap(({ path, imports }) =>
      imports
        .filter(({ specifier, file }) => file !== undefined && !/\.(?:tsx?|json|css|svg)$/.test(specifier))
        .map(({ specifier }) => `${path}: ${specifier}`),
    );
    expect(broken).toEqual([]);
  });

  it("is readable without a machine's own paths", () => {
    // A SCIM user's path goes no further than an id; a person's folder does.
    const paths = /(?:^|["'`\s(])\/(?:(?:root|home|work)\/|Users\/[A-Za-z][\w.-]*\/)/;
    expect(withLines(all, paths)).toEqual([]);
  });
});

describe("tests", () => {
  const suites = tests.filter(({ path }) => path.endsWith(".test.ts") || path.endsWith(".test.tsx"));

  it("are all run", () => {
    expect(withLines(suites, /^\s*(?:it|test|describe)\.(?:only|todo)\b/)).toEqual([]);
  });

  it("can fail", () => {
    const blind = suites.filter(({ code }) => !/\bexpect\w*\(|assert/.test(code));
    expect(blind.map(({ path }) => path)).toEqual([]);
  });
});

const nameOf = (specifier: string) =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

describe("dependencies", () => {
  it("are pinned to exact versions", async () => {
    const manifest = await Bun.file(`${ROOT}/package.json`).json();
    const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(versions.length).toBeGreaterThan(20);
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(String(version)))).toEqual(
      [],
    );
  });

  it("are named where the program uses them, and not only where its tests do", async () => {
    const manifest = await Bun.file(`${ROOT}/package.json`).json();
    const used = source
      .filter(({ path }) => path.startsWith("src/") || path.startsWith("workers/"))
      .flatMap(({ path, imports }) =>
        imports
          .filter(
            ({ file, specifier, typeOnly }) => !file && !typeOnly && !/^(?:node:|bun(?::|$))/.test(specifier),
          )
          .map(({ specifier }) => `${nameOf(specifier)} in ${path}`),
      );
    expect(used.filter((use) => !((use.split(" in ")[0] ?? "") in manifest.dependencies))).toEqual([]);
  });
});
