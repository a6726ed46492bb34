/** OpenID Connect Core §5.3.2: UserInfo as a signed JWT, driven by openid-client, which verifies it. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import * as jose from "jose";
import * as client from "openid-client";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { addUser, logIn, registerApplication } from "../support.ts";

let server: TestServer;
let ada: User;

beforeAll(async () => {
  server = await startTestServer();
  ada = await addUser(server, "ada");
});
afterAll(() => server.stop());

async function tokenOf(row: NonNullable<Parameters<typeof registerApplication>[1]>["row"]) {
  const app = await registerApplication(server, { row: { ...row } });
  const { tokens } = await logIn(app, createHttpBrowser(server.url), ada);
  const userinfo = await fetch(`${server.url}/oauth/userinfo`, {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  });
  return { app, tokens, userinfo };
}

describe("a client that is registered for userinfo_signed_response_alg", () => {
  /** oidcc-userinfo-rs256 */
  it.each(["RS256", "ES256", "EdDSA"])("gets a JWT by %s, with iss and aud", async (alg) => {
    const { app, userinfo } = await tokenOf({ userinfoSignedResponseAlg: alg });
    expect(userinfo.headers.get("content-type")).toBe("application/jwt");
    expect(userinfo.headers.get("cache-control")).toBe("no-store");
    const jwks = jose.createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`));
    const { payload, protectedHeader } = await jose.jwtVerify(await userinfo.text(), jwks, {
      issuer: server.url,
      audience: app.registered.client.clientId,
    });
    expect(protectedHeader.alg).toBe(alg);
    expect(payload).toMatchObject({ sub: ada.id, email: "ada@example.com", name: "Ada Lovelace" });
  });

  it("can read it with openid-client", async () => {
    const { app, tokens } = await tokenOf({ userinfoSignedResponseAlg: "RS256" });
    const config = await client.discovery(
      new URL(server.url),
      app.registered.client.clientId,
      { userinfo_signed_response_alg: "RS256" },
      client.ClientSecretBasic(app.registered.clientSecret),
      { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
    );
    const claims = await client.fetchUserInfo(config, tokens.access_token, ada.id);
    expect(claims.email).toBe("ada@example.com");
  });

  it("gets the subject that it knows, where that is a pairwise one (§8)", async () => {
    const { tokens, userinfo } = await tokenOf({
      userinfoSignedResponseAlg: "ES256",
      subjectType: "pairwise",
    });
    const claims = jose.decodeJwt(await userinfo.text());
    expect(claims.sub).toBe(tokens.claims()?.sub ?? "");
    expect(claims.sub).not.toBe(ada.id);
  });
});

describe("every other client", () => {
  it("gets JSON", async () => {
    const { userinfo } = await tokenOf({});
    expect(userinfo.headers.get("content-type")).toStartWith("application/json");
    const claims = await userinfo.json();
    expect(claims).not.toHaveProperty("iss");
    expect(claims.sub).toBe(ada.id);
  });
});
