/** Routes that will go say so: RFC 9745, RFC 8594. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { Elysia, t } from "elysia";
import { type Deprecation, deprecation } from "../../src/http/deprecation.ts";
import { errorHandling } from "../../src/http/errors.ts";
import { createGateway } from "../../src/http/gateway.ts";
import { createMetrics } from "../../src/http/metrics.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const since = new Date("2026-01-01T00:00:00Z");
const sunset = new Date("2027-01-01T00:00:00Z");
const all = { since, sunset, documentation: "https://docs.example/old", successor: "/new" };

const appOf = (about: Deprecation, deps: TestServer["deps"]) =>
  new Elysia()
    .use(errorHandling(deps, async () => new Response()))
    .use(deprecation())
    .get("/old", () => "old", { deprecated: about, detail: { summary: "Old" } })
    .post("/old", () => "old", { deprecated: about, body: t.Object({ name: t.String() }) })
    .get("/broken", () => Promise.reject(new Error("broken")), { deprecated: about })
    .get("/new", () => "new");

let server: TestServer;
let app: ReturnType<typeof appOf>;
beforeAll(async () => {
  server = await startTestServer();
  app = appOf(all, server.deps);
});
afterAll(() => server.stop());

const ask = (path: string, init?: RequestInit, of: { fetch: typeof app.fetch } = app) =>
  createGateway(
    server.deps,
    (request) => of.fetch(request),
    createMetrics(),
  )(new Request(`${server.url}${path}`, init));

describe("a deprecated route", () => {
  it("says since when, until when, where to read about it, and what to use instead", async () => {
    const { status, headers } = await ask("/old");
    expect(status).toBe(200);
    expect(headers.get("deprecation")).toBe("@1767225600");
    expect(headers.get("sunset")).toBe("Fri, 01 Jan 2027 00:00:00 GMT");
    expect(headers.get("link")).toBe(
      '<https://docs.example/old>; rel="deprecation"; type="text/html", </new>; rel="successor-version"',
    );
  });

  it("says so in its refusals and failures, too", async () => {
    const refused = await ask("/old", { method: "POST", body: "{}" });
    expect([refused.status, refused.headers.get("deprecation")]).toEqual([422, "@1767225600"]);
    const failed = await ask("/broken");
    expect([failed.status, failed.headers.get("deprecation")]).toEqual([500, "@1767225600"]);
  });

  it("is marked in the description, beside what it says itself", () => {
    const details = app.routes.map(({ method, path, hooks }) => [`${method} ${path}`, hooks.detail]);
    expect(Object.fromEntries(details)).toEqual({
      "GET /old": { summary: "Old", deprecated: true },
      "POST /old": { deprecated: true },
      "GET /broken": { deprecated: true },
      "GET /new": undefined,
    });
  });

  it("needs to say no more than since when", async () => {
    const { headers } = await ask("/old", undefined, appOf({ since }, server.deps));
    expect([headers.get("deprecation"), headers.get("sunset"), headers.get("link")]).toEqual([
      "@1767225600",
      null,
      null,
    ]);
  });

  it("does not end before it is deprecated (RFC 9745 §4), and links to addresses alone", () => {
    expect(() => appOf({ since: sunset, sunset: since }, server.deps)).toThrow(RangeError);
    expect(() => appOf({ since, successor: '/new>; rel="x"' }, server.deps)).toThrow(RangeError);
  });
});

describe("any other route", () => {
  it("says nothing of the kind", async () => {
    const { headers } = await ask("/new");
    expect([headers.has("deprecation"), headers.has("sunset"), headers.has("link")]).toEqual([
      false,
      false,
      false,
    ]);
  });
});
