import { describe, expect, it } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { scratchDirectory } from "../support/scratch.ts";

const ROOT = join(import.meta.dir, "..", "..");
const PINNED = manifest.packageManager.split("@")[1] ?? "";
/** What the wrapper itself calls, and nothing else: no bun, npm or curl. */
const TOOLS = "sh sed mkdir rm mv cp cmp cat tail readlink sleep id dirname env bash unzip".split(" ");

/** A Bun whose `install` only takes notes, and fails when the lockfile says so. */
const BUN = `
  if [ "$1" = install ]; then
    echo "$*" >>node_modules/installs
    read -r lock <bun.lock
    [ "$lock" != broken ]
    exit
  fi
  exec ${process.execPath} "$@"`;

/** A checkout whose commands only say how they were called, and a PATH of chosen programs. */
function prepare(scratch: string) {
  const checkout = join(scratch, "checkout");
  const bin = join(scratch, "bin");
  mkdirSync(join(checkout, "src"), { recursive: true });
  mkdirSync(bin);
  for (const tool of TOOLS) {
    const path = Bun.which(tool);
    if (path) symlinkSync(path, join(bin, tool));
  }
  cpSync(join(ROOT, "gatewright"), join(checkout, "gatewright"));
  writeFileSync(join(checkout, "package.json"), JSON.stringify({ packageManager: `bun@${PINNED}` }, null, 2));
  writeFileSync(
    join(checkout, "bun.lock"),
    '{ "lockfileVersion": 1, "workspaces": { "": { "name": "x" } } }\n',
  );
  writeFileSync(
    join(checkout, "src", "launch.ts"),
    "console.log(JSON.stringify({ bun: process.execPath, cwd: process.cwd(), args: process.argv.slice(2) }));",
  );
  const call = (
    args: string[] = [],
    options: { cwd?: string; script?: string; env?: Record<string, string | undefined> } = {},
  ) => {
    const script = options.script ?? join(checkout, "gatewright");
    const env = { PATH: bin, HOME: scratch, ...options.env };
    const child = spawnSync(script, args, {
      cwd: options.cwd ?? "/",
      env,
      encoding: "utf8",
      timeout: 120_000,
    });
    return { ...child, said: child.status === 0 ? JSON.parse(child.stdout) : undefined };
  };
  const offer = (name: string, text: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const offerBun = () => offer("bun", BUN);
  return { checkout, bin, call, offer, offerBun };
}

describe("Wrapper: memory", () => {
  it("is spared by the services, unless the operator says how", () => {
    using scratch = scratchDirectory();
    const { checkout, call, offerBun } = prepare(scratch.path);
    offerBun();
    writeFileSync(
      join(checkout, "src", "launch.ts"),
      "const set = Object.entries(process.env).filter(([name]) => name.startsWith('BUN_JSC_')); console.log(JSON.stringify(Object.fromEntries(set)));",
    );
    const growth = { BUN_JSC_heapGrowthMaxIncrease: "0.8", BUN_JSC_smallHeapGrowthFactor: "1.8" };
    const usual = { ...growth, BUN_JSC_minEdenToOldGenerationRatio: "0.36" };
    for (const command of ["start", "api", "worker"]) expect(call([command]).said).toEqual(usual);
    expect(call(["users"]).said).toEqual({});
    const own = { BUN_JSC_smallHeapGrowthFactor: "2" };
    expect(call(["api"], { env: own }).said).toEqual({ ...usual, ...own });
  });
});

describe("Wrapper: finding Bun", () => {
  it("uses the one on PATH, from any directory and through links, and hands the arguments on", () => {
    using scratch = scratchDirectory();
    const { checkout, call, offerBun } = prepare(scratch.path);
    offerBun();
    symlinkSync("checkout/gatewright", join(scratch.path, "link"));
    mkdirSync(join(scratch.path, "elsewhere"));
    symlinkSync("../link", join(scratch.path, "elsewhere", "link of link"));
    const args = ["clients", "create", "--name", "two words", "*", ""];
    for (const script of [undefined, join(scratch.path, "elsewhere", "link of link")]) {
      const { said } = call(args, { script });
      expect(said).toEqual({ bun: process.execPath, cwd: checkout, args });
    }
    expect(existsSync(join(checkout, ".bun"))).toBe(false);
  });

  it("works when it is called by its bare name", () => {
    using scratch = scratchDirectory();
    const { checkout, call, offerBun, bin } = prepare(scratch.path);
    offerBun();
    const byShell = call(["gatewright", "version"], { script: "/bin/sh", cwd: checkout });
    expect(byShell.said?.args).toEqual(["version"]);
    const env = { PATH: `${checkout}:${bin}` };
    const byPath = call(["-c", "gatewright version"], { script: "/bin/sh", cwd: "/", env });
    expect(byPath.said?.cwd).toBe(checkout);
  });

  it.each(["1.3.99", "0.9.0", "1.10x", "nonsense"])("passes over a Bun %s", (version) => {
    using scratch = scratchDirectory();
    const { call, offer } = prepare(scratch.path);
    offer("bun", `echo ${version}`);
    const { status, stderr } = call();
    expect(status).toBe(1);
    expect(stderr).toContain("Bun 1.4 or newer is not on PATH");
  });

  it.each(["1.4.0", "1.10.0", "2.0.0", "1.4.5-canary.7+abc"])(
    "compares numbers: takes a Bun %s",
    (version) => {
      using scratch = scratchDirectory();
      const { checkout, call, offer } = prepare(scratch.path);
      offer("bun", `[ "$1" = --version ] && { echo ${version}; exit; }; ${BUN}`);
      expect(call().said?.cwd).toBe(checkout);
    },
  );

  it("says in one line what is missing when there is nothing to get Bun with", () => {
    using scratch = scratchDirectory();
    const { status, stderr } = prepare(scratch.path).call();
    expect(status).toBe(1);
    expect(stderr).toBe(
      "gatewright: Bun 1.4 or newer is not on PATH, and neither npm nor curl is there to install it: install one of the three\n",
    );
  });
});

describe("Wrapper: installing Bun", () => {
  /** An npm that "installs" such a Bun, which `offer` put beside it. */
  const NPM = `
    while [ $# -gt 0 ]; do [ "$1" = --prefix ] && prefix=$2; last=$1; shift; done
    mkdir -p "$prefix/node_modules/.bin"
    printf '%s' "$last" >"$prefix/asked"
    cp "\${0%/*}/offered" "$prefix/node_modules/.bin/bun"`;

  it("asks npm for the pinned version, keeps it in .bun, and does not ask again", () => {
    using scratch = scratchDirectory();
    const { checkout, call, offer } = prepare(scratch.path);
    offer("offered", BUN);
    offer("npm", NPM);
    expect(call().stderr).toContain(`installing Bun ${PINNED} with npm`);
    expect(readdirSync(join(checkout, ".bun"))).toEqual([PINNED]);
    expect(readFileSync(join(checkout, ".bun", PINNED, "asked"), "utf8")).toBe(`bun@${PINNED}`);
    offer("npm", "exit 1");
    expect(call()).toMatchObject({ status: 0, stderr: "" });
  });

  it("falls back on the official installer when npm fails", () => {
    using scratch = scratchDirectory();
    const { checkout, call, offer } = prepare(scratch.path);
    offer("npm", "echo broken >&2; exit 1");
    offer("unzip", "exit 0");
    offer("offered", BUN);
    offer(
      "curl",
      `echo 'mkdir -p "$BUN_INSTALL/bin"; echo "$1" >"$BUN_INSTALL/asked"'; echo "cp \${0%/*}/offered \\$BUN_INSTALL/bin/bun"`,
    );
    const { status, stderr } = call();
    expect(stderr).toContain("with its official installer");
    expect(status).toBe(0);
    expect(readFileSync(join(checkout, ".bun", PINNED, "asked"), "utf8")).toBe(`bun-v${PINNED}\n`);
    expect(existsSync(join(checkout, ".bun", PINNED, "bin", "bun"))).toBe(true);
  });

  it("leaves nothing behind when nothing works, and repeats the reason", () => {
    using scratch = scratchDirectory();
    const { checkout, call, offer } = prepare(scratch.path);
    offer("npm", "echo 'no network here' >&2; exit 1");
    const { status, stderr } = call();
    expect(status).toBe(1);
    expect(stderr).toContain("could not be installed: no network here");
    expect(readdirSync(join(checkout, ".bun"))).toEqual([]);
  });

  it.skipIf(!Bun.which("npm"))(
    "gets a Bun that runs from the real npm (skipped without npm)",
    () => {
      using scratch = scratchDirectory();
      const { checkout, call } = prepare(scratch.path);
      mkdirSync(join(checkout, "node_modules"));
      cpSync(join(checkout, "bun.lock"), join(checkout, "node_modules", ".gatewright-installed"));
      // this machine's own npm settings and proxies, but no Bun on PATH
      const PATH = [Bun.which("npm"), Bun.which("node")].map((path) => dirname(path ?? ""));
      const env = { ...Bun.env, PATH: [...PATH, "/usr/bin:/bin"].join(":") };
      const { said } = call(["version"], { env });
      expect(said?.bun).toStartWith(join(checkout, ".bun", PINNED));
    },
    120_000,
  );
});

describe("Wrapper: dependencies", () => {
  it("are installed once, and again when the lockfile or a patch changed", () => {
    using scratch = scratchDirectory();
    const { checkout, call, offerBun } = prepare(scratch.path);
    offerBun();
    expect(call().stderr).toBe("gatewright: installing dependencies\n");
    expect(call().stderr).toBe("");
    writeFileSync(
      join(checkout, "bun.lock"),
      '{ "lockfileVersion": 1, "workspaces": { "": { "name": "y" } } }\n',
    );
    expect(call().stderr).toBe("gatewright: installing dependencies\n");
    mkdirSync(join(checkout, "patches"));
    writeFileSync(join(checkout, "patches", "some@1.0.0.patch"), "one\n");
    expect(call().stderr).toBe("gatewright: installing dependencies\n");
    writeFileSync(join(checkout, "patches", "some@1.0.0.patch"), "another\n");
    expect(call().stderr).toBe("gatewright: installing dependencies\n");
    expect(call().stderr).toBe("");
    expect(readFileSync(join(checkout, "node_modules", "installs"), "utf8")).toBe(
      "install --frozen-lockfile\n".repeat(4),
    );
  });

  it("that cannot be installed are one clear failure, and are tried again", () => {
    using scratch = scratchDirectory();
    const { checkout, call, offerBun } = prepare(scratch.path);
    offerBun();
    writeFileSync(join(checkout, "bun.lock"), "broken\n");
    for (const attempt of [call(), call()]) {
      expect(attempt.status).toBe(1);
      expect(attempt.stderr).toContain(
        "the dependencies could not be installed (bun install --frozen-lockfile)",
      );
    }
    expect(existsSync(join(checkout, "node_modules", ".gatewright-installing"))).toBe(false);
  });

  it("are installed by one of two runs at once", async () => {
    using scratch = scratchDirectory();
    const { checkout, bin, offer } = prepare(scratch.path);
    offer(
      "bun",
      `[ "$1" = install ] && { echo run >>${scratch.path}/installs; sleep 0.3; exit; }; exec ${process.execPath} "$@"`,
    );
    const runs = [1, 2].map(() =>
      Bun.spawn([join(checkout, "gatewright")], { env: { PATH: bin }, stdout: "ignore", stderr: "ignore" }),
    );
    expect(await Promise.all(runs.map((run) => run.exited))).toEqual([0, 0]);
    expect(await Bun.file(join(scratch.path, "installs")).text()).toBe("run\n");
  });

  it("are installed although a killed run left its lock", () => {
    using scratch = scratchDirectory();
    const { checkout, call, offerBun } = prepare(scratch.path);
    offerBun();
    const lock = join(checkout, "node_modules", ".gatewright-installing");
    mkdirSync(lock, { recursive: true });
    writeFileSync(join(lock, "pid"), `${spawnSync("true").pid}\n`);
    expect(call().status).toBe(0);
    expect(existsSync(lock)).toBe(false);
  });
});
