/** What every request passes before and after the router. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { Socket } from "node:net";
import { createTenant } from "../../src/domain/tenants/service.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await createTenant(server.deps, { slug: "acme", name: "Acme", domains: ["login.acme.example"] });
});
afterAll(() => server.stop());

const get = (path: string, init: RequestInit = {}) =>
  fetch(server.url + path, { redirect: "manual", ...init });

/** A request written byte by byte, for what `fetch` would mend. */
function raw(lines: readonly string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const { hostname, port } = new URL(server.url);
  const socket = new Socket();
  let answer = "";
  socket.on("data", (chunk) => (answer += chunk.toString("latin1")));
  socket.on("close", () => resolve(answer));
  socket.on("error", reject);
  socket.connect(Number(port), hostname, () =>
    socket.write(`${[...lines, "Connection: close"].join("\r\n")}\r\n\r\n`),
  );
  return promise;
}

describe("X-Request-Id", () => {
  it("is made for a request that brings none, a new one each time", async () => {
    const [a, b] = await Promise.all([get("/healthz"), get("/healthz")]);
    expect(a.headers.get("x-request-id")).toMatch(/^req_[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(a.headers.get("x-request-id")).not.toBe(b.headers.get("x-request-id"));
  });

  it.each([
    "req_abc123def456",
    "a",
    "0190f5c4-3a10-7000-8000-000000000020",
    "trace:1.2-3_4",
    "x".repeat(128),
  ])("%p is kept", async (id) => {
    const response = await get("/me", { headers: { "x-request-id": id } });
    expect(response.headers.get("x-request-id")).toBe(id);
    expect(await response.json()).toMatchObject({ request_id: id });
  });

  it.each(["", "x".repeat(129), "a b", "a\tb", "<script>", "a;b", "a,b", '"a"', "ä", "a/b", "a=b"])(
    "%p is replaced",
    async (id) => {
      const response = await get("/me", { headers: { "x-request-id": id } });
      expect(response.headers.get("x-request-id")).toMatch(/^req_/);
      expect(await response.json()).toMatchObject({ request_id: response.headers.get("x-request-id") });
    },
  );

  it("is on every kind of answer", async () => {
    const answers = await Promise.all([
      get("/healthz"),
      get("/nowhere"),
      get("/healthz/"),
      get("/docs"),
      get("/signin", { headers: { accept: "text/html" } }),
      get("/account"),
      get("/login", { method: "POST", body: "{" }),
      get("/login", {
        method: "OPTIONS",
        headers: { origin: "https://a.example", "access-control-request-method": "POST" },
      }),
      get("/healthz", { method: "HEAD" }),
    ]);
    for (const answer of answers) expect(answer.headers.get("x-request-id")).toMatch(/^req_/);
  });
});

describe("a trailing slash", () => {
  it.each([
    ["GET", "/healthz/", 301, "/healthz"],
    ["HEAD", "/healthz/", 301, "/healthz"],
    ["GET", "/healthz/?a=1&b=%2F", 301, "/healthz?a=1&b=%2F"],
    ["GET", "/healthz///", 301, "/healthz"],
    ["POST", "/login/", 308, "/login"],
    ["PUT", "/login/", 308, "/login"],
    ["DELETE", "/a/b/", 308, "/a/b"],
    ["GET", "/t/acme/.well-known/openid-configuration/", 301, "/t/acme/.well-known/openid-configuration"],
    ["GET", "/t/acme/", 301, "/t/acme"],
  ])("of %s %s answers %i to %s", async (method, path, status, location) => {
    const response = await get(path, { method });
    expect([response.status, response.headers.get("location")]).toEqual([status, location]);
  });

  it("keeps the body of a POST, because 308 keeps the method", async () => {
    const response = await fetch(`${server.url}/login/`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ identifier: "nobody" }),
    });
    expect(response.url).toBe(`${server.url}/login`);
    expect(await response.json()).toMatchObject({
      details: [{ field: "password", message: "Is required." }],
    });
  });

  it("of the root is the root's only spelling", async () => {
    expect((await get("/", { headers: { accept: "text/html" } })).status).toBe(200);
  });

  it.each([
    "//evil.example/",
    "///evil.example//",
    "/\\evil.example/",
    "/%2F%2Fevil.example/",
    "/%5Cevil.example/",
    "/.//evil.example/",
    "/%09/evil.example/",
  ])("never leads elsewhere: %p", async (path) => {
    const answer = await raw([`GET ${path} HTTP/1.1`, `Host: ${new URL(server.url).host}`]);
    const location = /^location: (.*)$/im.exec(answer)?.[1]?.trim();
    if (location !== undefined) expect(new URL(location, server.url).origin).toBe(server.url);
    expect(answer).toMatch(/^HTTP\/1\.1 (?:301|400|404)/);
  });

  it("never leads to the host that the request names", async () => {
    const answer = await raw(["GET /healthz/ HTTP/1.1", "Host: evil.example"]);
    expect(/^location: (.*)$/im.exec(answer)?.[1]?.trim()).toBe("/healthz");
  });

  it("cannot be used to write a header", async () => {
    const answer = await raw([
      `GET /a%0d%0aset-cookie:%20x=1/ HTTP/1.1`,
      `Host: ${new URL(server.url).host}`,
    ]);
    expect(answer).not.toMatch(/^set-cookie:/im);
  });
});

