/** Tokens that outlive the trust in whom they were given to. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { clients } from "../../src/db/schema/index.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { createApp, exchangeCode, obtainCode, signedIn, tokensOf, whereItWorks } from "./support.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

describe("a client that is disabled", () => {
  /** Guard: domain/access-tokens/access.ts, findLiveAccessToken asks for the client. */
  it("holds access tokens that open nothing any more, and open again when it is enabled", async () => {
    const app = await createApp(server, { public: true });
    const { browser } = await signedIn(server.url);
    const tokens = await tokensOf(exchangeCode(app, await obtainCode(browser, app)));
    const works = async () => (await whereItWorks(server.url, tokens.access_token)).me;
    const enable = async (enabled: boolean) => {
      await server.deps.db.update(clients).set({ enabled }).where(eq(clients.id, app.client.id));
      server.deps.caches.clear();
    };
    expect(await works()).toBe(200);
    await enable(false);
    expect(await works()).toBe(401);
    await enable(true);
    expect(await works()).toBe(200);
  });
});
