import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { closeDatabase, connectDatabase, type Database } from "../../src/db/client.ts";
import { tenants, users } from "../../src/db/schema/index.ts";
import { AppError } from "../../src/lib/errors.ts";
import { newId } from "../../src/lib/ids.ts";
import { serializeError } from "../../src/lib/log.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

const SECRET = "s3cret-of-the-test";

/** What a logger of its own process writes for `statement`, a line of JavaScript that uses `log`. */
async function logged(statement: string, level = "info"): Promise<string> {
  const script = `
    import { createLogger, createRequestLog } from ${JSON.stringify(new URL("../../src/lib/log.ts", import.meta.url).pathname)};
    const log = createLogger({ level: "${level}", name: "test" });
    ${statement}`;
  const child = Bun.spawn([process.execPath, "--no-env-file", "-e", script], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect({ code: await child.exited, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => {
      throw new Error("the statement was to fail");
    },
    (error: unknown) => error,
  );

describe("a log line", () => {
  it("is one JSON object with the time, the level, the process and the message", async () => {
    const line = JSON.parse(await logged(`log.info({ requestId: "req_1" }, "request");`));
    expect(line).toEqual({
      level: 30,
      time: expect.any(String),
      process: "test",
      requestId: "req_1",
      msg: "request",
    });
    expect(new Date(line.time).toISOString()).toBe(line.time);
  });

  it("is not written below the level", async () => {
    expect(await logged(`log.debug("detail"); log.info("line");`, "warn")).toBe("");
    expect(await logged(`log.fatal("line");`, "silent")).toBe("");
  });

  it("holds no secret of a body or of headers that were passed by mistake", async () => {
    const fields = [
      "password",
      "new_password",
      "token",
      "access_token",
      "refresh_token",
      "id_token",
      "client_secret",
      "secret",
      "code_verifier",
      "authorization",
      "cookie",
    ];
    const body = JSON.stringify(Object.fromEntries(fields.map((field) => [field, SECRET])));
    const lines = await logged(
      `log.info(${body}, "flat"); log.info({ body: ${body}, headers: ${body} }, "nested");`,
    );
    expect(lines).not.toContain(SECRET);
    expect(lines.match(/\[redacted\]/g)).toHaveLength(fields.length * 3);
  });
});

describe("the line of a request", () => {
  const request = { requestId: "req_1", method: "GET", path: '/a"\\\n{', status: 200, ms: 3 };
  const written = (level?: string) => logged(`createRequestLog(log)(${JSON.stringify(request)});`, level);

  it("is what the log would write of such an object", async () => {
    const line = await written();
    const asObject = await logged(`log.info(${JSON.stringify(request)}, "request");`);
    const withoutTime = (text: string) => text.replace(/"time":"[^"]+"/, "");
    expect(withoutTime(line)).toBe(withoutTime(asObject));
    const { time } = JSON.parse(line);
    expect(new Date(time).toISOString()).toBe(time);
  });

  it("is not written below the level", async () => {
    expect(await written("warn")).toBe("");
  });
});

describe("an error in the log", () => {
  let database: TestDatabase;
  let db: Database;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = connectDatabase(database.url, { max: 1, applicationName: "test" });
  });
  afterAll(async () => {
    await closeDatabase(db);
    await database.drop();
  });

  it("of the database holds its code and constraint, but neither the statement nor its values", async () => {
    const now = new Date();
    const row = { slug: SECRET, name: SECRET, createdAt: now, updatedAt: now };
    await db.insert(tenants).values({ id: newId("tenant"), ...row });
    const error = await failure(db.insert(tenants).values({ id: newId("tenant"), ...row }));
    // The test's own ground: the library does put the values there.
    expect(Bun.inspect(error)).toContain(SECRET);

    const serialized = serializeError(error);
    expect(JSON.stringify(serialized)).not.toContain(SECRET);
    expect(JSON.stringify(serialized)).not.toContain("insert into");
    expect(serialized["cause"]).toMatchObject({
      type: "PostgresError",
      message: "database error",
      code: "23505",
      constraint: "tenants_slug",
      table: "tenants",
    });
  });

  it("of a value that the database cannot take holds no value either", async () => {
    const error = await failure(
      db
        .select()
        .from(users)
        .where(eq(users.username, `${SECRET}\0`)),
    );
    expect(JSON.stringify(serializeError(error))).not.toContain(SECRET);
    expect(serializeError(error)["cause"]).toMatchObject({ code: "22021" });
  });

  it("of ours that was caused by the database holds none of it in its cause", async () => {
    const cause = await failure(
      db
        .select()
        .from(users)
        .where(eq(users.username, `${SECRET}\0`)),
    );
    const error = new AppError(500, "internal_error", "Something went wrong.", { cause });
    expect(JSON.stringify(serializeError(error))).not.toContain(SECRET);
    expect(serializeError(error)).toMatchObject({ message: "Something went wrong.", code: "internal_error" });
  });

  it("that is no Error is told by its type alone", () => {
    expect(serializeError(SECRET)).toEqual({ type: "string" });
    expect(serializeError({ password: SECRET })).toEqual({ type: "object" });
    expect(serializeError(null)).toEqual({ type: "object" });
  });
});
