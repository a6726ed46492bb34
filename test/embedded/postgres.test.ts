import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { DirectoryLockedError } from "../../src/embedded/directory-lock.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/embedded/postgres.ts";
import { ConfigError } from "../../src/lib/config-error.ts";
import { createLogger } from "../../src/lib/log.ts";
import { keepSomething, query, startElsewhere } from "./support.ts";
import { isAlive, scratchDirectory, until } from "../support/scratch.ts";

const log = createLogger({ level: "silent", name: "test" });
const isRoot = process.getuid?.() === 0;
// tests that kill the server keep fsync as operators have it; the others need not wait for the disk
const FAST = { fsync: "off" };

/** Most tests use one cluster in turn, because making one takes longer than all else. */
const shared = scratchDirectory();
const dataDir = join(shared.path, "pg");
afterAll(() => shared[Symbol.dispose]());

describe("Embedded PostgreSQL: running", () => {
  let database: EmbeddedPostgres;
  beforeAll(async () => {
    database = await startEmbeddedPostgres({ dataDir, log, settings: FAST });
  });
  afterAll(async () => {
    await database.stop();
  });

  it("is a PostgreSQL 18 that sorts by C.UTF-8 and checks its pages", async () => {
    const [row] = await query<Record<string, string>>(
      database.url,
      `SELECT current_setting('server_version_num') AS version, current_setting('data_checksums') AS checksums,
              current_setting('listen_addresses') AS addresses, datlocale AS locale, datlocprovider::text AS provider,
              pg_encoding_to_char(encoding) AS encoding
       FROM pg_database WHERE datname = current_database()`,
    );
    expect(row).toMatchObject({
      version: expect.stringMatching(/^18/),
      checksums: "on",
      addresses: "127.0.0.1",
      locale: "C.UTF-8",
      provider: "b",
      encoding: "UTF8",
    });
  });

  it("serves the queue's driver under the same URL", async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    await client.end();
  });

  it("asks for a password, which only its owner can read", async () => {
    const url = new URL(database.url);
    expect(readFileSync(join(dataDir, "password"), "utf8")).toBe(url.password);
    expect(statSync(join(dataDir, "password")).mode & 0o777).toBe(0o600);
    url.password = "wrong";
    expect(query(url.href, "SELECT 1")).rejects.toMatchObject({ code: "28P01" });
  });

  it("is in a process group of its own, which Ctrl-C does not reach", () => {
    const found = Bun.spawnSync(["ps", "-o", "pgid=", "-p", String(database.pid())]);
    expect(Number(found.stdout.toString())).toBe(database.pid());
  });
});

