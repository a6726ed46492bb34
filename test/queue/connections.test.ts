import { afterAll, beforeAll, expect, it } from "bun:test";
import postgres from "postgres";
import { createLogger } from "../../src/lib/log.ts";
import { createQueueBackend } from "../../src/queue/backend.ts";
import { queueNames } from "../../src/queue/contracts.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { eventually } from "../support/queue.ts";

const log = createLogger({ level: "silent", name: "test" });
const JOBS = 20;

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await database.drop();
});

it("keeps all queues of a process, with a worker each, on so few connections that PostgreSQL's default lets several in", async () => {
  const sql = postgres(database.url, { max: 1 });
  const backend = createQueueBackend({ databaseUrl: database.url, redisUrl: undefined }, log);
  const queues = await Promise.all(queueNames.map(backend.openQueue));
  const workers = queueNames.map((name) => backend.openWorker(name, async () => {}, { concurrency: 10 }));
  const jobs = Array.from({ length: JOBS }, (_, index) => ({
    id: `outbox-${index}`,
    name: "any",
    data: { tenantId: null, payload: {} },
  }));
  await Promise.all(queues.map((queue) => queue.add(jobs)));
  await eventually("every job", async () => {
    const completed = await Promise.all(queues.map((queue) => queue.count("completed")));
    return completed.every((count) => count === JOBS);
  });
  const connections = await openConnections(sql);
  expect(connections).toBeGreaterThan(0);
  expect(connections).toBeLessThanOrEqual(queueNames.length + 6);
  await Promise.all(workers.map((worker) => worker.stop(5000)));
  await backend.close();
  await eventually("their end", async () => (await openConnections(sql)) === 0);
  await sql.end();
}, 60_000);

async function openConnections(sql: postgres.Sql): Promise<number | undefined> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`;
  return row?.count;
}
