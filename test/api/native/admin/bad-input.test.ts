/** What an administrator may send by mistake: each route of theirs answers it as documented, and shows none of it. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import {
  createJudge,
  HARMFUL,
  MARKER,
  type Route,
  routesOf,
  texts,
  values,
} from "../../bad-input-fixture.ts";
import { administratorsToken } from "./support.ts";

let server: TestServer;
let routes: Route[];
let headers: Record<string, string>;
beforeAll(async () => {
  server = await startTestServer();
  await server.configure({ dynamic_registration: "open" });
  const ours =
    /^\/api\/v1\/(?:compliance|admin\/(?:clients|initial-access-tokens|trusted-issuers|audit-events|service-accounts|users\/:id\/(?:api-keys|impersonate)))/;
  routes = (await routesOf(server)).filter(
    ({ path }) => ours.test(path) || path.startsWith("/oauth/register") || path.startsWith("/me/api-keys"),
  );
  headers = {
    "content-type": "application/json",
    authorization: `Bearer ${await administratorsToken(server)}`,
    // Nobody works on what is asked for.
    prefer: "wait=0",
  };
});
afterAll(() => server.stop());

const MEMBERS = "client_name redirect_uris scope grant_types jwks software_statement client_id".split(" ");
const sound = {
  name: "App",
  client_name: "App",
  redirect_uris: ["https://app.example/cb"],
  reason: "Ticket 4711",
  scopes: ["account:read"],
};

describe("an administrator's mistake", () => {
  it("in a body is a documented error", async () => {
    const judge = createJudge(() => server);
    for (const route of routes.filter(({ method }) => method === "POST" || method === "PUT")) {
      const fields = route.fields.length > 0 ? route.fields : MEMBERS;
      // A stranger's registration is without the token, which would be none of its own.
      const sent = route.path === "/oauth/register" ? { "content-type": "application/json" } : headers;
      for (const field of fields) {
        await Promise.all(
          Object.entries(values).map(([kind, value]) =>
            judge.send(route, `${field}: ${kind}`, {
              headers: sent,
              body: JSON.stringify({ ...sound, [field]: value }),
            }),
          ),
        );
      }
    }
    expect(judge.findings()).toEqual([]);
  });

  it("in a query is a documented error", async () => {
    const judge = createJudge(() => server);
    for (const route of routes.filter(({ method }) => method === "GET"))
      for (const field of route.query)
        for (const [kind, value] of texts)
          await judge.send(
            route,
            `${field}: ${kind}`,
            { headers },
            {
              query: `?${field}=${encodeURIComponent(value.slice(0, 4000).toWellFormed())}`,
            },
          );
    expect(judge.findings()).toEqual([]);
  });

  it("in a header is a documented error", async () => {
    const judge = createJudge(() => server);
    const wrong = ["", " ", "wait", "wait=-1", "wait=9e9", 'wait="', "x".repeat(300), MARKER, HARMFUL];
    for (const route of routes.filter(({ path }) => !path.endsWith("/stream")))
      for (const value of wrong)
        for (const name of ["prefer", "idempotency-key"])
          await judge.send(route, `${name}: ${value}`, {
            headers: { ...headers, [name]: name === "prefer" ? `${value}, wait=0` : value },
            ...(route.method === "GET" ? {} : { body: "{}" }),
          });
    const stream = routes.find(({ path }) => path.endsWith("/stream"));
    if (!stream) throw new Error("no stream");
    for (const value of [MARKER, HARMFUL, "-1", "1e3", "9".repeat(40), "x".repeat(100)])
      await judge.send(stream, `last-event-id: ${value}`, {
        headers: { ...headers, "last-event-id": value },
      });
    expect(judge.findings()).toEqual([]);
  });

  it("is looked for", () => {
    expect(routes.length).toBeGreaterThan(30);
  });
});
