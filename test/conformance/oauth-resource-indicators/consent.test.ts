/** Resource indicators at the authorization endpoint (RFC 8707 §2.1), and what the consent page says of applications. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { decodeJwt } from "jose";
import * as client from "openid-client";
import type { Client } from "../../../src/domain/clients/service.ts";
import type { HttpBrowser, Visit } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { addUser, answerOf, registerApplication, signedInBrowser } from "../support.ts";

const ORDERS = "https://orders.example.com/api";
const STOCK = "https://stock.example.com/api";

let server: TestServer;
let browser: HttpBrowser;

beforeAll(async () => {
  server = await startTestServer();
  browser = await signedInBrowser(server, await addUser(server, "ada"));
});
afterAll(() => server.stop());
beforeEach(() => server.clock.advance(1));

const allow = (page: Visit) => browser.submit(page, "/oauth/consent", { decision: "allow" });

const register = (row: Partial<Client> = {}) =>
  registerApplication(server, {
    firstParty: false,
    row: { resources: [ORDERS, STOCK], ...JSON.parse(JSON.stringify(row)) },
  });

describe("RFC 8707 §2.1: resources in an authorization request", () => {
  it("stand on the consent page, and become the audience of the token", async () => {
    const app = await register();
    const pending = await app.begin({ resource: ORDERS });
    const page = await browser.open(pending.url);
    expect(page.html).toContain(ORDERS);
    const tokens = await client.authorizationCodeGrant(app.config, (await allow(page)).url, pending.checks);
    expect(decodeJwt(tokens.access_token).aud).toBe(ORDERS);
  });

  it("are consented to one by one: another one is asked for, the same one is not", async () => {
    const app = await register();
    const open = async (resource: string) => browser.open((await app.begin({ resource })).url);
    await allow(await open(ORDERS));
    expect(answerOf(await open(ORDERS))).toHaveProperty("code");
    const more = await open(STOCK);
    expect(more.url.pathname).toBe("/oauth/consent");
    await allow(more);
    expect(answerOf(await open(ORDERS))).toHaveProperty("code");
    expect(answerOf(await open(STOCK))).toHaveProperty("code");
  });

  it("may be the issuer itself", async () => {
    const app = await register();
    const page = await browser.open((await app.begin({ resource: server.url })).url);
    expect(answerOf(await allow(page))).toHaveProperty("code");
  });

  it("are refused when the client is not registered for them", async () => {
    const app = await register();
    const { url } = await app.begin({ resource: "https://payroll.example.com" });
    expect(answerOf(await browser.open(url))["error"]).toBe("invalid_target");
  });
});

describe("what the consent page says of an application", () => {
  const pageOf = async (row: Partial<Client>) => browser.open((await (await register(row)).begin()).url);
  const links = {
    logoUri: "https://cdn.example.com/logo.png",
    policyUri: "https://app.example.com/privacy",
    tosUri: "https://app.example.com/terms",
  };

  it("is its logo, its policy and its terms, and where it leads", async () => {
    const page = await pageOf(links);
    for (const text of [...Object.values(links), "app.example.com"]) expect(page.html).toContain(text);
    expect(page.headers.get("content-security-policy")).toContain("https://cdn.example.com");
    expect(page.html).not.toContain("Nobody here has checked");
  });

  it("is a warning and no logo where it registered itself", async () => {
    const page = await pageOf({ ...links, origin: "dynamic" });
    expect(page.html).toContain("nobody here has checked it");
    expect(page.html).not.toContain("logo.png");
    expect(page.headers.get("content-security-policy")).not.toContain("cdn.example.com");
  });
});
