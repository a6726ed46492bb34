/** How errors are told: to programs as JSON, to people as a page, and to nobody more than they should know. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { Elysia, t } from "elysia";
import { errorHandling, type ErrorPage } from "../../src/http/errors.ts";
import { setRequestInfo } from "../../src/http/request-info.ts";
import { AppError, OAuthError, unauthorized, validationError } from "../../src/lib/errors.ts";
import { createLogger } from "../../src/lib/log.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const SECRET = "s3cret-of-the-test";

const page: ErrorPage = async (_request, { status, code, message, requestId }) =>
  new Response(`<p>${code} ${message} ${requestId}</p>`, {
    status,
    headers: { "content-type": "text/html" },
  });

function appOf(thrown: unknown) {
  return new Elysia({ normalize: false })
    .use(errorHandling({ log: createLogger({ level: "silent", name: "test" }) }, page))
    .get("/fails", () => {
      throw thrown;
    })
    .get("/oauth/fails", () => {
      throw thrown;
    })
    .post("/form", () => "", {
      body: t.Object({
        name: t.String({ minLength: 2, maxLength: 4 }),
        flag: t.Boolean(),
        email: t.String({ format: "email" }),
        nested: t.Optional(t.Object({ list: t.Array(t.Object({ flag: t.Boolean() })) })),
      }),
    })
    .get("/search", () => "", { query: t.Object({ limit: t.Integer() }) });
}

type Fetches = { fetch(request: Request): Response | Promise<Response> };

async function answer(app: Fetches, path: string, init: RequestInit = {}) {
  const request = new Request(`http://id.test${path}`, init);
  setRequestInfo(request, {
    requestId: "req_1",
    ip: undefined,
    userAgent: undefined,
    tenantSlug: undefined,
    host: "id.test",
  });
  const response = await app.fetch(request);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const post = (app: Fetches, body: unknown, path = "/form") =>
  answer(app, path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

describe("what nobody foresaw", () => {
  it.each([
    ["an Error", new Error(SECRET)],
    ["an Error with a status of its own", Object.assign(new Error(SECRET), { status: 418, code: SECRET })],
    [
      "an Error with a response of its own",
      Object.assign(new Error(SECRET), { toResponse: () => new Response(SECRET) }),
    ],
    ["a TypeError", new TypeError(SECRET)],
    ["an Error with a cause", new Error(SECRET, { cause: new Error(SECRET) })],
    [
      "an error that only looks like ours",
      Object.assign(new Error(SECRET), { name: "AppError", status: 400 }),
    ],
  ])("%s is a 500 without details", async (_name, thrown) => {
    const { status, text, headers } = await answer(appOf(thrown), "/fails");
    expect(status).toBe(500);
    expect(JSON.parse(text)).toEqual({
      error: "internal_error",
      error_description: "Something went wrong on our side. Please try again.",
      request_id: "req_1",
    });
    expect(JSON.stringify([...headers])).not.toContain(SECRET);
  });

  it("is a page without details for a person", async () => {
    const { status, text } = await answer(appOf(new Error(SECRET)), "/fails", {
      headers: { accept: "text/html" },
    });
    expect({ status, text }).toEqual({
      status: 500,
      text: "<p>internal_error Something went wrong on our side. Please try again. req_1</p>",
    });
  });
});

describe("an error of ours", () => {
  it("is told with its status, code, message and headers, and never with its cause", async () => {
    const thrown = unauthorized("A token, please.", {
      cause: new Error(SECRET),
      headers: { "www-authenticate": "Bearer" },
    });
    const { status, text, headers } = await answer(appOf(thrown), "/fails");
    expect(status).toBe(401);
    expect(JSON.parse(text)).toEqual({
      error: "unauthorized",
      error_description: "A token, please.",
      request_id: "req_1",
    });
    expect(headers.get("www-authenticate")).toBe("Bearer");
  });

  it("names the fields that are wrong", async () => {
    const thrown = validationError([{ field: "email", message: "Must be a valid email address." }]);
    const { status, text } = await answer(appOf(thrown), "/fails");
    expect(status).toBe(422);
    expect(JSON.parse(text).details).toEqual([{ field: "email", message: "Must be a valid email address." }]);
  });

  it("is not to be kept by caches, as RFC 6749 §5.2 asks of OAuth's", async () => {
    for (const thrown of [new OAuthError("invalid_grant", "No."), new AppError(404, "not_found", "No.")]) {
      expect((await answer(appOf(thrown), "/oauth/fails")).headers.get("cache-control")).toBe("no-store");
    }
  });
});

describe("a body that fails its schema", () => {
  const app = appOf(undefined);

  it("is told field by field, by what the schema wants", async () => {
    const { status, text } = await post(app, {
      name: "x",
      flag: SECRET,
      email: SECRET,
      nested: { list: [{ flag: SECRET }] },
    });
    expect(status).toBe(422);
    expect(JSON.parse(text)).toEqual({
      error: "validation_error",
      error_description: "Request body failed validation.",
      request_id: "req_1",
      details: [
        { field: "name", message: "Must be between 2 and 4 characters." },
        { field: "flag", message: "Must be a boolean." },
        { field: "email", message: "Must be a valid email address." },
        { field: "nested.list.0.flag", message: "Must be a boolean." },
      ],
    });
  });

  it("names each field once, whatever is wrong with it", async () => {
    const { text } = await post(app, {});
    expect(JSON.parse(text).details).toEqual([
      { field: "name", message: "Is required." },
      { field: "flag", message: "Is required." },
      { field: "email", message: "Is required." },
    ]);
  });

  it("with a number that is none says what number it must be", async () => {
    const numbers = appOf(undefined).post("/numbers", () => "", {
      body: t.Object({ age: t.Integer(), size: t.Number() }),
    });
    const { text } = await post(numbers, { age: 1.5, size: SECRET }, "/numbers");
    expect(JSON.parse(text).details).toEqual([
      { field: "age", message: "Must be an integer." },
      { field: "size", message: "Must be a number." },
    ]);
  });

  it("with a field that is not known says so, without repeating its name", async () => {
    const { status, text } = await post(app, { name: "abc", flag: true, email: "a@b.example", [SECRET]: 1 });
    expect(status).toBe(422);
    expect(text).not.toContain(SECRET);
    expect(JSON.parse(text).details).toHaveLength(1);
    expect(JSON.parse(text).details[0].message).not.toContain("object");
  });

  it("that is no JSON is told as that, without what stands there", async () => {
    for (const body of [`{"name": "${SECRET}"`, SECRET, `{"a":${SECRET}}`, "{'a': 1}"]) {
      const { status, text } = await post(app, body);
      expect({ status, text: JSON.parse(text) }).toEqual({
        status: 400,
        text: {
          error: "bad_request",
          error_description: "The request body is not valid JSON.",
          request_id: "req_1",
        },
      });
    }
  });
});

describe("a query that fails its schema", () => {
  it("is a 400", async () => {
    const { status, text } = await answer(appOf(undefined), `/search?limit=${SECRET}`);
    expect({ status, error: JSON.parse(text).error }).toEqual({ status: 400, error: "bad_request" });
    expect(text).not.toContain(SECRET);
  });
});

describe("the problems of a body", () => {
  const app = new Elysia()
    .use(errorHandling({ log: createLogger({ level: "silent", name: "test" }) }, page))
    .post("/typed", ({ body }) => body, {
      body: t.Object({
        list: t.Array(t.String()),
        nested: t.Object({ text: t.String() }),
        pattern: t.String({ pattern: "^x$", "x-message": "Must be nice." }),
        length: t.String({ minLength: 2, maxLength: 3 }),
        number: t.Integer(),
        email: t.String({ format: "email" }),
        missing: t.String(),
      }),
    });

  async function problemsOf(body: unknown): Promise<unknown> {
    const request = new Request("http://test/typed", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    setRequestInfo(request, {
      requestId: "req_test",
      ip: undefined,
      userAgent: undefined,
      tenantSlug: undefined,
      host: "test",
    });
    const answer = await (await app.handle(request)).text();
    expect(answer).not.toContain(SECRET);
    return JSON.parse(answer).details;
  }

  it("are told by the schema alone", async () => {
    const wrong = {
      list: SECRET,
      nested: { text: [SECRET] },
      pattern: SECRET,
      length: SECRET,
      number: SECRET,
      email: SECRET,
    };
    expect(await problemsOf(wrong)).toEqual([
      { field: "list", message: "Must be an array." },
      { field: "nested.text", message: "Must be a string." },
      { field: "pattern", message: "Must be nice." },
      { field: "length", message: "Must be between 2 and 3 characters." },
      { field: "number", message: "Must be an integer." },
      { field: "email", message: "Must be a valid email address." },
      { field: "missing", message: "Is required." },
    ]);
  });

  it("name no field that was sent and that the schema does not know", async () => {
    expect(await problemsOf([SECRET])).toContainEqual({
      field: "body",
      message: "Holds a field that is not known here.",
    });
  });
});

describe("in the whole server", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());

  it("a browser gets a page that shows the error and the request's id, and nothing of the path", async () => {
    const response = await fetch(`${server.url}/nowhere/<script>alert(1)</script>?${SECRET}`, {
      headers: { accept: "text/html,application/xhtml+xml" },
    });
    const html = await response.text();
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(html).toContain(response.headers.get("x-request-id") ?? "no id");
    expect(html).not.toContain("alert(1)");
    expect(html).not.toContain(SECRET);
  });

  it("a program gets JSON, also when it would take anything", async () => {
    for (const accept of ["application/json", "*/*", ""]) {
      const response = await fetch(`${server.url}/nowhere`, { headers: { accept } });
      expect(await response.json()).toEqual({
        error: "not_found",
        error_description: "There is nothing at this path.",
        request_id: response.headers.get("x-request-id"),
      });
    }
  });
});
