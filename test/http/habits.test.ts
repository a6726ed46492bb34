/** What every answer of the server has in common, whatever is asked and whoever renders it. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { ruleOf } from "../../src/http/rate-limit/limits.ts";
import { administratorsToken } from "../api/native/admin/support.ts";
import { bearer } from "../attacks/support.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";

let server: TestServer;
let token: string;
let operations: { method: string; path: string }[];
beforeAll(async () => {
  server = await startTestServer({ env: { RATE_LIMITING: "on" } });
  token = await administratorsToken(server);
  const { paths } = (await (await fetch(`${server.url}/docs/json`)).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
  );
});
afterAll(() => server.stop());

const LIMITS = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];

const standing = ({ headers }: Response) => LIMITS.map((name) => /^\d+$/.test(headers.get(name) ?? ""));

const ask = (method: string, path: string, headers: Record<string, string> = {}) =>
  fetch(server.url + path.replaceAll(/\{\w+\}/g, "x"), { method, redirect: "manual", headers });

describe("every route", () => {
  it("is asked here", () => {
    expect(operations.length).toBeGreaterThan(150);
  });

  it("tells the request's id, and how the caller stands unless nothing is counted", async () => {
    for (const { method, path } of operations) {
      const sent = `habits-${method}-1`;
      const response = await ask(method, path, { "x-request-id": sent });
      await response.body?.cancel();
      const limited = ruleOf(method, path) !== undefined;
      expect([method, path, response.headers.get("x-request-id"), standing(response)]).toEqual([
        method,
        path,
        sent,
        [limited, limited, limited],
      ]);
    }
  });
});

describe("an answer that no route gives", () => {
  it.each([
    ["GET", "/nothing", "application/json", 404],
    ["GET", "/nothing", "text/html", 404],
    ["GET", "/scim/v2/Nothing", "application/scim+json", 404],
    ["DELETE", "/oauth/token", "application/json", 405],
    ["GET", "/t/nobody/me", "application/json", 404],
  ])("%s %s for %s has the habits, too", async (method, path, accept, status) => {
    const response = await ask(method, path, { accept });
    expect([response.status, standing(response)]).toEqual([status, [true, true, true]]);
    expect(response.headers.get("x-request-id")).toStartWith("req_");
  });

  it.each([
    ["GET", "/api/v1/admin/users/", 301],
    ["HEAD", "/api/v1/admin/users/", 301],
    ["POST", "/api/v1/admin/users/", 308],
    ["PUT", "/api/v1/admin/users/x/", 308],
    ["DELETE", "/me/api-keys/x/", 308],
    ["GET", "/scim/v2/Users/", 301],
  ])("%s %s leads to the path without a slash by %p", async (method, path, status) => {
    const response = await ask(method, `${path}?a=b`);
    expect([response.status, response.headers.get("location")]).toEqual([status, `${path.slice(0, -1)}?a=b`]);
    expect(response.headers.get("x-request-id")).toStartWith("req_");
  });
});

describe("a body that is not valid", () => {
  it("is told with what is wrong, field by field", async () => {
    for (const path of ["/users", "/roles", "/clients", "/groups", "/webhooks", "/service-accounts"]) {
      const response = await postJson(`${server.url}/api/v1/admin${path}`, {}, bearer(token));
      const body = (await response.json()) as {
        error: string;
        details: { field: string; message: string }[];
      };
      expect([path, response.status, body.error]).toEqual([path, 422, "validation_error"]);
      expect(body.details.length).toBeGreaterThan(0);
      for (const { field, message } of body.details)
        expect([field, message]).toEqual([expect.any(String), expect.any(String)]);
    }
  });
});

describe("an API key", () => {
  it("is counted by itself, from whatever address, and no matter how many there are", async () => {
    await server.configure({ rate_limits: { admin_read: 3 } });
    server.clock.advance(60);
    token = await administratorsToken(server);
    const make = async () => {
      const body = { name: "x", scopes: ["users:read", "account:read"] };
      const made = await postJson(`${server.url}/me/api-keys`, body, bearer(token));
      return ((await made.json()) as { token: string }).token;
    };
    const [first, second] = [await make(), await make()];
    const statuses = async (key: string, times: number) => {
      const answers = [];
      for (let time = 0; time < times; time++)
        answers.push((await ask("GET", "/api/v1/admin/users", bearer(key))).status);
      return answers;
    };
    expect(await statuses(first, 4)).toEqual([200, 200, 200, 429]);
    expect(await statuses(second, 3)).toEqual([200, 200, 200]);
    await server.configure({ rate_limits: { default: 4 } });
    server.clock.advance(60);
    const own = await ask("GET", "/me", bearer(first));
    expect([own.status, own.headers.get("x-ratelimit-remaining")]).toEqual([200, "3"]);
    const other = await ask("GET", "/me", bearer(second));
    expect([other.status, other.headers.get("x-ratelimit-remaining")]).toEqual([200, "3"]);
  });
});
