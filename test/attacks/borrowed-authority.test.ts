/** Tokens that somebody else's word, or somebody else's token, stands behind, at the routes that change the locks. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { trustedIssuers } from "../../src/db/schema/index.ts";
import { newId } from "../../src/lib/ids.ts";
import { giveRole } from "../api/native/admin/support.ts";
import { configureClient } from "../support/client-row.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { jwksOf, newTestKey, signTestJwt } from "../support/signed.ts";
import {
  type App,
  authorizationParameters,
  bearer,
  type Browser,
  createApp,
  exchangeCode,
  newVerifier,
  obtainCode,
  type Person,
  readForm,
  signedIn,
  tokenRequest,
  tokensOf,
} from "./support.ts";
import { s256Challenge } from "../../src/protocol/oauth/pkce.ts";

const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";
const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const API = "https://api.example/";

let server: TestServer;
let browser: Browser;
let person: Person;

beforeAll(async () => {
  server = await startTestServer();
  ({ browser, person } = await signedIn(server.url));
  await giveRole(server, server.tenant, person, "admin");
  server.clock.advance(1);
});
afterAll(() => server.stop());

const statusAt = async (path: string, token: string) =>
  (await fetch(server.url + path, { headers: bearer(token) })).status;

const service = async (modes: string[]): Promise<App> => {
  const app = await createApp(server, {
    grantTypes: [TOKEN_EXCHANGE],
    scopes: ["profile", "email"],
  });
  await configureClient(server, app, { resources: [API], tokenExchangeModes: modes });
  return app;
};

const exchange = (by: App, token: string, fields: Record<string, string> = {}) =>
  tokenRequest(by, {
    grant_type: TOKEN_EXCHANGE,
    subject_token: token,
    subject_token_type: ACCESS_TOKEN,
    ...fields,
  });

/** What an application gets that asks for the API and for this server itself. */
async function tokenFor(app: App): Promise<string> {
  await configureClient(server, app, { resources: [API] });
  const verifier = newVerifier();
  const parameters = authorizationParameters(app, { code_challenge: s256Challenge(verifier) });
  for (const resource of [API, server.url]) parameters.append("resource", resource);
  let to = (await browser.get(`/oauth/authorize?${parameters}`)).headers.get("location") ?? "";
  if (to.startsWith("/oauth/consent")) {
    const form = readForm(await (await browser.get(to)).text(), "/oauth/consent");
    const answer = await browser.post(form.action, { ...form.fields, decision: "allow" });
    to = answer.headers.get("location") ?? "";
  }
  const code = new URL(to).searchParams.get("code") ?? "";
  return (await tokensOf(exchangeCode(app, { code, verifier }))).access_token;
}

describe("an administrator's token of an ordinary application", () => {
  /** Guard: domain/token-exchange/subject-token.ts, exchangedAudience (ours). */
  it("does not become one of our own by being exchanged", async () => {
    const theirs = await tokenFor(await createApp(server, { firstParty: false }));
    expect(await statusAt("/api/v1/admin/clients", theirs)).toBe(403);
    const by = await service(["impersonation"]);
    for (const fields of [{}, { resource: server.url }] as Record<string, string>[]) {
      const answer = await exchange(by, theirs, fields);
      const made = answer.status === 200 ? (await tokensOf(answer)).access_token : "";
      expect(await statusAt("/api/v1/admin/clients", made)).not.toBe(200);
      expect(await statusAt("/me/sessions", made)).not.toBe(200);
    }
    const ours = await tokenFor(await createApp(server));
    const made = await tokensOf(exchange(by, ours, { resource: server.url }));
    expect(await statusAt("/api/v1/admin/clients", made.access_token)).toBe(200);
  });
});

describe("who acts for a person", () => {
  /** Guard: api/native/me-access.ts, requireOwnApplication (delegated). */
  it("does not change their locks, nor see where they are signed in", async () => {
    const by = await service(["delegation"]);
    const ours = await tokenFor(await createApp(server));
    const { access_token } = await tokensOf(exchange(by, ours, { resource: server.url }));
    expect(await statusAt("/me", access_token)).toBe(200);
    for (const path of ["/me/sessions", "/me/grants", "/mfa/webauthn/credentials", "/api/v1/admin/clients"])
      expect([path, await statusAt(path, access_token)]).toEqual([path, 403]);
  });
});

describe("a trusted issuer's word for an administrator", () => {
  /** Guard: http/scope.ts, requireAdminAccess (sessionId). */
  it("does not administer, whatever it may be exchanged for", async () => {
    const key = await newTestKey();
    const now = server.clock.now();
    await server.deps.db.insert(trustedIssuers).values({
      tenantId: server.tenant.id,
      id: newId("trustedIssuer"),
      issuer: "https://workload.example",
      jwks: jwksOf(key),
      subjectKind: "user_id",
      scopes: ["a"],
      createdAt: now,
      updatedAt: now,
    });
    const app = await createApp(server, { grantTypes: [JWT_BEARER], scopes: ["a"] });
    const iat = Math.floor(now.getTime() / 1000);
    const claims = { iss: "https://workload.example", sub: person.id, aud: server.url, iat, exp: iat + 60 };
    const assertion = await signTestJwt(key, { ...claims, jti: crypto.randomUUID() });
    const { access_token } = await tokensOf(tokenRequest(app, { grant_type: JWT_BEARER, assertion }));
    expect(await statusAt("/api/v1/admin/clients", access_token)).toBe(403);
    const own = await createApp(server);
    const signedIn = await tokensOf(exchangeCode(own, await obtainCode(browser, own)));
    expect(await statusAt("/api/v1/admin/clients", signedIn.access_token)).toBe(200);
  });
});
