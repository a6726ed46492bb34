/** RFC 7009: our reading of it, driven by openid-client where it can. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { and, desc, eq } from "drizzle-orm";
import * as client from "openid-client";
import { auditEvents, revokedAccessTokens } from "../../../src/db/schema/index.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser } from "../../support/browser.ts";
import { postForm, startTestServer, type TestServer } from "../../support/server.ts";
import {
  addUser,
  type Application,
  type Login,
  logIn,
  refusal,
  registerApplication,
  userinfoStatus,
} from "../support.ts";

let server: TestServer;
let ada: User;
let app: Application;
let login: Login;

beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_ALLOWED_ORIGINS: "https://spa.example.com" } });
  ada = await addUser(server, "ada");
});
afterAll(() => server.stop());
beforeEach(async () => {
  app = await registerApplication(server);
  login = await logIn(app, createHttpBrowser(server.url), ada);
});

const revoke = (token: string | undefined, parameters = {}, by = app) =>
  client.tokenRevocation(by.config, token ?? "", parameters);

const works = async ({ tokens }: Login, by = app) => ({
  access: await userinfoStatus(server, tokens.access_token),
  refresh: await client.refreshTokenGrant(by.config, tokens.refresh_token ?? "").then(
    () => "works",
    (error: client.ResponseBodyError) => error.error,
  ),
});

/** What the audit trail says of this client's revocations, the newest first. */
const revocations = () =>
  server.deps.db
    .select({ target: auditEvents.targetType, details: auditEvents.details })
    .from(auditEvents)
    .where(and(eq(auditEvents.type, "token.revoked"), eq(auditEvents.actorId, app.registered.client.id)))
    .orderBy(desc(auditEvents.createdAt));

describe("RFC 7009 §2.1: a refresh token", () => {
  it("ends with every token of its authorization", async () => {
    await revoke(login.tokens.refresh_token);
    expect(await works(login)).toEqual({ access: 401, refresh: "invalid_grant" });
    expect(await revocations()).toMatchObject([{ target: "token_family" }]);
  });

  it("ends them also by an older one of its rotation", async () => {
    const next = await client.refreshTokenGrant(app.config, login.tokens.refresh_token ?? "");
    await revoke(login.tokens.refresh_token);
    expect(await userinfoStatus(server, next.access_token)).toBe(401);
    expect(await refusal(client.refreshTokenGrant(app.config, next.refresh_token ?? ""))).toBe(
      "invalid_grant",
    );
  });

  it("leaves the user's other authorizations alone", async () => {
    const other = await logIn(app, createHttpBrowser(server.url), ada);
    await revoke(login.tokens.refresh_token);
    expect(await works(other)).toEqual({ access: 200, refresh: "works" });
  });
});

describe("RFC 7009 §2.1: an access token", () => {
  it.each(["jwt", "opaque"] as const)("of the format %s ends alone", async (accessTokenFormat) => {
    app = await registerApplication(server, { row: { accessTokenFormat } });
    login = await logIn(app, createHttpBrowser(server.url), ada);
    await revoke(login.tokens.access_token);
    expect(await works(login)).toEqual({ access: 401, refresh: "works" });
    expect(await revocations()).toMatchObject([{ target: "access_token" }]);
  });

  it("of a client for itself ends as well", async () => {
    const machine = await registerApplication(server, { grantTypes: ["client_credentials"], scopes: ["a"] });
    const { access_token } = await client.clientCredentialsGrant(machine.config);
    await revoke(access_token, {}, machine);
    expect(await client.tokenIntrospection(machine.config, access_token)).toEqual({ active: false });
  });

  it("is remembered for as long as it would have been good for", async () => {
    await revoke(login.tokens.access_token);
    const [, payload = ""] = login.tokens.access_token.split(".");
    const { jti, exp } = JSON.parse(Buffer.from(payload, "base64url").toString());
    const rows = await server.deps.db
      .select({ expiresAt: revokedAccessTokens.expiresAt })
      .from(revokedAccessTokens)
      .where(eq(revokedAccessTokens.jti, jti));
    expect(rows).toEqual([{ expiresAt: new Date(exp * 1000) }]);
  });

  it("is found whatever the hint says", async () => {
    await revoke(login.tokens.access_token, { token_type_hint: "refresh_token" });
    expect(await userinfoStatus(server, login.tokens.access_token)).toBe(401);
    await revoke(login.tokens.refresh_token, { token_type_hint: "of_no_type" });
    expect((await works(login)).refresh).toBe("invalid_grant");
  });
});

describe("RFC 7009 §2.2: the answer", () => {
  it("is 200 also for a token that is unknown, or over already, and nothing is written", async () => {
    await revoke(login.tokens.access_token);
    for (const token of ["nonsense", "rt_nonsense", login.tokens.access_token, login.tokens.id_token])
      await revoke(token);
    expect(await revocations()).toHaveLength(1);
  });

  it("is invalid_grant for another client's token, which goes on working (§2.1)", async () => {
    const thief = await registerApplication(server);
    for (const token of [login.tokens.access_token, login.tokens.refresh_token])
      expect(await refusal(revoke(token, {}, thief))).toBe("invalid_grant");
    expect(await works(login)).toEqual({ access: 200, refresh: "works" });
  });

  it("is invalid_client without the client's credentials", async () => {
    const answer = await postForm(`${server.url}/oauth/revoke`, {
      token: login.tokens.access_token,
      client_id: app.registered.client.clientId,
    });
    expect([answer.status, await answer.json()]).toMatchObject([401, { error: "invalid_client" }]);
    expect(await userinfoStatus(server, login.tokens.access_token)).toBe(200);
  });
});

describe("RFC 7009 §2.3, §5: a public client in a browser", () => {
  it("revokes its own tokens, from an origin that is allowed", async () => {
    app = await registerApplication(server, { public: true });
    login = await logIn(app, createHttpBrowser(server.url), ada);
    const answer = await postForm(
      `${server.url}/oauth/revoke`,
      { token: login.tokens.refresh_token ?? "", client_id: app.registered.client.clientId },
      { origin: "https://spa.example.com" },
    );
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://spa.example.com");
    expect((await works(login)).refresh).toBe("invalid_grant");
  });
});
