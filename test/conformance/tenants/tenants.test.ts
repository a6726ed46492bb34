/** A tenant under its path is an issuer of its own: what it gives out is worth nothing anywhere else. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { createRemoteJWKSet, jwtVerify } from "jose";
import * as client from "openid-client";
import { createTenant, type Tenant } from "../../../src/domain/tenants/service.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser } from "../../support/browser.ts";
import { postForm, startTestServer, type TestServer } from "../../support/server.ts";
import {
  addUser,
  answerOf,
  type Application,
  fillSignIn,
  logIn,
  refusal,
  registerApplication,
  userinfoStatus,
} from "../support.ts";

let server: TestServer;
let acme: Tenant;
let ada: User;
let app: Application;
let ours: Application;
let theirs: Application;

beforeAll(async () => {
  server = await startTestServer();
  acme = await createTenant(server.deps, { slug: "acme", name: "Acme Corp" });
  const globex = await createTenant(server.deps, { slug: "globex", name: "Globex" });
  ada = await addUser(server, "ada", acme);
  await addUser(server, "ada");
  app = await registerApplication(server, {}, acme);
  ours = await registerApplication(server);
  theirs = await registerApplication(server, {}, globex);
});
afterAll(() => server.stop());

describe("the whole flow under /t/{slug}", () => {
  it("has the tenant's issuer, pages, keys and endpoints", async () => {
    const issuer = `${server.url}/t/acme`;
    const browser = createHttpBrowser(server.url);
    const pending = await app.begin();
    expect(pending.url.pathname).toBe("/t/acme/oauth/authorize");
    const page = await browser.open(pending.url);
    expect(page.url.pathname).toBe("/t/acme/signin");
    expect(page.html).toContain("Acme Corp");
    const arrival = await fillSignIn(browser, page, "ada");
    expect(answerOf(arrival)).toMatchObject({ state: pending.state, iss: issuer });

    const tokens = await client.authorizationCodeGrant(app.config, arrival.url, pending.checks);
    expect(tokens.claims()).toMatchObject({ iss: issuer, sub: ada.id });
    const jwks = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));
    await jwtVerify(tokens.access_token, jwks, { issuer, audience: issuer, typ: "at+jwt" });
    const userinfo = await client.fetchUserInfo(app.config, tokens.access_token, ada.id);
    expect(userinfo.email).toBe("ada@example.com");
    const refreshed = await client.refreshTokenGrant(app.config, tokens.refresh_token ?? "");
    expect(refreshed.claims()?.iss).toBe(issuer);
  });

  it("asks for consent under the tenant's path", async () => {
    const thirdParty = await registerApplication(server, { firstParty: false }, acme);
    const browser = createHttpBrowser(server.url);
    const pending = await thirdParty.begin();
    const consent = await fillSignIn(browser, await browser.open(pending.url), "ada");
    expect(consent.url.pathname).toBe("/t/acme/oauth/consent");
    const allowed = await browser.submit(consent, "/t/acme/oauth/consent", { decision: "allow" });
    expect(answerOf(allowed)).toMatchObject({ code: expect.any(String), iss: `${server.url}/t/acme` });
  });
});

describe("one tenant and another", () => {
  it("do not know each other's access tokens", async () => {
    const { tokens } = await logIn(app, createHttpBrowser(server.url), ada);
    expect(await userinfoStatus(server, tokens.access_token, "/t/acme")).toBe(200);
    expect(await userinfoStatus(server, tokens.access_token)).toBe(401);
    expect(await userinfoStatus(server, tokens.access_token, "/t/globex")).toBe(401);
  });

  it("do not know each other's clients", async () => {
    const { client: registered, clientSecret } = app.registered;
    const response = await postForm(
      `${server.url}/t/globex/oauth/token`,
      { grant_type: "refresh_token", refresh_token: "x" },
      { authorization: `Basic ${btoa(`${registered.clientId}:${clientSecret}`)}` },
    );
    expect(response.status).toBe(401);
    const { url } = await ours.begin();
    url.pathname = "/t/acme/oauth/authorize";
    expect((await createHttpBrowser(server.url).open(url)).status).toBe(400);
  });

  it("do not know each other's codes and refresh tokens, and leave them as they are", async () => {
    const browser = createHttpBrowser(server.url);
    const { tokens } = await logIn(app, browser, ada);
    const pending = await app.begin();
    const { code = "" } = answerOf(await browser.open(pending.url));
    for (const other of [ours, theirs]) {
      const exchange = client.genericGrantRequest(other.config, "authorization_code", {
        code,
        code_verifier: pending.checks.pkceCodeVerifier,
      });
      expect(await refusal(exchange)).toBe("invalid_grant");
      expect(await refusal(client.refreshTokenGrant(other.config, tokens.refresh_token ?? ""))).toBe(
        "invalid_grant",
      );
    }
    expect(
      (await client.refreshTokenGrant(app.config, tokens.refresh_token ?? "")).refresh_token,
    ).toBeString();
  });

  it("do not share sign-ins, although they share a browser", async () => {
    const browser = createHttpBrowser(server.url);
    await logIn(app, browser, ada);
    for (const other of [ours, theirs]) {
      const { url } = await other.begin({ prompt: "none" });
      expect(answerOf(await browser.open(url))["error"]).toBe("login_required");
    }
    const { url } = await app.begin({ prompt: "none" });
    expect(answerOf(await browser.open(url))).toHaveProperty("code");
  });

  it("do not accept each other's pending requests", async () => {
    const browser = createHttpBrowser(server.url);
    const page = await browser.open((await app.begin()).url);
    const interaction = page.forms[0]?.fields["interaction"] ?? "";
    const elsewhere = await browser.open(`/oauth/authorize?${new URLSearchParams({ interaction })}`);
    expect([elsewhere.url.pathname, elsewhere.status]).toEqual(["/oauth/authorize", 400]);
    // Not even opened: a request that was read would be refused for its unknown client.
    expect(elsewhere.html).toContain("took too long");
  });
});
