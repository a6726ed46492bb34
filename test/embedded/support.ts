/** What the tests of the embedded PostgreSQL share. */
import { join } from "node:path";
import postgres from "postgres";

export async function query<T>(url: string, text: string): Promise<T[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return [...(await sql.unsafe<T[] & object[]>(text))];
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** A process that starts the database, says so, and can be killed as an operator's `start` can. */
export async function startElsewhere(dataDir: string) {
  const script = `
    import { startEmbeddedPostgres } from ${JSON.stringify(join(import.meta.dir, "../../src/embedded/postgres.ts"))};
    import { createLogger } from ${JSON.stringify(join(import.meta.dir, "../../src/lib/log.ts"))};
    const log = createLogger({ level: "silent", name: "test" });
    const database = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, log });
    console.log(JSON.stringify({ pid: database.pid(), url: database.url }));
    Bun.gc(true);
    setInterval(() => {}, 1000);`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const { pid, url }: { pid: number; url: string } = JSON.parse(new TextDecoder().decode(value));
  return { child, pid, url };
}

export async function keepSomething(url: string): Promise<void> {
  await query(url, "DROP TABLE IF EXISTS kept");
  await query(url, "CREATE TABLE kept AS SELECT 42 AS answer");
}
