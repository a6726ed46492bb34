/** Attacks on token exchange (RFC 8693 §5). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { configureClient } from "../support/client-row.ts";
import { postForm, startTestServer, type TestServer } from "../support/server.ts";
import { dpopProof, fetchNonce, newTestKey } from "../support/signed.ts";
import {
  type App,
  basicAuthorization,
  type Browser,
  createApp,
  createOtherTenant,
  errorOf,
  exchangeCode,
  login,
  obtainCode,
  type Person,
  setEnabled,
  signedIn,
  tokenRequest,
  tokensOf,
  whereItWorks,
} from "./support.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";
const ORDERS = "https://orders.example/";
const STOCK = "https://stock.example/";

let server: TestServer;
let shop: App;
let orders: App;
let browser: Browser;
let person: Person;
let subject: string;

beforeAll(async () => {
  server = await startTestServer();
  ({ browser, person } = await signedIn(server.url));
  shop = await createApp(server, { scopes: ["openid", "profile", "email", "orders:read", "stock:read"] });
  await configureClient(server, shop, { resources: [ORDERS, STOCK] });
  orders = await service([ORDERS, STOCK]);
  subject = await tokenFor(ORDERS);
});
afterAll(() => server.stop());

async function service(resources: string[], modes = ["impersonation", "delegation"]): Promise<App> {
  const app = await createApp(server, {
    grantTypes: [GRANT, "client_credentials"],
    scopes: ["profile", "email", "stock:read", "admin", "jobs:run"],
  });
  await configureClient(server, app, { resources, tokenExchangeModes: modes });
  return app;
}

async function tokenFor(resource?: string): Promise<string> {
  const scope = "openid profile email orders:read stock:read";
  const code = await obtainCode(browser, shop, { scope, ...(resource ? { resource } : {}) });
  return (await tokensOf(exchangeCode(shop, code))).access_token;
}

const exchange = (by: App, fields: Record<string, string> = {}) =>
  tokenRequest(by, {
    grant_type: GRANT,
    subject_token: subject,
    subject_token_type: ACCESS_TOKEN,
    resource: STOCK,
    ...fields,
  });

const ownToken = async (by: App) =>
  (await tokensOf(tokenRequest(by, { grant_type: "client_credentials", scope: "jobs:run" }))).access_token;

const unusable: [number, string] = [400, "invalid_request"];
const claimsOf = (jwt: string) => JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());

describe("a subject token that is not the client's business", () => {
  it("is not needed: one that is meant for it is exchanged, or nothing below would prove anything", async () => {
    expect((await exchange(orders)).status).toBe(200);
  });

  /** Guard: protocol/oauth/grants/token-exchange.ts, isPresentable. */
  it("is refused: another client's, for a resource that is not this one's", async () => {
    expect(await errorOf(exchange(await service([STOCK])))).toEqual(unusable);
  });

  /** Every ordinary token is for the issuer, so that says nothing. Guard: isPresentable (resources, not the issuer). */
  it("is refused: another client's for this server itself, and one of the native sign-in", async () => {
    expect(await errorOf(exchange(orders, { subject_token: await tokenFor() }))).toEqual(unusable);
    const { access_token } = await login(server.url, person.username);
    expect(await errorOf(exchange(orders, { subject_token: access_token }))).toEqual(unusable);
  });

  /** Guard: findLiveAccessToken (by the tenant's keys and issuer). */
  it("is refused: another tenant's", async () => {
    const other = await createOtherTenant(server, "exchange");
    const away = await signedIn(other.base);
    const theirs = await createApp(server, { scopes: ["openid", "profile"] }, other);
    await configureClient(server, theirs, { resources: [ORDERS] });
    const code = await obtainCode(away.browser, theirs, { scope: "openid profile", resource: ORDERS });
    const { access_token } = await tokensOf(exchangeCode(theirs, code));
    expect(await errorOf(exchange(orders, { subject_token: access_token }))).toEqual(unusable);
  });
});

describe("a subject token that is over", () => {
  /** Guard: findLiveAccessToken (revoked jti, revoked family, user). */
  it("is refused: revoked, of a revoked family, of a disabled user", async () => {
    const code = await obtainCode(browser, shop, { resource: ORDERS });
    const tokens = await tokensOf(exchangeCode(shop, code));
    const revoke = (token: string) =>
      postForm(`${server.url}/oauth/revoke`, { token }, basicAuthorization(shop));
    const alone = await tokenFor(ORDERS);
    await revoke(alone);
    expect(await errorOf(exchange(orders, { subject_token: alone }))).toEqual(unusable);
    await revoke(tokens.refresh_token);
    expect(await errorOf(exchange(orders, { subject_token: tokens.access_token }))).toEqual(unusable);
    await setEnabled(server, person, false);
    expect(await errorOf(exchange(orders))).toEqual(unusable);
    await setEnabled(server, person, true);
  });

  /** Exchanging again and again must not keep a sign-in alive. Guard: mint.ts, boundedLifetime (notAfter). */
  it("is not made younger by being exchanged", async () => {
    const end = claimsOf(subject).exp;
    let current = subject;
    for (let round = 0; round < 3; round++) {
      server.clock.advance(60);
      const by = await service([ORDERS, STOCK]);
      current = (await tokensOf(exchange(by, { subject_token: current }))).access_token;
      expect(claimsOf(current).exp).toBe(end);
    }
  });

  /** Guard: token-exchange/service.ts (the family of the subject token), for both formats of the new one. */
  it.each(["jwt", "opaque"] as const)(
    "takes what was made of it along when its family ends: %s",
    async (accessTokenFormat) => {
      const by = await service([ORDERS, STOCK]);
      await configureClient(server, by, { accessTokenFormat });
      const code = await obtainCode(browser, shop, { resource: ORDERS });
      const tokens = await tokensOf(exchangeCode(shop, code));
      const { access_token: made } = await tokensOf(exchange(by, { subject_token: tokens.access_token }));
      const revoke = { token: tokens.refresh_token };
      await postForm(`${server.url}/oauth/revoke`, revoke, basicAuthorization(shop));
      const asked = postForm(`${server.url}/oauth/introspect`, { token: made }, basicAuthorization(by));
      expect(await (await asked).json()).toEqual({ active: false });
      expect(await errorOf(exchange(by, { subject_token: made }))).toEqual(unusable);
    },
  );
});

