/** What an administrator took away from an application, and the application goes on asking for. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { configureClient } from "../support/client-row.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  authorizationParameters,
  type Browser,
  createApp,
  errorOf,
  exchangeCode,
  obtainCode,
  refresh,
  signedIn,
  tokensOf,
} from "./support.ts";

const [ONE, TWO] = ["https://one.example/", "https://two.example/"];

let server: TestServer;
let browser: Browser;
let app: App;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  ({ browser } = await signedIn(server.url));
  server.clock.advance(1);
  app = await createApp(server, { scopes: ["openid", "offline_access", "orders:read", "orders:write"] });
  await configureClient(server, app, { resources: [ONE, TWO] });
});

const audienceOf = (jwt: string) =>
  JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString()).aud;

describe("a scope or a resource that the client is registered for no more", () => {
  /** Guard: domain/tokens/refresh.ts, exchangeRefreshToken (scope), registeredResources. */
  it("is not to be had by refresh tokens of before", async () => {
    const scope = "openid offline_access orders:read orders:write";
    const parameters = { scope, resource: ONE };
    const first = await tokensOf(exchangeCode(app, await obtainCode(browser, app, parameters)));
    await configureClient(server, app, { scopes: ["openid", "offline_access", "orders:read"] });
    expect(await errorOf(refresh(app, first.refresh_token, { scope: "orders:write" }))).toEqual([
      400,
      "invalid_scope",
    ]);
    const second = await tokensOf(refresh(app, first.refresh_token));
    expect(second.scope).toBe("openid offline_access orders:read");
    expect(audienceOf(second.access_token)).toBe(ONE);
    await configureClient(server, app, { resources: [TWO] });
    // Not one for this server instead.
    expect(await errorOf(refresh(app, second.refresh_token))).toEqual([400, "invalid_grant"]);
  });
});

describe("a number that is larger than any", () => {
  /** Guard: protocol/oidc/prompt.ts, parseMaxAge (MOST_SECONDS). */
  it("is no way to an error of the server", async () => {
    const asked = await browser.get(
      `/oauth/authorize?${authorizationParameters(app, { scope: "openid", max_age: "9999999999" })}`,
    );
    expect(asked.headers.get("location")).toContain("code=");
  });
});
