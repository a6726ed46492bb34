import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import postgres from "postgres";
import { testDatabaseUrl } from "../support/environment.ts";
import { until } from "../support/scratch.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

let server: TestServer;
const admin = postgres(testDatabaseUrl(), { max: 1, onnotice: () => {} });
const database = () => new URL(server.config.databaseUrl).pathname.slice(1);

beforeAll(async () => {
  server = await startTestServer();
});
// Closing a pool whose connections were cut takes until the deadline of closing.
afterAll(async () => {
  await server.stop();
  await admin.end();
}, 20_000);

async function ready() {
  const response = await fetch(`${server.url}/readyz`);
  return { status: response.status, body: await response.json() };
}

const fine = { status: 200, body: { status: "ok", checks: { database: "ok", queue: "ok" } } };

/** As after a crash or a fail-over: connections are cut, and new ones refused. */
async function takeDatabaseAway(): Promise<void> {
  await admin.unsafe(`alter database ${database()} with allow_connections false`);
  await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${database()}`;
}

describe("GET /healthz", () => {
  it("says that the process runs", async () => {
    const response = await fetch(`${server.url}/healthz`);
    expect({ status: response.status, body: await response.json() }).toEqual({
      status: 200,
      body: { status: "ok" },
    });
  });
});

describe("GET /readyz", () => {
  it("says that database and queue answer", async () => {
    expect(await ready()).toEqual(fine);
  });

  it("says when the queue's tables are missing", async () => {
    const sql = postgres(server.config.databaseUrl, { max: 1 });
    await sql`alter schema bullmq rename to elsewhere`;
    expect(await ready()).toEqual({
      status: 503,
      body: { status: "unavailable", checks: { database: "ok", queue: "failed" } },
    });
    await sql`alter schema elsewhere rename to bullmq`;
    await sql.end();
    expect(await ready()).toEqual(fine);
  });

  it("says when the database is away, and when it is back", async () => {
    await takeDatabaseAway();
    try {
      expect(await ready()).toEqual({
        status: 503,
        body: { status: "unavailable", checks: { database: "failed", queue: "failed" } },
      });
      expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    } finally {
      await admin.unsafe(`alter database ${database()} with allow_connections true`);
    }
    await until("the server is ready again", async () => (await ready()).status === 200);
    expect(await ready()).toEqual(fine);
  });
});

describe("while the database is away", () => {
  it("an error says to come back and tells nobody why, and requests work again afterwards", async () => {
    await takeDatabaseAway();
    try {
      const response = await fetch(`${server.url}/login`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ identifier: "admin", password: "wrong" }),
      });
      expect(response.status).toBe(503);
      expect(response.headers.get("retry-after")).toBe("2");
      expect(await response.json()).toEqual({
        error: "temporarily_unavailable",
        error_description: "The service is not available. Please try again in a few seconds.",
        request_id: response.headers.get("x-request-id"),
      });
      const page = await fetch(`${server.url}/verify-email?token=x`, { headers: { accept: "text/html" } });
      expect(page.status).toBe(503);
      expect(await page.text()).not.toMatch(
        /postgres|allow_connections|not currently accepting|127\.0\.0\.1/i,
      );
    } finally {
      await admin.unsafe(`alter database ${database()} with allow_connections true`);
    }
    await until("sign-in is answered again", async () => {
      const response = await fetch(`${server.url}/login`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ identifier: "admin", password: "wrong" }),
      });
      return response.status === 401;
    });
  });

  it("what is changed meanwhile elsewhere is seen once it is back", async () => {
    // The connection that listens for changes was cut above; it has to have come back.
    const sql = postgres(server.config.databaseUrl, { max: 1 });
    await sql`update tenants set settings = settings || '{"forgot_password_enabled": false}'`;
    await until("the server sees the changed setting", async () => {
      const response = await fetch(`${server.url}/forgot-password`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ email: "nobody@example.com" }),
      });
      return response.status === 403;
    });
    await sql.end();
  });
});
