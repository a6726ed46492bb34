/** The one PostgreSQL that everything is measured on: the embedded one, with its production settings, fsync on. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import postgres from "postgres";
import { startEmbeddedPostgres } from "../src/embedded/postgres.ts";
import { createLogger } from "../src/lib/log.ts";
import { treeCpuMsOf } from "./machine.ts";

const DATA = join(import.meta.dir, "..", ".data", "bench");

export interface BenchDatabase {
  /** An empty database of this name. @returns its URL */
  create(name: string): Promise<string>;
  /**
   * Counts the rows of every database, as PostgreSQL does by itself within a minute or so: until then, it looks for a new row's
   * session or family by an index that leads through all of the tenant's, the longer the more there are.
   */
  analyze(): Promise<void>;
  /** Milliseconds of processor time of all its processes so far. */
  cpuMs(): number | undefined;
  stop(): Promise<void>;
}

export async function startDatabase(): Promise<BenchDatabase> {
  const dataDir = join(DATA, "postgres");
  const server = await startEmbeddedPostgres({
    dataDir,
    log: createLogger({ level: "error", name: "bench" }),
  });
  const made = new Set<string>();
  const urlOf = (name: string) => Object.assign(new URL(server.url), { pathname: `/${name}` }).href;
  return {
    async create(name) {
      const admin = postgres(server.url, { max: 1, onnotice: () => {} });
      await admin.unsafe(`drop database if exists ${name} with (force)`);
      await admin.unsafe(`create database ${name}`);
      await admin.end();
      made.add(name);
      return urlOf(name);
    },
    async analyze() {
      for (const name of made) {
        const sql = postgres(urlOf(name), { max: 1, onnotice: () => {} });
        await sql`analyze`;
        await sql.end();
      }
    },
    cpuMs: () => treeCpuMsOf(server.pid()),
    async stop() {
      await server.stop();
      for (const directory of [DATA, server.relocated])
        if (directory) rmSync(directory, { recursive: true, force: true });
    },
  };
}
