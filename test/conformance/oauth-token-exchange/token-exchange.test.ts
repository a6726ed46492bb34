/** RFC 8693 (token exchange): our reading of it, driven by openid-client. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import * as client from "openid-client";
import { auditEvents } from "../../../src/db/schema/index.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { addUser, type Application, logIn, refusal, registerApplication } from "../support.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";
const ORDERS = "https://orders.example.com/";
const STOCK = "https://stock.example.com/";

let server: TestServer;
let ada: User;
let shop: Application;
let orders: Application;
let subject: string;

beforeAll(async () => {
  server = await startTestServer();
  ada = await addUser(server, "ada");
  shop = await registerApplication(server, {
    scopes: ["openid", "profile", "email", "orders:read", "stock:read"],
    row: { resources: [ORDERS, STOCK] },
  });
});
afterAll(() => server.stop());
beforeEach(async () => {
  orders = await registerService({ tokenExchangeModes: ["impersonation", "delegation"] });
  subject = await signedInFor(ORDERS);
});

/** The service behind the API that the application calls, which itself calls another. */
const registerService = (row = {}) =>
  registerApplication(server, {
    grantTypes: [GRANT, "client_credentials"],
    redirectUris: [],
    scopes: ["profile", "stock:read", "jobs:run"],
    row: { resources: [ORDERS, STOCK], ...row },
  });

async function signedInFor(resource: string, app = shop): Promise<string> {
  const scope = "openid profile orders:read stock:read";
  const { tokens } = await logIn(app, createHttpBrowser(server.url), ada, { resource, scope });
  return tokens.access_token;
}

const exchange = (parameters: Record<string, string> = {}, by = orders) =>
  client.genericGrantRequest(by.config, GRANT, {
    subject_token: subject,
    subject_token_type: ACCESS_TOKEN,
    resource: STOCK,
    ...parameters,
  });

const claimsOf = (jwt: string) => JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());

const actorToken = async (by = orders) =>
  (await client.clientCredentialsGrant(by.config, { scope: "jobs:run" })).access_token;

describe("RFC 8693 §2.2.1: an exchanged token", () => {
  it("is an access token of the client's for the same user and another audience", async () => {
    const issued = await exchange({ scope: "stock:read" });
    expect(issued).toMatchObject({
      issued_token_type: ACCESS_TOKEN,
      token_type: "bearer",
      scope: "stock:read",
    });
    expect(issued).not.toHaveProperty("refresh_token");
    expect(issued).not.toHaveProperty("id_token");
    const before = claimsOf(subject);
    expect(claimsOf(issued.access_token)).toMatchObject({
      iss: server.url,
      sub: ada.id,
      aud: STOCK,
      client_id: orders.registered.client.clientId,
      auth_time: before.auth_time,
      acr: before.acr,
      sid: before.sid,
    });
  });

  it("has the scope of both the subject token and the client, and never openid", async () => {
    expect((await exchange()).scope?.split(" ").toSorted()).toEqual(["profile", "stock:read"]);
    expect(await refusal(exchange({ scope: "orders:read" }))).toBe("invalid_scope");
    expect(await refusal(exchange({ scope: "jobs:run" }))).toBe("invalid_scope");
    expect(await refusal(exchange({ scope: "openid" }))).toBe("invalid_scope");
  });

  it("never outlives the subject token", async () => {
    server.clock.advance(600);
    const issued = await exchange();
    expect(issued.expires_in).toBe(300);
    expect(claimsOf(issued.access_token).exp).toBe(claimsOf(subject).exp);
  });

  it("ends with the sign-in that the subject token came of", async () => {
    const { tokens } = await logIn(shop, createHttpBrowser(server.url), ada, { resource: ORDERS });
    subject = tokens.access_token;
    const issued = await exchange();
    await client.tokenRevocation(shop.config, tokens.refresh_token ?? "");
    expect(await client.tokenIntrospection(orders.config, issued.access_token)).toEqual({ active: false });
  });

  it("is for the subject token's audience where the request names none, as far as the client may", async () => {
    const own = await client.genericGrantRequest(orders.config, GRANT, {
      subject_token: subject,
      subject_token_type: ACCESS_TOKEN,
    });
    expect(claimsOf(own.access_token).aud).toBe(ORDERS);
  });

  it("may name its target by audience instead of resource (§2.1)", async () => {
    const { subject_token, subject_token_type } = {
      subject_token: subject,
      subject_token_type: ACCESS_TOKEN,
    };
    const issued = await client.genericGrantRequest(orders.config, GRANT, {
      subject_token,
      subject_token_type,
      audience: STOCK,
    });
    expect(claimsOf(issued.access_token).aud).toBe(STOCK);
  });

  it("is for nothing that the client is not registered for", async () => {
    expect(await refusal(exchange({ resource: "https://other.example.com/" }))).toBe("invalid_target");
  });
});