/** The issuer that discovery at this path tells of, or the error. */
const issuer = async (path: string, headers: Record<string, string> = {}) => {
  const response = await get(path, { headers });
  const body = await response.json();
  return body.issuer ?? `${response.status} ${body.error}`;
};

describe("a tenant's path", () => {
  it("leads to the tenant", async () => {
    expect(await issuer("/t/acme/.well-known/openid-configuration")).toBe("https://login.acme.example");
    expect(await issuer("/.well-known/openid-configuration")).toBe(server.url);
  });

  it("may stand behind the well-known part, as RFC 8414 §3.1 has it", async () => {
    expect(await issuer("/.well-known/oauth-authorization-server/t/acme")).toBe("https://login.acme.example");
    expect(await issuer("/.well-known/oauth-authorization-server")).toBe(server.url);
  });

  it("keeps the query, the body and the method", async () => {
    const response = await get("/t/acme/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ password: "x" }),
    });
    expect(await response.json()).toMatchObject({
      details: [{ field: "identifier", message: "Is required." }],
    });
    const mails = await get("/t/acme/dev/mailbox?limit=0", { headers: { accept: "application/json" } });
    expect(mails.status).toBe(400);
  });

  it.each([
    "/t/nobody/.well-known/openid-configuration",
    "/t/ACME/.well-known/openid-configuration",
    "/t/acme%2F..%2F/.well-known/openid-configuration",
    "/t/%00/.well-known/openid-configuration",
    "/t/oauth/.well-known/openid-configuration",
    "/t/default%20/.well-known/openid-configuration",
    "/t/acme/t/acme/.well-known/openid-configuration",
    "/t/..%5c/.well-known/openid-configuration",
    `/t/${"a".repeat(300)}/.well-known/openid-configuration`,
  ])("%p names none", async (path) => {
    expect(await issuer(path)).toBe("404 not_found");
  });

  it("is found by its own host, and by its headers", async () => {
    expect(await issuer("/.well-known/openid-configuration", { host: "login.acme.example" })).toBe(
      "https://login.acme.example",
    );
    expect(await issuer("/.well-known/openid-configuration", { host: "LOGIN.acme.example.:443" })).toBe(
      "https://login.acme.example",
    );
    expect(await issuer("/.well-known/openid-configuration", { "x-ovlt-tenant-slug": "acme" })).toBe(
      "https://login.acme.example",
    );
    expect(await issuer("/.well-known/openid-configuration", { "x-ovlt-tenant-slug": "nobody" })).toBe(
      "404 not_found",
    );
    expect(await issuer("/.well-known/openid-configuration", { "x-ovlt-tenant-id": server.tenant.id })).toBe(
      server.url,
    );
    expect(await issuer("/.well-known/openid-configuration", { "x-ovlt-tenant-id": "tenant_x" })).toBe(
      "404 not_found",
    );
  });

  it("that names another tenant than host or header do is an error", async () => {
    const path = "/t/acme/.well-known/openid-configuration";
    expect(await issuer(path, { host: "login.acme.example" })).toBe("https://login.acme.example");
    expect(await issuer(path, { "x-ovlt-tenant-slug": "default" })).toBe("400 bad_request");
    expect(await issuer(path, { "x-ovlt-tenant-id": server.tenant.id })).toBe("400 bad_request");
    expect(
      await issuer("/.well-known/openid-configuration", {
        host: "login.acme.example",
        "x-ovlt-tenant-slug": "default",
      }),
    ).toBe("400 bad_request");
  });

  it("makes no link of the Host header", async () => {
    const response = await get("/.well-known/openid-configuration", {
      headers: { host: "evil.example", "x-forwarded-host": "evil.example" },
    });
    expect(await response.text()).not.toContain("evil.example");
  });
});

describe("methods", () => {
  it("HEAD answers as GET does, without the body", async () => {
    for (const path of ["/healthz", "/me", "/nowhere", "/.well-known/jwks.json"]) {
      const [head, whole] = await Promise.all([get(path, { method: "HEAD" }), get(path)]);
      expect({ path, status: head.status, body: await head.text() }).toEqual({
        path,
        status: whole.status,
        body: "",
      });
      expect(head.headers.get("content-type")).toBe(whole.headers.get("content-type"));
    }
  });

  it.each(["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])(
    "%s on a route that has no such method is refused",
    async (method) => {
      const answer = await raw([`${method} /login HTTP/1.1`, `Host: ${new URL(server.url).host}`]);
      expect(answer).toMatch(/^HTTP\/1\.1 40[0456]/);
    },
  );
});

describe("a body that is too large", () => {
  it("is refused before it is read", async () => {
    const response = await get("/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ identifier: "a", password: "x".repeat(1024 * 1024) }),
    });
    expect(response.status).toBe(413);
  });
});
