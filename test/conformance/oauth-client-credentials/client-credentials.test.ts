/** The client credentials grant, by openid-client. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { createRemoteJWKSet, jwtVerify } from "jose";
import * as client from "openid-client";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { refusal, registerApplication, userinfoStatus } from "../support.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

describe("RFC 6749 §4.4: client credentials", () => {
  it("gives a token about the client itself, and no refresh token", async () => {
    const machine = await registerApplication(server, {
      grantTypes: ["client_credentials"],
      redirectUris: [],
      scopes: ["reports:read", "reports:write"],
    });
    const tokens = await client.clientCredentialsGrant(machine.config, { scope: "reports:read" });
    expect(tokens).toMatchObject({ scope: "reports:read", expires_in: 900 });
    expect(tokens.refresh_token).toBeUndefined();
    const jwks = createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`));
    const { payload } = await jwtVerify(tokens.access_token, jwks, { issuer: server.url, typ: "at+jwt" });
    expect(payload).toMatchObject({ sub: machine.registered.client.clientId, scope: "reports:read" });
    expect(await userinfoStatus(server, tokens.access_token)).toBe(401);
  });

  it("is refused to a client that registered other grants, and for a scope about a user", async () => {
    expect(await refusal(client.clientCredentialsGrant((await registerApplication(server)).config))).toBe(
      "unauthorized_client",
    );
    const machine = await registerApplication(server, {
      grantTypes: ["client_credentials"],
      redirectUris: [],
    });
    expect(await refusal(client.clientCredentialsGrant(machine.config, { scope: "openid" }))).toBe(
      "invalid_scope",
    );
  });
});
