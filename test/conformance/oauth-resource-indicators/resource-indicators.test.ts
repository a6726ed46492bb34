/** RFC 8707 (resource indicators): our reading of it, driven by openid-client. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import * as client from "openid-client";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
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

const ORDERS = "https://orders.example.com/";
const STOCK = "https://stock.example.com/v1";

let server: TestServer;
let ada: User;
let app: Application;

beforeAll(async () => {
  server = await startTestServer();
  ada = await addUser(server, "ada");
  app = await registerApplication(server, { row: { resources: [ORDERS, STOCK] } });
});
afterAll(() => server.stop());

const audienceOf = (jwt: string) =>
  JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString()).aud;

/** The answer to an authorization request with these resources, of somebody who signs in. */
async function authorize(...resources: string[]) {
  const pending = await app.begin();
  for (const resource of resources) pending.url.searchParams.append("resource", resource);
  const browser = createHttpBrowser(server.url);
  let visit = await browser.open(pending.url);
  if (visit.url.pathname.endsWith("/signin")) visit = await fillSignIn(browser, visit, ada.username);
  const exchange = (parameters: string[] = []) =>
    client.authorizationCodeGrant(
      app.config,
      visit.url,
      pending.checks,
      new URLSearchParams(parameters.map((resource) => ["resource", resource])),
    );
  return { visit, exchange };
}

describe("RFC 8707 §2.1: at the authorization endpoint", () => {
  it("the resources asked for are the audience of the access token", async () => {
    const { exchange } = await authorize(ORDERS);
    const tokens = await exchange();
    expect(audienceOf(tokens.access_token)).toBe(ORDERS);
    expect(await userinfoStatus(server, tokens.access_token)).toBe(401);
  });

  it("several may be asked for", async () => {
    const { exchange } = await authorize(ORDERS, STOCK);
    expect(audienceOf((await exchange()).access_token)).toEqual([ORDERS, STOCK]);
  });

  it("without one, the token is for this server", async () => {
    const { tokens } = await logIn(app, createHttpBrowser(server.url), ada);
    expect(audienceOf(tokens.access_token)).toBe(server.url);
    expect(await userinfoStatus(server, tokens.access_token)).toBe(200);
  });

  it.each([
    ["that the client is not registered for", "https://other.example.com/"],
    ["that only begins like one of its own", `${ORDERS}admin`],
    ["with a fragment", `${ORDERS}#x`],
    ["that is no absolute URI", "/orders"],
  ])("one %s is invalid_target", async (_, resource) => {
    const { visit } = await authorize(resource);
    expect(answerOf(visit)).toMatchObject({ error: "invalid_target" });
  });
});

describe("RFC 8707 §2.2: at the token endpoint", () => {
  it("the code's exchange may narrow them to one, and a refresh to another", async () => {
    const { exchange } = await authorize(ORDERS, STOCK);
    const tokens = await exchange([ORDERS]);
    expect(audienceOf(tokens.access_token)).toBe(ORDERS);
    const next = await client.refreshTokenGrant(app.config, tokens.refresh_token ?? "", { resource: STOCK });
    expect(audienceOf(next.access_token)).toBe(STOCK);
    const all = await client.refreshTokenGrant(app.config, next.refresh_token ?? "");
    expect(audienceOf(all.access_token)).toEqual([ORDERS, STOCK]);
  });

  it("neither may widen them", async () => {
    const { exchange } = await authorize(ORDERS);
    expect(await refusal(exchange([STOCK]))).toBe("invalid_target");
    const tokens = await (await authorize(ORDERS)).exchange();
    const wider = client.refreshTokenGrant(app.config, tokens.refresh_token ?? "", { resource: STOCK });
    expect(await refusal(wider)).toBe("invalid_target");
  });

  it("a client that acts for itself asks here", async () => {
    const machine = await registerApplication(server, {
      grantTypes: ["client_credentials"],
      scopes: ["a"],
      row: { resources: [ORDERS] },
    });
    const issued = await client.clientCredentialsGrant(machine.config, { resource: ORDERS });
    expect(audienceOf(issued.access_token)).toBe(ORDERS);
    expect(await refusal(client.clientCredentialsGrant(machine.config, { resource: STOCK }))).toBe(
      "invalid_target",
    );
  });
});
