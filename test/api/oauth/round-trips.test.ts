/** What the endpoints that are called most cost: their trips to the database, with everything cached that may be. */
import { afterAll, beforeAll, describe, expect, it, spyOn } from "bun:test";
import * as client from "openid-client";
import { driversOf } from "../../../src/db/client.ts";
import { createHttpBrowser } from "../../support/browser.ts";
import { postForm, startTestServer, type TestServer } from "../../support/server.ts";
import {
  addUser,
  type Application,
  type Login,
  logIn,
  registerApplication,
  userinfoStatus,
} from "../../conformance/support.ts";

let server: TestServer;
let machine: Application;
let app: Application;
let login: Login;
let opaque: Login;

beforeAll(async () => {
  server = await startTestServer();
  const ada = await addUser(server, "ada");
  machine = await registerApplication(server, { grantTypes: ["client_credentials"], scopes: ["a"] });
  app = await registerApplication(server);
  login = await logIn(app, createHttpBrowser(server.url), ada);
  const other = await registerApplication(server, { row: { accessTokenFormat: "opaque" } });
  opaque = await logIn(other, createHttpBrowser(server.url), ada);
});
afterAll(() => server.stop());

/** Statements that an action sends, the second time: the first one fills the caches. Audit rows go out in batches. */
async function trips(action: () => Promise<unknown>): Promise<number> {
  await action();
  await server.deps.auditBuffer.flush();
  const drivers = driversOf(server.deps.db).map((driver) => spyOn(driver, "unsafe"));
  try {
    await action();
    const statements = drivers.flatMap(({ mock }) => mock.calls.map(([text]) => text));
    return statements.filter((text) => !text.includes("audit_events")).length;
  } finally {
    for (const driver of drivers) driver.mockRestore();
  }
}

const introspect = (token: string) => client.tokenIntrospection(app.config, token);

describe("trips to the database", () => {
  it("a client-credentials grant makes none", async () => {
    expect(await trips(() => client.clientCredentialsGrant(machine.config))).toBe(0);
  });

  it("introspection makes one, whatever the token", async () => {
    const { access_token, refresh_token = "" } = login.tokens;
    for (const token of [access_token, refresh_token, opaque.tokens.access_token])
      expect([token.slice(0, 3), await trips(() => introspect(token))]).toEqual([token.slice(0, 3), 1]);
    expect(await trips(() => introspect("nonsense"))).toBe(0);
  });

  it("UserInfo makes one", async () => {
    expect(await trips(() => userinfoStatus(server, login.tokens.access_token))).toBe(1);
  });

  it("discovery and the keys make none", async () => {
    for (const path of ["openid-configuration", "oauth-authorization-server", "jwks.json"])
      expect(await trips(() => fetch(`${server.url}/.well-known/${path}`))).toBe(0);
  });

  it("a wrong secret makes none", async () => {
    const { clientId } = machine.registered.client;
    const fields = { grant_type: "client_credentials", client_id: clientId, client_secret: "wrong" };
    expect(await trips(() => postForm(`${server.url}/oauth/token`, fields))).toBe(0);
  });
});
