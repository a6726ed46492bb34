/**
 * Half a surrogate pair, which JSON can write and UTF-8 cannot (RFC 8259 §8.2), is no failure of ours where it would go to
 * the database as JSON (CWE-176). Guard: http/json-body.ts `wellFormed`.
 */
import { afterAll, beforeAll, expect, it } from "bun:test";
import { administratorsToken, caller } from "../api/native/admin/support.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

it.each([
  ["an export's search", "/users/export", { search: "\ud800" }],
  ["a service account's description", "/service-accounts", { name: "Half", description: "\udc00\ud800" }],
  ["a member's name", "/service-accounts", { name: "Half", "\ud800": 1 }],
])("is refused as what no body holds: %s", async (_what, path, body) => {
  const call = caller(server.url, await administratorsToken(server));
  expect((await call("POST", path, body)).status).toBe(400);
});

/**
 * Guards: `requireObject` and `requireReadable` of http/json-body.ts; the framework takes what cannot be read, or is no
 * object, for an empty body where no member is required.
 */
it.each([
  ["an export of all users", "POST", "/admin/users/export"],
  ["a token to register clients", "POST", "/admin/initial-access-tokens"],
  ["no change of a tenant", "PUT", "/admin/organizations/ID"],
  ["a profile without anything", "PUT", "/me"],
])(
  "nor is any other body that cannot be read, or is no object, taken for %s",
  async (_what, method, path) => {
    const authorization = `Bearer ${await administratorsToken(server)}`;
    const headers = { authorization, "content-type": "application/json" };
    const url = `${server.url}${path === "/me" ? "" : "/api/v1"}${path.replace("ID", server.tenant.id)}`;
    for (const body of ["null", "[]", '"all"', "1", "[1]"]) {
      const answer = await fetch(url, { method, headers, body });
      expect([body, answer.status]).toEqual([body, 422]);
    }
    expect((await fetch(url, { method, headers, body: '{"search":"one' })).status).toBe(400);
  },
);

it("is not told to who may not call the route", async () => {
  expect((await caller(server.url, "none")("POST", "/service-accounts", { name: "\ud800" })).status).toBe(
    401,
  );
});
