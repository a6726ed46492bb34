import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import postgres from "postgres";
import { checkDatabase } from "../../src/cli/database-check.ts";
import { claimPort } from "../../src/cli/port.ts";
import { ConfigError } from "../../src/lib/config-error.ts";
import { runCommandLine } from "../support/command-line.ts";
import { testDatabaseUrl } from "../support/environment.ts";
import { scratchDirectory } from "../support/scratch.ts";

const ROLE = `gw_check_${process.pid}`;
const PASSWORD = "zq-secret";

function variant(change: (url: URL) => void): string {
  const url = new URL(testDatabaseUrl());
  change(url);
  return url.href;
}

async function problemOf(url: string, deadlineMs?: number): Promise<string> {
  const refusal = await checkDatabase(url, deadlineMs === undefined ? {} : { deadlineMs }).catch(
    (error: unknown) => error,
  );
  if (!(refusal instanceof ConfigError))
    throw new Error("was not refused as a ConfigError", { cause: refusal });
  expect(refusal.problems).toHaveLength(1);
  expect(refusal.message).toStartWith("DATABASE_URL");
  expect(refusal.message).not.toContain(new URL(testDatabaseUrl()).password);
  expect(refusal.message).not.toContain(PASSWORD);
  return refusal.message;
}

describe("DATABASE_URL", () => {
  const admin = postgres(testDatabaseUrl(), { max: 1, onnotice: () => {} });
  beforeAll(async () => {
    await admin.unsafe(`CREATE ROLE ${ROLE} LOGIN PASSWORD '${PASSWORD}'`);
    await admin.unsafe(`CREATE DATABASE ${ROLE}`);
    await admin.unsafe(`REVOKE CONNECT ON DATABASE ${ROLE} FROM PUBLIC`);
  });
  afterAll(async () => {
    await admin.unsafe(`DROP DATABASE ${ROLE}`);
    await admin.unsafe(`DROP ROLE ${ROLE}`);
    await admin.end();
  });

  it("passes when it can be worked with", async () => {
    expect(await checkDatabase(testDatabaseUrl())).toBeUndefined();
  });

  it("that nothing listens at", async () => {
    const port = String(await claimPort("127.0.0.1", 0));
    const problem = await problemOf(variant((url) => (url.port = port)));
    expect(problem).toContain(`nothing listens at 127.0.0.1:${port}`);
  });

  it("with an unknown host", async () => {
    expect(await problemOf(variant((url) => (url.hostname = "no-such-host.invalid")))).toContain(
      "the host no-such-host.invalid is unknown",
    );
  });

  it("with a wrong password", async () => {
    expect(await problemOf(variant((url) => (url.password = "zq-secret")))).toContain(
      "refuses this user or password",
    );
  });

  it("with a database that does not exist", async () => {
    expect(await problemOf(variant((url) => (url.pathname = "/no_such_database")))).toContain(
      'has no database "no_such_database": create it',
    );
  });

  it("whose user may not connect to the database", async () => {
    const url = variant((changed) => {
      changed.username = ROLE;
      changed.password = PASSWORD;
      changed.pathname = `/${ROLE}`;
    });
    expect(await problemOf(url)).toContain(`may not connect to the database "${ROLE}"`);
  });

  it.each([
    ["answers and hangs up", true, "closed the connection: look at its log, and whether it is a PostgreSQL"],
    ["answers and waits", false, "does not answer: correct host and port"],
  ])("of something that is no PostgreSQL, and %s", async (_, hangsUp, expected) => {
    const answer = "HTTP/1.1 400 Bad Request\r\n\r\n";
    using server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: (socket) => void (hangsUp ? socket.end(answer) : socket.write(answer)) },
    });
    const problem = await problemOf(
      variant((url) => (url.port = String(server.port))),
      100,
    );
    expect(problem).toContain(expected);
  });

  it("without a host", async () => {
    expect(await problemOf("postgres:///database")).toContain("postgres://user:password@host:port/database");
  });

  it.each(["start", "api", "worker", "migrate"])("stops `%s` with one line", async (command) => {
    using scratch = scratchDirectory();
    const { code, stderr } = await runCommandLine([command], {
      PORT: "0",
      GATEWRIGHT_DATA_DIR: scratch.path,
      GATEWRIGHT_MASTER_KEY: `1:${Buffer.alloc(32, 7).toString("base64")}`,
      DATABASE_URL: variant((url) => (url.password = PASSWORD)),
    });
    expect(stderr).toMatch(/^gatewright: DATABASE_URL: .* refuses this user or password: correct them\n$/);
    expect(code).toBe(1);
  });
});
