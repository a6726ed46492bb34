/** Imports point one way, and each thing is done in one place. Whoever breaks this finds the rule by its name here. */
import { describe, expect, it } from "bun:test";
import { type Import, loadedFrom, readSourceFiles, type SourceFile } from "./source-files.ts";

const files = await readSourceFiles("src/**/*.{ts,tsx}", "workers/**/*.{ts,tsx}");
const under = (...folders: string[]) =>
  files.filter(({ path }) => folders.some((folder) => path.startsWith(folder)));

/**
 * What each layer may load. A layer is a folder of `src`, a file directly in it, or `workers`. Types of `deps.ts` and
 * `config.ts` are allowed to all (below): they are what a service is given, and vanish at run time.
 */
const mayLoad: Record<string, readonly string[]> = {
  lib: [],
  protocol: ["lib"],
  outbound: ["lib"],
  storage: ["lib"],
  // What its allow-list may consist of.
  "config.ts": ["lib", "outbound"],
  // `queue-schema.ts` alone: checked by name below.
  db: ["lib", "queue"],
  queue: ["lib", "db"],
  // What a failed delivery means to the queue.
  mail: ["lib", "queue"],
  sms: ["lib", "queue"],
  embedded: ["lib"],
  domain: ["lib", "protocol", "db", "queue", "outbound", "storage"],
  "deps.ts": ["lib", "db", "domain", "outbound"],
  "bootstrap.ts": ["lib", "db", "domain", "deps.ts"],
  http: ["lib", "protocol", "domain", "db"],
  api: ["lib", "protocol", "domain", "db", "queue", "http"],
  web: ["lib", "protocol", "domain", "http"],
  "app.ts": ["api", "web", "http", "queue"],
  "server.ts": ["lib", "app.ts", "deps.ts", "domain", "http", "queue"],
  workers: ["lib", "domain", "db", "queue", "mail", "sms", "outbound", "deps.ts"],
  cli: [
    "lib",
    "domain",
    "db",
    "queue",
    "embedded",
    "config.ts",
    "deps.ts",
    "bootstrap.ts",
    "server.ts",
    "workers",
  ],
  "cli.ts": ["cli"],
  "launch.ts": ["cli", "cli.ts"],
};

/** Files that hold SQL without being some feature's `repo.ts`. */
const withSql = new Map([
  ["src/queue/backend.ts", "gives the library of the queue its connections"],
  ["src/queue/outbox.ts", "the repo of the outbox"],
  ["src/queue/ledger.ts", "the repo of the job ledger"],
  ["src/queue/health.ts", "asks the queue's own tables, which belong to no feature"],
  ["src/cli/database-check.ts", "asks a database that may not be ours yet"],
  ["src/cli/test-environment.ts", "makes and drops the databases of test files"],
]);

/** Files that read the environment without being `config.ts`. */
const readsEnvironment = new Map<string, string>([]);

/** Files outside of the command line and the embedded database that read the real time. */
const readsTime = new Map([["src/lib/clock.ts", "is the clock"]]);

function layerOf(path: string): string {
  const [top = "", second = ""] = path.split("/");
  return top === "src" ? second : top;
}

function violations(
  of: readonly SourceFile[],
  breaks: (imported: Import, file: SourceFile) => boolean,
): string[] {
  return of.flatMap((file) =>
    file.imports
      .filter((imported) => breaks(imported, file))
      .map((imported) => `${file.path} imports ${imported.file ?? imported.specifier}`),
  );
}

function filesWith(
  pattern: RegExp,
  of: readonly SourceFile[],
  except: ReadonlyMap<string, string>,
): string[] {
  return of.filter(({ path, code }) => !except.has(path) && pattern.test(code)).map(({ path }) => path);
}

const folder = (path: string) => path.slice(0, path.lastIndexOf("/"));
const surface = (path: string) => /^src\/api\/([^/]+)\//.exec(path)?.[1];

describe("layers", () => {
  it("each is known here", () => {
    expect([...new Set(files.map(({ path }) => layerOf(path)))].toSorted()).toEqual(
      Object.keys(mayLoad).toSorted(),
    );
  });

  it("load only what lies below them", () => {
    const broken = violations(files, ({ file, typeOnly }, { path }) => {
      if (file === undefined || file === "package.json") return false;
      const [from, to] = [layerOf(path), layerOf(file)];
      if (from === to || mayLoad[from]?.includes(to)) return false;
      return !(typeOnly && (to === "deps.ts" || to === "config.ts"));
    });
    expect(broken).toEqual([]);
  });

  it("have no cycle among the files that are loaded", () => {
    const loads = new Map(
      files.map((file) => [
        file.path,
        file.imports.flatMap(({ file: to, typeOnly, dynamic }) => (to && !typeOnly && !dynamic ? [to] : [])),
      ]),
    );
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, trail: readonly string[]) => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      if (done.has(path) || trail.includes(path)) return;
      for (const next of loads.get(path) ?? []) visit(next, [...trail, path]);
      done.add(path);
    };
    for (const { path } of files) visit(path, []);
    expect(cycles).toEqual([]);
  });

  it("the database folder knows of the queue only where its tables are", () => {
    expect(
      violations(
        under("src/db/"),
        ({ file }) => file?.startsWith("src/queue/") === true && file !== "src/queue/queue-schema.ts",
      ),
    ).toEqual([]);
  });
});

