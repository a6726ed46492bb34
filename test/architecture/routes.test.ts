/** Every route says what it is, what it answers and who may call it; and the description says what the routes do. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import type { OpenAPIV3 } from "openapi-types";
import { createApp } from "../../src/app.ts";
import { createMetrics } from "../../src/http/metrics.ts";
import { createQueueHealth } from "../../src/queue/health.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

interface Route {
  method: string;
  path: string;
  detail: { summary?: string; tags?: string[]; security?: Record<string, string[]>[]; hide?: boolean };
  response: Record<string, unknown>;
}

interface Operation extends OpenAPIV3.OperationObject {
  name: string;
  method: string;
  path: string;
}

/** Routes that the documentation's plugin registers by itself. */
const ofThePlugin = new Map([
  ["GET /docs/json", "the description, which does not describe itself"],
  ["GET /docs/plugin", "the plugin's own page, which is not served"],
]);

let server: TestServer;
let routes: Route[];
let operations: Operation[];
let document: OpenAPIV3.Document;

beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_METRICS_TOKEN: "a-token-of-the-tests" } });
  const { deps, config } = server;
  const queue = createQueueHealth(config, deps.db, deps.log);
  const app = createApp(deps, { metrics: createMetrics(), queue });
  routes = app.routes
    .map(({ method, path, hooks }) => ({
      method,
      path,
      detail: hooks.detail ?? {},
      response: hooks.response ?? {},
    }))
    .filter(({ method, path }) => !ofThePlugin.has(`${method} ${path}`));
  await queue.close();
  document = await fetch(`${server.url}/docs/json`).then((response) => response.json());
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item ?? {}).map(([method, operation]) => ({
      ...(operation as OpenAPIV3.OperationObject),
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
    })),
  );
});
afterAll(() => server.stop());

const named = (of: readonly Route[]) => of.map(({ method, path }) => `${method} ${path}`);

describe("every route", () => {
  it("is looked at here", () => {
    expect(routes.length).toBeGreaterThan(30);
  });

  it("declares its security, an empty list where it is public", () => {
    expect(named(routes.filter(({ detail }) => !Array.isArray(detail.security)))).toEqual([]);
  });

  it("has a summary", () => {
    expect(named(routes.filter(({ detail }) => !detail.summary?.trim()))).toEqual([]);
  });

  it("has a tag", () => {
    expect(named(routes.filter(({ detail }) => !detail.tags?.length))).toEqual([]);
  });

  it("has a schema for a success", () => {
    expect(
      named(routes.filter(({ response }) => !Object.keys(response).some((status) => /^[23]/.test(status)))),
    ).toEqual([]);
  });

  it("is registered once", () => {
    const names = named(routes);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it("is in the description, and nothing else is", () => {
    const described = routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
    expect(operations.map(({ name }) => name).toSorted()).toEqual(described.toSorted());
  });
});

describe("the description", () => {
  it("says of each operation who may call it and what it answers", () => {
    for (const { name, security, responses, summary, tags } of operations) {
      expect({ name, declared: Array.isArray(security) }).toEqual({ name, declared: true });
      expect({ name, responses: Object.keys(responses).length > 0 }).toEqual({ name, responses: true });
      expect({ name, words: Boolean(summary && tags?.length) }).toEqual({ name, words: true });
    }
  });

  it("names each operation once", () => {
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("names only security schemes that it explains", () => {
    const known = Object.keys(document.components?.securitySchemes ?? {});
    const used = operations.flatMap(({ security }) => (security ?? []).flatMap((one) => Object.keys(one)));
    expect([...new Set(used)].filter((scheme) => !known.includes(scheme))).toEqual([]);
  });

  it("says that forms are taken as forms", () => {
    const forms = operations.filter(({ method, tags, path }) => {
      const isOAuth = path.startsWith("/oauth/") && !tags?.includes("Client registration");
      return method === "POST" && (tags?.includes("Hosted pages") || isOAuth);
    });
    expect(forms.length).toBeGreaterThan(8);
    const wrong = forms.filter(({ requestBody }) => {
      const content = requestBody && "content" in requestBody ? Object.keys(requestBody.content) : [];
      return content.join() !== "application/x-www-form-urlencoded";
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  it("says that the native API and client registration take JSON", () => {
    const ofJson = ["Account", "Clients", "Client registration", "Trusted issuers"];
    const native = operations.filter(
      ({ method, tags }) => method === "POST" && tags?.some((tag) => ofJson.includes(tag)),
    );
    expect(native.length).toBeGreaterThan(5);
    const wrong = native.filter(({ requestBody }) => {
      const content = requestBody && "content" in requestBody ? Object.keys(requestBody.content) : [];
      return content.join() !== "application/json";
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  it("is not also served by the plugin's page, which loads scripts from elsewhere", async () => {
    const response = await fetch(`${server.url}/docs/plugin`);
    expect(response.status).toBe(404);
    expect(await response.text()).not.toContain("<script");
  });

  it("is shown by a page that loads nothing from elsewhere", async () => {
    const page = await fetch(`${server.url}/docs`);
    const html = await page.text();
    const loaded = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = ""]) => url);
    expect(loaded.length).toBeGreaterThan(2);
    // An empty icon keeps the browser from asking for one.
    for (const path of loaded.filter((url) => !url.startsWith("data:"))) {
      expect(path).toMatch(/^\/(?!\/)/);
      expect((await fetch(server.url + path)).status).toBe(200);
    }
  });
});

/** `{}` beside a scheme says that a request without it may be fine, too. */
const guarded = () =>
  operations.filter(
    ({ security = [] }) => security.length > 0 && security.every((one) => Object.keys(one).length > 0),
  );

describe("a route that is not public", () => {
  it("exists", () => {
    expect(guarded().map(({ name }) => name)).toContain("GET /me");
  });

  it("answers 401 and a challenge without credentials", async () => {
    for (const { name, method, path } of guarded()) {
      const response = await fetch(server.url + path.replace(/\{\w+\}/g, "x"), { method });
      const challenge = response.headers.get("www-authenticate");
      expect({ name, status: response.status, challenge }).toEqual({
        name,
        status: 401,
        challenge: expect.stringMatching(/^Bearer/),
      });
      // RFC 7644 §3.12 has errors of its own.
      const envelope = path.startsWith("/scim/")
        ? { schemas: [expect.stringContaining(":Error")], status: "401", detail: expect.any(String) }
        : {
            error: expect.any(String),
            error_description: expect.any(String),
            request_id: response.headers.get("x-request-id"),
          };
      expect(await response.json()).toEqual(envelope);
    }
  });

  it("answers 401 to credentials that nobody issued, 400 to a malformed Bearer header (RFC 6750 §3.1)", async () => {
    const headers: [string, number][] = [
      ["Bearer x", 401],
      ["Bearer a.b.c", 401],
      ["Basic YTpi", 401],
      ["bearerx", 401],
      [`Bearer ${"x".repeat(4096)}`, 401],
      ["Bearer ", 400],
      ["Bearer a b", 400],
    ];
    for (const { name, method, path } of guarded()) {
      for (const [authorization, status] of headers) {
        const response = await fetch(server.url + path.replace(/\{\w+\}/g, "x"), {
          method,
          headers: { authorization },
        });
        expect({ name, authorization, status: response.status }).toEqual({ name, authorization, status });
      }
    }
  });

  it("documents its 401", () => {
    expect(
      guarded()
        .filter(({ responses }) => !responses["401"])
        .map(({ name }) => name),
    ).toEqual([]);
  });
});
