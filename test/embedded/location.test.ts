import { describe, expect, it } from "bun:test";
import { chmodSync, cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { postgresAccount } from "../../src/embedded/account.ts";
import { binariesAt, installedBinaries, makeLibraryLinks } from "../../src/embedded/binaries.ts";
import { findLocation } from "../../src/embedded/location.ts";
import { ConfigError } from "../../src/lib/config-error.ts";
import { scratchDirectory } from "../support/scratch.ts";

const installed = installedBinaries();
const isRoot = process.getuid?.() === 0;

describe("Embedded PostgreSQL: programs", () => {
  it.skipIf(process.platform !== "linux")(
    "makes the library links that a skipped install script would have made",
    () => {
      using scratch = scratchDirectory();
      const copy = join(scratch.path, "package");
      cpSync(join(installed.root, ".."), copy, { recursive: true, verbatimSymlinks: true });
      const link = join(copy, "native", "lib", "libicuuc.so.60");
      const binaries = binariesAt(join(copy, "native"), installed.version);
      rmSync(link);
      expect(Bun.spawnSync([binaries.postgres, "--version"]).exitCode).not.toBe(0);
      makeLibraryLinks(copy);
      expect(Bun.spawnSync([binaries.postgres, "--version"]).exitCode).toBe(0);
    },
  );

  it("says that DATABASE_URL is needed where they do not run", () => {
    using scratch = scratchDirectory();
    const broken = binariesAt(join(scratch.path, "nowhere"), installed.version);
    expect(() => findLocation(scratch.path, undefined, broken)).toThrow(ConfigError);
    expect(() => findLocation(scratch.path, undefined, broken)).toThrow(/DATABASE_URL/);
  });

  it.skipIf(!isRoot)(
    "copies them when PostgreSQL's user cannot reach them, data staying (skipped unless root)",
    () => {
      using scratch = scratchDirectory();
      const home = join(scratch.path, "home");
      const dataDir = join(scratch.path, "data");
      mkdirSync(dataDir);
      cpSync(installed.root, join(home, "native"), { recursive: true, verbatimSymlinks: true });
      chmodSync(home, 0o700);
      const account = postgresAccount(join(dataDir, "cluster"));
      const hidden = binariesAt(join(home, "native"), installed.version);
      const location = findLocation(dataDir, account, hidden, [join(scratch.path, "base")]);
      expect(location).toMatchObject({ directory: dataDir, relocated: false });
      expect(location.binaries.postgres).toStartWith(join(scratch.path, "base"));
      expect(Bun.spawnSync([location.binaries.postgres, "--version"]).exitCode).toBe(0);
    },
  );
});