describe("more than the subject token is good for", () => {
  /** Guard: exchangedScope. */
  it("is not to be had by scope", async () => {
    for (const scope of ["admin", "orders:read", "openid", "offline_access", "stock:read admin"])
      expect(await errorOf(exchange(orders, { scope }))).toEqual([400, "invalid_scope"]);
  });

  /** From an API's token to the user's account. Guard: token-exchange/subject-token.ts, exchangedAudience. */
  it("is not to be had by asking for this server itself, or for nothing", async () => {
    const asked = exchange(orders, { resource: server.url });
    expect(await errorOf(asked)).toEqual([400, "invalid_target"]);
    const silent = await tokensOf(exchange(orders, { resource: "" }));
    expect(claimsOf(silent.access_token).aud).toBe(ORDERS);
    expect(await whereItWorks(server.url, silent.access_token)).toEqual({ me: 401, userinfo: 401 });
  });

  /** Guard: requireTargets. */
  it("is not to be had by a target that the client is not registered for, in either parameter", async () => {
    const evil = "https://evil.example/";
    const named: Record<string, string>[] = [{ resource: evil }, { audience: evil }];
    for (const fields of named)
      expect(await errorOf(exchange(orders, fields))).toEqual([400, "invalid_target"]);
  });

  /** Guard: actorOf (tokenExchangeModes). */
  it("is not to be had in a mode that the client is not registered for", async () => {
    const nobody = await service([ORDERS, STOCK], []);
    expect(await errorOf(exchange(nobody))).toEqual([400, "unauthorized_client"]);
    const delegate = await service([ORDERS, STOCK], ["delegation"]);
    const made = await tokensOf(exchange(delegate));
    expect(claimsOf(made.access_token).act).toEqual({ sub: delegate.client.clientId });
  });
});

describe("somebody else's name as the actor", () => {
  /** RFC 8693 §4.1: blaming another service. Guard: decideTokenExchange (the actor token is the client's own). */
  it("is refused: another client's token, a user's token of another client", async () => {
    const other = await service([ORDERS]);
    const actor = { actor_token: await ownToken(other), actor_token_type: ACCESS_TOKEN };
    expect(await errorOf(exchange(orders, actor))).toEqual(unusable);
    const user = { actor_token: subject, actor_token_type: ACCESS_TOKEN };
    expect(await errorOf(exchange(orders, user))).toEqual(unusable);
  });

  /** Guard: the same, and findLiveAccessToken. */
  it("is refused when its token is over, or none", async () => {
    const own = await ownToken(orders);
    await postForm(`${server.url}/oauth/revoke`, { token: own }, basicAuthorization(orders));
    for (const actor_token of [own, "nonsense"])
      expect(await errorOf(exchange(orders, { actor_token, actor_token_type: ACCESS_TOKEN }))).toEqual(
        unusable,
      );
  });

  /** RFC 8693 §4.1: getting out of a chain. Guard: actorOf (prior actors are kept). */
  it("is not shaken off by impersonating with a delegated token", async () => {
    const delegate = await service([ORDERS, STOCK], ["delegation"]);
    const delegated = await tokensOf(exchange(delegate));
    const made = await tokensOf(exchange(orders, { subject_token: delegated.access_token }));
    expect(claimsOf(made.access_token).act).toEqual({ sub: delegate.client.clientId });
  });
});

describe("a stolen token that is bound to a key", () => {
  /** RFC 9449 §7: washing it clean. Guard: isProven. */
  it("is not exchanged without a proof of the key", async () => {
    const key = await newTestKey();
    const nonce = await fetchNonce(server, key);
    const url = `${server.url}/oauth/token`;
    const proof = (by = key) => dpopProof(server, by, { url, nonce });
    const { code, verifier } = await obtainCode(browser, shop, { resource: ORDERS });
    const fields = {
      grant_type: "authorization_code",
      code,
      code_verifier: verifier,
      redirect_uri: shop.redirectUri,
    };
    const bound = await tokensOf(postForm(url, fields, { ...basicAuthorization(shop), dpop: await proof() }));
    const exchangeIt = (dpop?: string) =>
      postForm(
        url,
        {
          grant_type: GRANT,
          subject_token: bound.access_token,
          subject_token_type: ACCESS_TOKEN,
          resource: STOCK,
        },
        { ...basicAuthorization(orders), ...(dpop ? { dpop } : {}) },
      );
    expect(await errorOf(exchangeIt())).toEqual(unusable);
    expect(await errorOf(exchangeIt(await proof(await newTestKey())))).toEqual(unusable);
    expect((await exchangeIt(await proof())).status).toBe(200);
  });
});
