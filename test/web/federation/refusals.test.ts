/** When an upstream provider answers with an error. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { type App, authorizationParameters, Browser, createApp } from "../../attacks/support.ts";
import { connectOidc, travel, upstreamsAllowed, visit } from "../../support/federation.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { startUpstream, type Upstream } from "../../support/upstream.ts";

let server: TestServer;
let upstream: Upstream;
let app: App;
let subject: string;

beforeAll(async () => {
  server = await startTestServer({ env: upstreamsAllowed });
  upstream = startUpstream(() => server.clock.now());
  app = await createApp(server);
});
afterAll(async () => {
  await upstream.stop();
  await server.stop();
});
beforeEach(() => {
  subject = crypto.randomUUID();
  upstream.person = { sub: subject, id: subject };
  upstream.requests.length = 0;
});

describe("the answer of a provider that refused", () => {
  const refusing = (error: string) => {
    upstream.behaviour.answer = ({ state = "", iss = "" }) => ({ error, state, iss });
  };
  const obeying = () => {
    upstream.behaviour.answer = (parameters) => parameters;
  };

  it("is told on a page with a way back, to the application that waits as well", async () => {
    const connection = await connectOidc(server, upstream);
    const browser = new Browser(server.url);
    const authorize = await browser.get(`/oauth/authorize?${authorizationParameters(app)}`);
    const interaction = new URL(authorize.headers.get("location") ?? "", server.url).searchParams.get(
      "interaction",
    );
    refusing("access_denied");
    const response = await travel(browser, connection, { interaction: interaction ?? "" });
    obeying();
    expect(response.status).toBe(403);
    const html = await response.text();
    expect(html).toContain("cancelled there");
    expect(html).toContain("Sign in another way");
    const cancel = /href="([^"]*\/cancel\?[^"]*)"/.exec(html)?.[1]?.replaceAll("&amp;", "&") ?? "";
    const answered = new URL((await browser.get(cancel)).headers.get("location") ?? "");
    expect(answered.href).toStartWith(app.redirectUri);
    expect(Object.fromEntries(answered.searchParams)).toMatchObject({
      error: "access_denied",
      state: "state-1",
      iss: server.url,
    });
  });

  it.each([
    ["access_denied", "access_denied"],
    ["login_required", "login_required"],
    ["interaction_required", "interaction_required"],
    ["server_error", "server_error"],
    ["<script>", "server_error"],
  ])("goes to the application that chose the connection itself: %s as %s", async (error, told) => {
    const connection = await connectOidc(server, upstream);
    const browser = new Browser(server.url);
    const parameters = authorizationParameters(app, { connection: connection.key });
    let next = `/oauth/authorize?${parameters}`;
    for (let hops = 0; hops < 3; hops += 1) next = (await browser.get(next)).headers.get("location") ?? "";
    refusing(error);
    const callback = await visit(new URL(next));
    obeying();
    const answered = new URL((await browser.get(callback.href)).headers.get("location") ?? "");
    expect(answered.href).toStartWith(app.redirectUri);
    expect(answered.searchParams.get("error")).toBe(told);
    expect(answered.searchParams.get("state")).toBe("state-1");
  });
});