describe("protocol", () => {
  const protocol = under("src/protocol/");

  it("imports no framework, database, queue, file system or network", () => {
    const allowed = new Set([
      "node:crypto",
      "node:zlib",
      "jose",
      "otpauth",
      "@simplewebauthn/server",
      "@xmldom/xmldom",
      "xml-crypto",
      "xml-encryption",
    ]);
    expect(
      violations(protocol, ({ specifier, file }) => file === undefined && !allowed.has(specifier)),
    ).toEqual([]);
  });

  it("is given the time, randomness and the environment", () => {
    const sources =
      /\b(?:systemClock|Date\.now|new Date\(\)|performance\.now|Math\.random|randomBytes|randomUUID|randomUUIDv7|getRandomValues|newId|randomSecret|newSecretToken|process\.|Bun\.env|import\.meta\.env)/;
    expect(filesWith(sources, protocol, new Map())).toEqual([]);
  });
});

describe("SQL", () => {
  const outside = files.filter(({ path }) => !path.startsWith("src/db/") && !path.endsWith("/repo.ts"));

  it("is in repo files alone", () => {
    const broken = violations(outside, ({ specifier, file }, { path }) => {
      const isSql =
        /^(?:drizzle-orm|postgres|pg)(?:\/|$)/.test(specifier) || file?.startsWith("src/db/schema/");
      return isSql === true && !withSql.has(path);
    });
    expect(broken).toEqual([]);
  });

  it("does not come in through the driver's own client", () => {
    const except = new Map([["workers/relay.ts", "listens on a channel"], ...withSql]);
    expect(filesWith(/\$client`|\$client\.(?!listen\b)|\.execute\(\s*sql|\bsql`/, outside, except)).toEqual(
      [],
    );
  });

  it("of a feature is called by that feature alone", () => {
    expect(
      violations(
        files,
        ({ file }, { path }) => file?.endsWith("/repo.ts") === true && folder(file) !== folder(path),
      ),
    ).toEqual([]);
  });
});

describe("the rest of the house", () => {
  it("has no import between the pages and the API", () => {
    expect(violations(under("src/web/"), ({ file }) => file?.startsWith("src/api/") === true)).toEqual([]);
    expect(violations(under("src/api/"), ({ file }) => file?.startsWith("src/web/") === true)).toEqual([]);
  });

  it("joins surfaces in app.ts alone", () => {
    expect(
      violations(under("src/api/"), ({ file }, { path }) => {
        const [from, to] = [surface(path), file && surface(file)];
        return to !== undefined && from !== to;
      }),
    ).toEqual([]);
  });

  it("asks addresses that strangers supply in src/outbound alone", () => {
    const network = /^(?:node:(?:https?|http2|tls|dgram|dns(?:\/promises)?)|undici|axios|got)$/;
    const answering = under("src/protocol/", "src/domain/", "src/http/", "src/api/", "src/web/", "workers/");
    expect(violations(answering, ({ specifier }) => network.test(specifier))).toEqual([]);
    const byOperator = new Map([["src/domain/passwords/breaches.ts", "its address is configured"]]);
    expect(filesWith(/(?<![\w.] ?|function )fetch\(|Bun\.connect/, answering, byOperator)).toEqual([]);
  });

  it("reads the environment in config.ts alone", () => {
    const except = new Map([...readsEnvironment, ["src/config.ts", "is the place for it"]]);
    expect(filesWith(/process\.env|Bun\.env|import\.meta\.env|from "node:process"/, files, except)).toEqual(
      [],
    );
    expect(filesWith(/process\.env/, under("src/config.ts"), new Map())).toHaveLength(1);
  });

  it("is given the time, wherever requests and jobs are answered", () => {
    const answering = under(
      "src/lib/",
      "src/protocol/",
      "src/domain/",
      "src/http/",
      "src/api/",
      "src/web/",
      "src/queue/",
      "src/mail/",
      "workers/",
    );
    expect(filesWith(/Date\.now|new Date\(\)|Math\.random/, answering, readsTime)).toEqual([]);
  });

  it("does not load the queue's library in an API process", () => {
    for (const [entry, dynamic] of [
      ["src/server.ts", true],
      ["src/cli/api.ts", false],
    ] as const) {
      const loaded = loadedFrom(entry, files, { dynamic });
      expect(loaded.size).toBeGreaterThan(5);
      const loading = [...loaded].filter(([, { imports }]) =>
        imports.some(({ specifier }) => specifier === "bullmq" || specifier.startsWith("bullmq/")),
      );
      expect(loading.map(([path, { by }]) => `${path}, loaded by ${by}`)).toEqual([]);
    }
    // The same walk does find it where it is.
    const worker = loadedFrom("workers/main.ts", files, { dynamic: false });
    expect(
      [...worker.values()].some(({ imports }) => imports.some(({ specifier }) => specifier === "bullmq")),
    ).toBe(true);
  });
});
