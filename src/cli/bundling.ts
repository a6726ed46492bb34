/**
 * The code of the services in few files, as `.build/<key>/cli.js`. Loading a thousand modules one by one costs each
 * process 0.15 s of processor time and keeps 12 MB that a bundle does not need (both measured). It is the same code, and
 * optional: without a bundle that was made of exactly the present sources, those run themselves.
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  chmodSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { spawn } from "node:child_process";
import { constants, setPriority } from "node:os";
import { basename, join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import type { Logger } from "../lib/log.ts";
import { projectRoot } from "../lib/project-root.ts";

const CLI = "src/cli.ts";
const OUTPUT = "cli.js";
const UNFINISHED = "unfinished-";
/** One that is this old was interrupted. */
const INTERRUPTED_MS = 600_000;
/** Older ones are removed. More than one stays: a process loads parts of its own as it needs them. */
const KEPT = 3;
/**
 * What decides what a bundle holds, besides the sources; the last says which libraries were installed by the wrapper, which may
 * be others than those that the lockfile names by now.
 */
const FILES = ["package.json", "bun.lock", "tsconfig.json", "node_modules/.gatewright-installed"];
const FOLDERS = ["src", "workers", "patches"];

/**
 * The libraries that every service loads when it starts. All others stay outside and are loaded when they are used: some
 * look for files beside their own, or depend on the order in which they are loaded.
 */
const BUNDLED = [
  "@sinclair/typebox",
  "citty",
  "drizzle-orm",
  "elysia",
  "ipaddr.js",
  "lru-cache",
  "otpauth",
  "pino",
  "postgres",
  "preact",
  "preact-render-to-string",
  "prom-client",
  "rate-limiter-flexible",
  "uqr",
];

interface Program {
  /** A directory with the sources of Gatewright; tests have others than this one. */
  readonly root?: string;
  /** The file that is run, below the root. Bench has another one. */
  readonly entry?: string;
}

/** @returns the bundle's file to run instead of `src/cli.ts`; undefined when none was made of these sources */
export function findBundle({ root = projectRoot, entry = CLI }: Program = {}): string | undefined {
  if (!existsSync(join(root, ".build"))) return undefined;
  const file = join(root, ".build", keyOf(root, entry), OUTPUT);
  return existsSync(file) ? file : undefined;
}

/**
 * Makes the bundle of the present sources unless it is there: aside, and renamed when it is whole.
 *
 * @returns its file
 * @throws Error when it cannot be made or written
 */
export async function makeBundle({ root = projectRoot, entry = CLI }: Program = {}): Promise<string> {
  const found = findBundle({ root, entry });
  if (found) return found;
  const directory = join(root, ".build");
  mkdirSync(directory, { recursive: true });
  const target = join(directory, keyOf(root, entry));
  const workshop = mkdtempSync(join(directory, UNFINISHED));
  // An image is built as root and run as another user.
  chmodSync(workshop, 0o755);
  try {
    await build(join(root, entry), workshop);
    for (const name of readdirSync(workshop)) writeThrough(join(workshop, name));
    // Whoever edits a file meanwhile gets no bundle, rather than one of half an edit.
    if (join(directory, keyOf(root, entry)) !== target)
      throw new Error("a file was changed while the bundle was made");
    renameSync(workshop, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  } finally {
    rmSync(workshop, { recursive: true, force: true });
  }
  removeOld(directory);
  return join(target, OUTPUT);
}

/** Makes it in a process of its own, with the time that nobody else wants. A start does without when it cannot be made. */
export function bundleForNextStart(log: Logger): void {
  if (findBundle()) return;
  const command = [join(projectRoot, "src", "cli.ts"), "bundle"];
  const child = spawn(process.execPath, command, { cwd: projectRoot, env: {}, stdio: "ignore" });
  child.once("error", (err) => log.debug({ err }, "no bundle was made"));
  child.once("exit", (code) => code === 0 || log.debug({ code }, "no bundle was made"));
  if (child.pid) setPriority(child.pid, constants.priority.PRIORITY_LOW);
}

async function build(entry: string, outdir: string): Promise<void> {
  const outside = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
    (name) => !BUNDLED.includes(name),
  );
  await Bun.build({
    entrypoints: [entry],
    outdir,
    target: "bun",
    // Commands stay apart, and what is loaded late is loaded late.
    splitting: true,
    // All beside each other, for `projectRoot`.
    naming: { entry: OUTPUT, chunk: "[name]-[hash].[ext]" },
    external: outside.flatMap((name) => [name, `${name}/*`]),
    // Maps would take 8 MB of each process. Without them stack traces name the bundle's lines, which read as the sources do.
    sourcemap: "none",
  });
}

/** Has a file outlast a loss of power: renamed before it is on the disk, a bundle could be found empty afterwards. */
function writeThrough(path: string): void {
  const file = openSync(path, "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The digest of everything that a bundle is made of, and of who makes it. */
function keyOf(root: string, entry: string): string {
  const digest = createHash("sha256").update(`${Bun.version} ${Bun.revision}\0`);
  const names = FOLDERS.flatMap((folder) => filesBelow(root, folder)).toSorted();
  for (const name of [entry, ...FILES, ...names]) {
    const file = join(root, name);
    const content = existsSync(file) ? readFileSync(file) : "";
    digest.update(`${name}\0${content.length}\0`).update(content);
  }
  return digest.digest("hex").slice(0, 32);
}

function filesBelow(root: string, folder: string): string[] {
  const directory = join(root, folder);
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const name = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(root, name) : [name];
  });
}

function removeOld(directory: string): void {
  const made = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const paths = readdirSync(directory)
    .map((name) => join(directory, name))
    .toSorted((a, b) => made(b) - made(a));
  const unfinished = paths.filter((path) => basename(path).startsWith(UNFINISHED));
  const bundles = paths.filter((path) => !unfinished.includes(path));
  const interrupted = unfinished.filter((path) => made(path) < Date.now() - INTERRUPTED_MS);
  for (const path of [...bundles.slice(KEPT), ...interrupted]) rmSync(path, { recursive: true, force: true });
}