describe("Embedded PostgreSQL: start and stop", () => {
  it("keeps data, password and port from one run to the next", async () => {
    const options = { dataDir, log, settings: FAST };
    const first = await startEmbeddedPostgres(options);
    await keepSomething(first.url);
    await first.stop();
    expect(isAlive(first.pid())).toBe(false);
    const second = await startEmbeddedPostgres(options);
    try {
      expect(second.url).toBe(first.url);
      expect(await query(second.url, "SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
    } finally {
      await second.stop();
    }
  });

  it("takes another port when the last one is in use", async () => {
    const options = { dataDir, log, settings: FAST };
    const first = await startEmbeddedPostgres(options);
    await first.stop();
    using squatter = Bun.listen({
      hostname: "127.0.0.1",
      port: Number(new URL(first.url).port),
      socket: { data: () => {} },
    });
    const second = await startEmbeddedPostgres(options);
    try {
      expect(new URL(second.url).port).not.toBe(String(squatter.port));
      expect(await query(second.url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    } finally {
      await second.stop();
    }
  });
});

describe("Embedded PostgreSQL: crashes", () => {
  it("comes back under the same URL with all data when its process is killed", async () => {
    const database = await startEmbeddedPostgres({ dataDir, log });
    try {
      await keepSomething(database.url);
      const killed = database.pid();
      process.kill(killed, "SIGKILL");
      await until("a new server process", () => database.pid() !== killed);
      expect(await query(database.url, "SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
    } finally {
      await database.stop();
    }
  });

  it("starts from a stale pid file and a crash of everything, losing nothing", async () => {
    const { child, pid, url } = await startElsewhere(dataDir);
    await keepSomething(url);
    child.kill("SIGKILL");
    await child.exited;
    process.kill(pid, "SIGKILL");
    expect(existsSync(join(dataDir, "cluster", "postmaster.pid"))).toBe(true);
    const database = await startEmbeddedPostgres({ dataDir, log });
    try {
      expect(await query(database.url, "SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
    } finally {
      await database.stop();
    }
  });

  it("starts when a crash left an empty pid file", async () => {
    const first = await startEmbeddedPostgres({ dataDir, log, settings: FAST });
    await first.stop();
    writeFileSync(join(dataDir, "cluster", "postmaster.pid"), "");
    const second = await startEmbeddedPostgres({ dataDir, log, settings: FAST });
    await second.stop();
  });

  it("starts when the number in a stale pid file is another program's by now", async () => {
    using scratch = scratchDirectory();
    const ownDir = join(scratch.path, "pg");
    const first = await startEmbeddedPostgres({ dataDir: ownDir, log, settings: FAST });
    const pidFile = join(ownDir, "cluster", "postmaster.pid");
    const owner = statSync(pidFile);
    const text = readFileSync(pidFile, "utf8");
    await first.stop();
    const bystander = spawn("sleep", ["60"], isRoot ? { uid: owner.uid, gid: owner.gid } : {});
    try {
      writeFileSync(pidFile, text.replace(/^\d+/, String(bystander.pid)), { mode: 0o600 });
      const database = await startEmbeddedPostgres({ dataDir: ownDir, log, settings: FAST });
      await database.stop();
      expect(bystander.exitCode).toBeNull();
      expect(bystander.signalCode).toBeNull();
    } finally {
      bystander.kill();
    }
  });

  it("replaces the server that a killed supervisor left running", async () => {
    const { child, pid, url } = await startElsewhere(dataDir);
    await keepSomething(url);
    child.kill("SIGKILL");
    await child.exited;
    expect(await query(url, "SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
    const database = await startEmbeddedPostgres({ dataDir, log });
    try {
      expect(database.pid()).not.toBe(pid);
      expect(await query(database.url, "SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
    } finally {
      await database.stop();
    }
  });

  it("makes the cluster anew when making it was interrupted", async () => {
    using scratch = scratchDirectory();
    const ownDir = join(scratch.path, "pg");
    const half = join(ownDir, "initializing", "cluster");
    mkdirSync(half, { recursive: true });
    writeFileSync(join(half, "PG_VERSION"), "18\n");
    const database = await startEmbeddedPostgres({ dataDir: ownDir, log, settings: FAST });
    try {
      expect(await query(database.url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
      expect(existsSync(join(ownDir, "initializing"))).toBe(false);
    } finally {
      await database.stop();
    }
  });
});

describe("Embedded PostgreSQL: one owner", () => {
  it("refuses a directory that another process runs, naming both, until that one is killed", async () => {
    const { child } = await startElsewhere(dataDir);
    try {
      const refusal = await startEmbeddedPostgres({ dataDir, log }).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(DirectoryLockedError);
      expect(String(refusal)).toContain(dataDir);
      expect(String(refusal)).toContain(`kill ${child.pid}`);
    } finally {
      child.kill("SIGKILL");
      await child.exited;
    }
    const database = await startEmbeddedPostgres({ dataDir, log });
    await database.stop();
  });

  it("lets go of the directory when it cannot start", async () => {
    const broken = startEmbeddedPostgres({ dataDir, log, settings: { ...FAST, work_mem: "nonsense" } });
    expect(broken).rejects.toThrow(/work_mem/);
    await broken.catch(() => {});
    const database = await startEmbeddedPostgres({ dataDir, log, settings: FAST });
    await database.stop();
  });

  it("refuses a cluster of another major version, and says which", async () => {
    using scratch = scratchDirectory();
    const ownDir = join(scratch.path, "pg");
    mkdirSync(join(ownDir, "cluster"), { recursive: true });
    writeFileSync(join(ownDir, "cluster", "PG_VERSION"), "17\n");
    const refusal = await startEmbeddedPostgres({ dataDir: ownDir, log }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ConfigError);
    expect(String(refusal)).toContain("PostgreSQL 17");
  });
});

async function startUnreachable(home: string, base: string): Promise<EmbeddedPostgres> {
  mkdirSync(home, { recursive: true });
  chmodSync(home, 0o700);
  return startEmbeddedPostgres({ dataDir: join(home, "pg"), log, settings: FAST, relocationBases: [base] });
}

describe.skipIf(!isRoot)("Embedded PostgreSQL: root's own directories (skipped unless run as root)", () => {
  it("keeps the data where PostgreSQL's user can reach it, says where, and finds it again", async () => {
    using scratch = scratchDirectory();
    const [home, base] = [join(scratch.path, "home"), join(scratch.path, "base")];
    const first = await startUnreachable(home, base);
    await keepSomething(first.url);
    await first.stop();
    expect(first.relocated).toStartWith(`${base}/`);
    expect(readFileSync(join(home, "pg", "relocated-to"), "utf8").trim()).toBe(first.relocated ?? "");
    const second = await startUnreachable(home, base);
    try {
      expect(second.relocated).toBe(first.relocated);
      expect(await query(second.url, "SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
    } finally {
      await second.stop();
    }
  });

  it("does not begin anew in silence when the relocated data is gone", async () => {
    using scratch = scratchDirectory();
    const ownDir = join(scratch.path, "pg");
    mkdirSync(ownDir);
    writeFileSync(join(ownDir, "relocated-to"), `${scratch.path}/gone\n`);
    const refusal = await startEmbeddedPostgres({ dataDir: ownDir, log }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ConfigError);
    expect(String(refusal)).toContain(`${scratch.path}/gone`);
  });

  it("does not use a directory that others could have prepared", async () => {
    using scratch = scratchDirectory();
    const [home, base] = [join(scratch.path, "home"), join(scratch.path, "base")];
    mkdirSync(base);
    chmodSync(base, 0o777);
    expect(startUnreachable(home, base)).rejects.toThrow(ConfigError);
  });
});
