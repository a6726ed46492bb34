/** Access tokens that say nothing by themselves (RFC 6749 §1.4): of clients with `access_token_format: opaque`. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import * as client from "openid-client";
import { accessTokens, users } from "../../../src/db/schema/index.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import {
  addUser,
  type Application,
  type Login,
  logIn,
  registerApplication,
  userinfoStatus,
} from "../support.ts";

let server: TestServer;
let ada: User;
let app: Application;
let login: Login;

beforeAll(async () => {
  server = await startTestServer();
  ada = await addUser(server, "ada");
});
afterAll(() => server.stop());
beforeEach(async () => {
  app = await registerApplication(server, { row: { accessTokenFormat: "opaque" } });
  login = await logIn(app, createHttpBrowser(server.url), ada);
});

describe("an opaque access token", () => {
  it("is no JWT, and only its digest is stored", async () => {
    const token = login.tokens.access_token;
    expect(token).toMatch(/^at_[0-9A-Z]{26}_[\w-]{43}$/);
    const rows = await server.deps.db.select().from(accessTokens);
    expect(JSON.stringify(rows)).not.toContain(token.slice(-43));
  });

  it("opens UserInfo for its user", async () => {
    const claims = await client.fetchUserInfo(app.config, login.tokens.access_token, ada.id);
    expect(claims.email).toBe(ada.email ?? "");
  });

  it("comes with a refresh too, and ends when its time is over", async () => {
    const refreshed = await client.refreshTokenGrant(app.config, login.tokens.refresh_token ?? "");
    expect(await userinfoStatus(server, refreshed.access_token)).toBe(200);
    server.clock.advance(901);
    expect(await userinfoStatus(server, refreshed.access_token)).toBe(401);
  });

  it("ends with its family, and while its user is disabled", async () => {
    const { db } = server.deps;
    await db.update(users).set({ enabled: false }).where(eq(users.id, ada.id));
    expect(await userinfoStatus(server, login.tokens.access_token)).toBe(401);
    await db.update(users).set({ enabled: true }).where(eq(users.id, ada.id));
    expect(await userinfoStatus(server, login.tokens.access_token)).toBe(200);
    // The code a second time: its whole family ends (RFC 6749 §4.1.2).
    const again = client.authorizationCodeGrant(app.config, login.answer, login.pending.checks);
    expect(
      await again.then(
        () => "issued",
        () => "refused",
      ),
    ).toBe("refused");
    expect(await userinfoStatus(server, login.tokens.access_token)).toBe(401);
  });

  it("cannot be guessed from its id", async () => {
    const token = login.tokens.access_token;
    for (const forged of [token.slice(0, -43) + "A".repeat(43), token.slice(0, -1), `${token}A`]) {
      expect(await userinfoStatus(server, forged)).toBe(401);
    }
  });

  it("of a client for itself opens nothing of a user's", async () => {
    const machine = await registerApplication(server, {
      grantTypes: ["client_credentials"],
      scopes: ["jobs:run"],
      row: { accessTokenFormat: "opaque" },
    });
    const issued = await client.clientCredentialsGrant(machine.config);
    expect(issued.access_token).toStartWith("at_");
    expect(await userinfoStatus(server, issued.access_token)).toBe(401);
  });
});
