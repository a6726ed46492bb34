/** Which origins' scripts may call the API (Fetch Standard, "HTTP-network-or-cache fetch" and CORS preflight). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { startTestServer, type TestServer } from "../support/server.ts";

/** Everything that a browser would look at. */
function corsHeaders(response: Response): Record<string, string> {
  return Object.fromEntries([...response.headers].filter(([name]) => name.startsWith("access-control-")));
}

const withOrigin = (server: TestServer, origin: string, path = "/healthz") =>
  fetch(server.url + path, { headers: { origin } });

function preflight(server: TestServer, origin: string, path = "/login"): Promise<Response> {
  return fetch(server.url + path, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type",
    },
  });
}

function suite(origins: string, tests: (server: () => TestServer) => void) {
  describe(`GATEWRIGHT_ALLOWED_ORIGINS=${origins}`, () => {
    let server: TestServer;
    beforeAll(async () => {
      server = await startTestServer({ env: { GATEWRIGHT_ALLOWED_ORIGINS: origins } });
    });
    afterAll(() => server.stop());
    tests(() => server);
  });
}

const allowed = {
  "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
  "access-control-allow-headers":
    "Accept, Authorization, Content-Type, DPoP, Idempotency-Key, X-Request-Id, X-Org-Context",
  "access-control-max-age": "300",
};

suite("https://app.example, http://localhost:5173", (server) => {
  it.each(["https://app.example", "http://localhost:5173"])(
    "lets %p read answers, errors and redirects",
    async (origin) => {
      for (const path of ["/healthz", "/me", "/nowhere", "/.well-known/jwks.json"]) {
        const response = await withOrigin(server(), origin, path);
        expect(corsHeaders(response)).toMatchObject({ ...allowed, "access-control-allow-origin": origin });
        expect(response.headers.get("access-control-expose-headers")).toContain("X-Request-Id");
        expect(response.headers.get("vary")).toContain("Origin");
      }
    },
  );

  it("answers its preflight on every path", async () => {
    for (const path of ["/login", "/oauth/token", "/nowhere", "/t/nobody/me"]) {
      const response = await preflight(server(), "https://app.example", path);
      expect(response.status).toBe(204);
      expect(corsHeaders(response)).toMatchObject({
        ...allowed,
        "access-control-allow-origin": "https://app.example",
      });
    }
  });

  it.each([
    "https://evil.example",
    "http://app.example",
    "https://app.example:8443",
    "https://app.example.evil.example",
    "https://sub.app.example",
    "https://app.examplee",
    "https://xapp.example",
    "null",
    "",
  ])("lets %p read nothing", async (origin) => {
    expect(corsHeaders(await withOrigin(server(), origin))).toEqual({});
    const response = await preflight(server(), origin);
    expect(corsHeaders(response)).toEqual({});
  });

  it("tells caches that the answer depends on the origin, also where it is refused or missing", async () => {
    expect((await withOrigin(server(), "https://evil.example")).headers.get("vary")).toContain("Origin");
    expect((await fetch(`${server().url}/healthz`)).headers.get("vary")).toContain("Origin");
  });

  it("keeps what else an answer depends on", async () => {
    const style = /\/assets\/[\w.-]+\.css/.exec(
      await (await fetch(`${server().url}/signin`, { headers: { accept: "text/html" } })).text(),
    )?.[0];
    const response = await withOrigin(server(), "https://app.example", style);
    expect(response.status).toBe(200);
    expect(response.headers.get("vary")).toContain("Accept-Encoding");
    expect(response.headers.get("vary")).toContain("Origin");
  });

  it("never lets cookies along", async () => {
    const responses = [
      await withOrigin(server(), "https://app.example"),
      await preflight(server(), "https://app.example"),
    ];
    for (const response of responses)
      expect(response.headers.get("access-control-allow-credentials")).toBeNull();
  });
});

suite("*", (server) => {
  it("lets every origin read answers, without cookies", async () => {
    for (const response of [
      await withOrigin(server(), "https://any.example"),
      await preflight(server(), "https://any.example"),
    ]) {
      expect(corsHeaders(response)).toMatchObject({ ...allowed, "access-control-allow-origin": "*" });
      expect(response.headers.get("access-control-allow-credentials")).toBeNull();
    }
  });
});

suite("", (server) => {
  it("lets no origin read anything", async () => {
    for (const origin of ["https://any.example", server().url, "null"]) {
      expect(corsHeaders(await withOrigin(server(), origin))).toEqual({});
      expect(corsHeaders(await preflight(server(), origin))).toEqual({});
    }
  });
});