describe("RFC 8693 §1.1: impersonation and delegation", () => {
  it("without an actor token impersonates, where the client may", async () => {
    expect(claimsOf((await exchange()).access_token)).not.toHaveProperty("act");
  });

  it("with an actor token delegates: the token names the actor (§4.1)", async () => {
    const issued = await exchange({ actor_token: await actorToken(), actor_token_type: ACCESS_TOKEN });
    expect(claimsOf(issued.access_token).act).toEqual({ sub: orders.registered.client.clientId });
  });

  it("a client that may only delegate is always named", async () => {
    orders = await registerService({ tokenExchangeModes: ["delegation"] });
    expect(claimsOf((await exchange()).access_token).act).toEqual({
      sub: orders.registered.client.clientId,
    });
  });

  it("a client that may only impersonate gets no delegated token", async () => {
    orders = await registerService({ tokenExchangeModes: ["impersonation"] });
    const actor = { actor_token: await actorToken(), actor_token_type: ACCESS_TOKEN };
    expect(await refusal(exchange(actor))).toBe("unauthorized_client");
  });

  it("a client that may do neither gets nothing", async () => {
    orders = await registerService({ tokenExchangeModes: [] });
    expect(await refusal(exchange())).toBe("unauthorized_client");
  });

  it("actors before are kept, the newest outermost, also by whoever impersonates", async () => {
    const first = await registerService({ tokenExchangeModes: ["delegation"] });
    subject = (await exchange({}, first)).access_token;
    const second = await registerService({ tokenExchangeModes: ["delegation"] });
    const chain = { sub: first.registered.client.clientId };
    expect(claimsOf((await exchange({}, second)).access_token).act).toEqual({
      sub: second.registered.client.clientId,
      act: chain,
    });
    expect(claimsOf((await exchange()).access_token).act).toEqual(chain);
  });

  it("the actor is told by introspection (§7.3) and in the audit trail", async () => {
    orders = await registerService({ tokenExchangeModes: ["delegation"] });
    const { access_token } = await exchange();
    const { id, clientId } = orders.registered.client;
    const answer = await client.tokenIntrospection(orders.config, access_token);
    expect(answer).toMatchObject({ active: true, act: { sub: clientId } });
    const events = await server.deps.db
      .select({ targetId: auditEvents.targetId, details: auditEvents.details })
      .from(auditEvents)
      .where(and(eq(auditEvents.type, "token.exchanged"), eq(auditEvents.actorId, id)));
    expect(events).toMatchObject([
      { targetId: ada.id, details: { act: { sub: clientId }, audience: [STOCK] } },
    ]);
  });
});

describe("RFC 8693 §2.1, §2.2.2: requests that are refused", () => {
  it("without a subject token, with one of another type, or with half of an actor", async () => {
    const { config } = orders;
    const only = (parameters: Record<string, string>) =>
      client.genericGrantRequest(config, GRANT, parameters);
    expect(await refusal(only({ subject_token_type: ACCESS_TOKEN }))).toBe("invalid_request");
    expect(await refusal(only({ subject_token: subject }))).toBe("invalid_request");
    const idToken = "urn:ietf:params:oauth:token-type:id_token";
    expect(await refusal(exchange({ subject_token_type: idToken }))).toBe("invalid_request");
    expect(await refusal(exchange({ requested_token_type: idToken }))).toBe("invalid_request");
    expect(await refusal(exchange({ actor_token: await actorToken() }))).toBe("invalid_request");
    expect(await refusal(exchange({ actor_token_type: ACCESS_TOKEN }))).toBe("invalid_request");
  });

  it("with a subject token that is no good: nonsense, expired, of a client for itself", async () => {
    expect(await refusal(exchange({ subject_token: "nonsense" }))).toBe("invalid_request");
    expect(await refusal(exchange({ subject_token: await actorToken() }))).toBe("invalid_request");
    server.clock.advance(900);
    expect(await refusal(exchange())).toBe("invalid_request");
  });

  it("by a client that is not registered for the grant", async () => {
    expect(await refusal(exchange({}, shop))).toBe("unauthorized_client");
  });
});
