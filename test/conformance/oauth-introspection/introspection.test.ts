/** RFC 7662, and its signed answers (RFC 9701): our reading of them, driven by openid-client where it can. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import * as jose from "jose";
import * as client from "openid-client";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser } from "../../support/browser.ts";
import { postForm, startTestServer, type TestServer } from "../../support/server.ts";
import { addUser, type Application, type Login, logIn, registerApplication } from "../support.ts";

const API = "https://api.example.com/";

let server: TestServer;
let ada: User;
let app: Application;
let gateway: Application;
let login: Login;

beforeAll(async () => {
  server = await startTestServer();
  ada = await addUser(server, "ada");
  gateway = await registerApplication(server, { name: "API gateway", firstParty: true });
});
afterAll(() => server.stop());
beforeEach(async () => {
  app = await registerApplication(server, { row: { resources: [API] } });
  login = await logIn(app, createHttpBrowser(server.url), ada);
});

const introspect = (by: Application, token: string, hint?: string) =>
  client.tokenIntrospection(by.config, token, hint ? { token_type_hint: hint } : {});

const raw = (by: Application, token: string, headers: Record<string, string> = {}, path = "introspect") =>
  postForm(
    `${server.url}/oauth/${path}`,
    {
      token,
      client_id: by.registered.client.clientId,
      ...(by.registered.clientSecret ? { client_secret: by.registered.clientSecret } : {}),
    },
    headers,
  );

describe("RFC 7662 §2.2: an active access token", () => {
  it("is told with its scope, client, user, times, audience and sign-in", async () => {
    const [, payload = ""] = login.tokens.access_token.split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
    const answer = await introspect(gateway, login.tokens.access_token);
    expect(answer).toEqual({
      active: true,
      token_type: "Bearer",
      iss: server.url,
      sub: ada.id,
      aud: server.url,
      client_id: app.registered.client.clientId,
      scope: "openid profile email",
      username: "ada",
      exp: claims.exp,
      iat: claims.iat,
      jti: claims.jti,
      auth_time: claims.auth_time,
      acr: claims.acr,
      amr: claims.amr,
      sid: claims.sid,
      org_id: claims.org_id,
      roles: [],
    });
  });

  it("tells the user's name only where the scope does", async () => {
    const narrow = await logIn(app, createHttpBrowser(server.url), ada, { scope: "openid" });
    expect(await introspect(gateway, narrow.tokens.access_token)).not.toHaveProperty("username");
  });

  it("is found whatever the hint says (§2.1)", async () => {
    for (const hint of ["access_token", "refresh_token", "something_else"])
      expect(await introspect(gateway, login.tokens.access_token, hint)).toMatchObject({ active: true });
  });

  it("may be opaque", async () => {
    const opaque = await registerApplication(server, { row: { accessTokenFormat: "opaque" } });
    const { tokens } = await logIn(opaque, createHttpBrowser(server.url), ada);
    expect(tokens.access_token).toStartWith("at_");
    expect(await introspect(gateway, tokens.access_token)).toMatchObject({ active: true, sub: ada.id });
  });

  it("may be a client's own", async () => {
    const machine = await registerApplication(server, {
      grantTypes: ["client_credentials"],
      scopes: ["jobs:run"],
    });
    const { access_token } = await client.clientCredentialsGrant(machine.config);
    const answer = await introspect(gateway, access_token);
    const { clientId } = machine.registered.client;
    expect(answer).toMatchObject({ active: true, sub: clientId, client_id: clientId, scope: "jobs:run" });
    expect(answer).not.toHaveProperty("username");
  });

  it("of a client with pairwise subjects is told with the subject that the client knows", async () => {
    const pairwise = await registerApplication(server, { row: { subjectType: "pairwise" } });
    const { tokens } = await logIn(pairwise, createHttpBrowser(server.url), ada);
    const answer = await introspect(gateway, tokens.access_token);
    expect(answer.sub).toBe(tokens.claims()?.sub ?? "");
    expect(answer.sub).not.toBe(ada.id);
  });
});

describe("RFC 7662 §2.2: a refresh token", () => {
  it("is told without a token_type, to its client", async () => {
    const answer = await introspect(app, login.tokens.refresh_token ?? "", "refresh_token");
    expect(answer).toEqual({
      active: true,
      iss: server.url,
      sub: ada.id,
      client_id: app.registered.client.clientId,
      scope: "openid profile email",
      iat: expect.any(Number),
      exp: Number(answer.iat) + server.tenant.settings.refresh_token_lifetime,
    });
  });

  it("is active no more once it was rotated", async () => {
    await client.refreshTokenGrant(app.config, login.tokens.refresh_token ?? "");
    expect(await introspect(app, login.tokens.refresh_token ?? "")).toEqual({ active: false });
  });
});

describe("RFC 7662 §2.2: whatever is not active", () => {
  it("is answered with that alone", async () => {
    for (const token of ["nonsense", "at_x", `${login.tokens.access_token}x`, login.tokens.id_token ?? ""])
      expect(await introspect(gateway, token)).toEqual({ active: false });
  });

  it("is a token whose time is over", async () => {
    server.clock.advance(server.tenant.settings.access_token_lifetime);
    expect(await introspect(gateway, login.tokens.access_token)).toEqual({ active: false });
  });

  it("is at once a token that was revoked", async () => {
    await client.tokenRevocation(app.config, login.tokens.access_token);
    expect(await introspect(gateway, login.tokens.access_token)).toEqual({ active: false });
  });

  it("is at once every token of a family that was revoked", async () => {
    await client.tokenRevocation(app.config, login.tokens.refresh_token ?? "");
    for (const token of [login.tokens.access_token, login.tokens.refresh_token ?? ""])
      expect(await introspect(gateway, token)).toEqual({ active: false });
  });
});

describe("RFC 7662 §2.1, §4: who may ask", () => {
  it("is a client with credentials", async () => {
    const spa = await registerApplication(server, { public: true });
    const answer = await raw(spa, login.tokens.access_token);
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ error: "invalid_client" });
  });

  it("is, of a third-party client's tokens, that client, those they are for, and first-party clients", async () => {
    const owner = await registerApplication(server, {
      grantTypes: ["client_credentials"],
      scopes: ["read"],
      firstParty: false,
      row: { resources: [API] },
    });
    const { access_token } = await client.clientCredentialsGrant(owner.config, { resource: API });
    const receiver = await registerApplication(server, { firstParty: false, row: { resources: [API] } });
    const stranger = await registerApplication(server, { firstParty: false });
    for (const by of [owner, receiver, gateway])
      expect(await introspect(by, access_token)).toMatchObject({ active: true, aud: API });
    expect(await introspect(stranger, access_token)).toEqual({ active: false });
  });

  it("is, of a refresh token, its client and first-party clients", async () => {
    const receiver = await registerApplication(server, { firstParty: false, row: { resources: [API] } });
    expect(await introspect(gateway, login.tokens.refresh_token ?? "")).toMatchObject({ active: true });
    expect(await introspect(receiver, login.tokens.refresh_token ?? "")).toEqual({ active: false });
  });

  it("needs a token to ask about", async () => {
    const { clientId } = gateway.registered.client;
    const answer = await postForm(`${server.url}/oauth/introspect`, {
      client_id: clientId,
      client_secret: gateway.registered.clientSecret ?? "",
    });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: "invalid_request" }]);
  });
});

describe("the endpoint", () => {
  it("answers at /oauth/token_info as well", async () => {
    const answer = await raw(gateway, login.tokens.access_token, {}, "token_info");
    expect([answer.status, await answer.json()]).toMatchObject([200, { active: true }]);
  });

  it("is told of in the metadata, and its answers are not to be stored", async () => {
    expect(gateway.config.serverMetadata()).toMatchObject({
      introspection_endpoint: `${server.url}/oauth/introspect`,
      introspection_endpoint_auth_methods_supported: [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
      ],
    });
    const answer = await raw(gateway, login.tokens.access_token);
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });
});

describe("RFC 9701 §4, §5: a signed answer", () => {
  it("is a JWT for the asker, with what is told in a claim of its own", async () => {
    const accept = { accept: "application/token-introspection+jwt" };
    const answer = await raw(gateway, login.tokens.access_token, accept);
    expect(answer.headers.get("content-type")).toBe("application/token-introspection+jwt");
    const jwks = jose.createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`));
    const { payload } = await jose.jwtVerify(await answer.text(), jwks, {
      typ: "token-introspection+jwt",
      issuer: server.url,
      audience: gateway.registered.client.clientId,
    });
    expect(payload["token_introspection"]).toMatchObject({ active: true, sub: ada.id });
    for (const forbidden of ["sub", "exp"]) expect(payload).not.toHaveProperty(forbidden);
  });

  it("tells of an inactive token nothing either", async () => {
    const accept = { accept: "application/token-introspection+jwt" };
    const jwt = await (await raw(gateway, "nonsense", accept)).text();
    expect(jose.decodeJwt(jwt)["token_introspection"]).toEqual({ active: false });
  });
});
