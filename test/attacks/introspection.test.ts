/** Attacks on introspection (RFC 7662 §4). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { configureClient } from "../support/client-row.ts";
import { postForm, startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  basicAuthorization,
  type Browser,
  createApp,
  createOtherTenant,
  errorOf,
  exchangeCode,
  obtainCode,
  refresh,
  setEnabled,
  type Person,
  signedIn,
  type Tokens,
  tokensOf,
  whereItWorks,
} from "./support.ts";

let server: TestServer;
let app: App;
let gateway: App;
let browser: Browser;
let person: Person;

beforeAll(async () => {
  server = await startTestServer();
  app = await createApp(server);
  gateway = await createApp(server, { name: "Gateway" });
  ({ browser, person } = await signedIn(server.url));
});
afterAll(() => server.stop());

const ask = (by: App, token: string, base = by.base) =>
  postForm(
    `${base}/oauth/introspect`,
    by.secret === undefined ? { token, client_id: by.client.clientId } : { token },
    basicAuthorization(by),
  );
const answerTo = async (by: App, token: string) => (await ask(by, token)).json();
const authorized = async (scope = "openid profile email"): Promise<Tokens> =>
  tokensOf(exchangeCode(app, await obtainCode(browser, app, { scope })));

const inactive = { active: false };

describe("a stranger", () => {
  /** RFC 7662 §4: whoever finds a token must not learn whose it is. Guard: domain/tokens/introspection.ts, isConcerned. */
  it("that is a client of somebody else's learns nothing of another client's tokens", async () => {
    const stranger = await createApp(server, { firstParty: false });
    const { access_token, refresh_token } = await authorized();
    expect(await answerTo(gateway, access_token)).toMatchObject({ active: true });
    expect(await answerTo(stranger, access_token)).toEqual(inactive);
    expect(await answerTo(stranger, refresh_token)).toEqual(inactive);
  });

  /** RFC 7662 §2.1: a scanner for tokens. Guard: api/oauth/introspect.ts (no public clients), requireClient. */
  it("without credentials may not ask at all", async () => {
    const { access_token: token } = await authorized();
    const spa = await createApp(server, { public: true });
    expect(await errorOf(ask(spa, token))).toEqual([401, "invalid_client"]);
    const url = `${server.url}/oauth/introspect`;
    expect(await errorOf(postForm(url, { token }))).toEqual([401, "invalid_client"]);
    const wrong = postForm(url, { token }, { authorization: `Basic ${btoa(`${app.client.clientId}:x`)}` });
    expect(await errorOf(wrong)).toEqual([401, "invalid_client"]);
    // An access token is no credential of a client.
    const bearer = postForm(url, { token }, { authorization: `Bearer ${token}` });
    expect(await errorOf(bearer)).toEqual([401, "invalid_client"]);
  });
});

describe.each(["jwt", "opaque"] as const)("a token that was ended, of the format %s", (accessTokenFormat) => {
  beforeAll(() => configureClient(server, app, { accessTokenFormat }));
  afterAll(async () => {
    await configureClient(server, app, { accessTokenFormat: "jwt" });
    // So much time went by that they have to sign in again.
    ({ browser, person } = await signedIn(server.url));
  });

  /** Guard: access-tokens/repo.ts (revoked family, revoked jti, deleted token). */
  it("is over at once, in whichever way it ended", async () => {
    const [revoked, byFamily, reused] = [await authorized(), await authorized(), await authorized()];
    const end = (token: string) => postForm(`${server.url}/oauth/revoke`, { token }, basicAuthorization(app));
    for (const { access_token } of [revoked, byFamily, reused])
      expect(await answerTo(gateway, access_token)).toMatchObject({ active: true });
    await end(revoked.access_token);
    expect(await answerTo(gateway, revoked.access_token)).toEqual(inactive);
    await end(byFamily.refresh_token);
    expect(await answerTo(gateway, byFamily.access_token)).toEqual(inactive);
    const second = await tokensOf(refresh(app, reused.refresh_token));
    server.clock.advance(11);
    await refresh(app, reused.refresh_token);
    for (const { access_token } of [reused, second])
      expect(await answerTo(gateway, access_token)).toEqual(inactive);
  });

  /** Guard: access-tokens/repo.ts (users.enabled), introspectRefreshToken. */
  it("is over while its user is disabled, and after they signed out", async () => {
    const tokens = await authorized();
    await setEnabled(server, person, false);
    for (const token of [tokens.access_token, tokens.refresh_token])
      expect(await answerTo(gateway, token)).toEqual(inactive);
    await setEnabled(server, person, true);
    expect(await answerTo(gateway, tokens.access_token)).toMatchObject({ active: true });
    const away = await signedIn(server.url);
    const theirs = await tokensOf(exchangeCode(app, await obtainCode(away.browser, app)));
    await away.browser.signOut();
    for (const token of [theirs.access_token, theirs.refresh_token])
      expect(await answerTo(gateway, token)).toEqual(inactive);
  });

  /** Guard: access-tokens/access.ts, findStandingAccessToken (findClient). */
  it("is over while its client is disabled", async () => {
    const { access_token } = await authorized();
    await configureClient(server, app, { enabled: false });
    expect(await answerTo(gateway, access_token)).toEqual(inactive);
    await configureClient(server, app, { enabled: true });
    expect(await answerTo(gateway, access_token)).toMatchObject({ active: true });
  });

  /** Guard: verifyJwt (exp), access-tokens/repo.ts (expires_at). */
  it("is over when its time is", async () => {
    const { access_token } = await authorized();
    server.clock.advance(server.tenant.settings.access_token_lifetime);
    expect(await answerTo(gateway, access_token)).toEqual(inactive);
  });
});

describe("a refresh token of a session that was left unused too long", () => {
  /** Guard: tokens/introspection.ts (isLiveSession). */
  it("is over, as its exchange would say, unless it is for offline access", async () => {
    await server.configure({ session_idle_timeout: 600 });
    const { refresh_token: online } = await authorized();
    const { refresh_token: offline } = await authorized("openid offline_access");
    expect(await answerTo(gateway, online)).toMatchObject({ active: true });
    server.clock.advance(601);
    expect(await answerTo(gateway, online)).toEqual(inactive);
    expect((await refresh(app, online)).status).toBe(400);
    expect(await answerTo(gateway, offline)).toMatchObject({ active: true });
    await server.configure({ session_idle_timeout: 0 });
  });
});

describe("an opaque token", () => {
  /** Guard: access-tokens/access.ts, standingOpaque (matchesHash). */
  it("is not to be guessed from its id, which is no secret", async () => {
    const opaque = await createApp(server);
    await configureClient(server, opaque, { accessTokenFormat: "opaque" });
    const { access_token } = await tokensOf(exchangeCode(opaque, await obtainCode(browser, opaque)));
    expect(await answerTo(gateway, access_token)).toMatchObject({ active: true });
    const id = access_token.slice(0, -43);
    for (const guess of [id + "A".repeat(43), id, `${id}${access_token.slice(-43, -1)}`, `${access_token}A`])
      expect(await answerTo(gateway, guess)).toEqual(inactive);
  });

  /** RFC 8707 §2. Guard: access-tokens/access.ts, findOpaque (audience). */
  it("for another resource opens nothing here", async () => {
    const api = "https://api.example";
    const opaque = await createApp(server);
    await configureClient(server, opaque, { accessTokenFormat: "opaque", resources: [api] });
    const code = await obtainCode(browser, opaque, { resource: api });
    const { access_token } = await tokensOf(exchangeCode(opaque, code));
    expect(await answerTo(gateway, access_token)).toMatchObject({ active: true, aud: api });
    expect(await whereItWorks(server.url, access_token)).toEqual({ me: 401, userinfo: 401 });
  });
});

describe("a token of another kind", () => {
  /** RFC 8725 §3.11, RFC 9068 §2.1. Guard: ACCESS_TOKEN_TYP in access.ts. */
  it("is no access token: an ID token, a code, an answer of this endpoint", async () => {
    const { id_token } = await authorized();
    const { code } = await obtainCode(browser, app);
    const signed = await postForm(
      `${server.url}/oauth/introspect`,
      { token: id_token },
      { ...basicAuthorization(gateway), accept: "application/token-introspection+jwt" },
    );
    for (const token of [id_token, code, await signed.text()])
      expect(await answerTo(gateway, token)).toEqual(inactive);
  });
});

describe("another tenant", () => {
  /** Guard: findClient and findStandingAccessToken (by tenant, by issuer). */
  it("knows neither our clients nor our tokens", async () => {
    const other = await createOtherTenant(server, "curious");
    const theirs = await createApp(server, { name: "Theirs" }, other);
    const { access_token, refresh_token } = await authorized();
    expect(await errorOf(ask(app, access_token, other.base))).toEqual([401, "invalid_client"]);
    for (const token of [access_token, refresh_token])
      expect(await answerTo(theirs, token)).toEqual(inactive);
  });

  /** Guard: access-tokens/repo.ts, opaques (by tenant). Clients of two tenants may go by one name. */
  it("takes no opaque token of a client that is called as one of its own", async () => {
    const other = await createOtherTenant(server, "namesake");
    const [ours, theirs] = [await createApp(server), await createApp(server, {}, other)];
    await configureClient(server, ours, { accessTokenFormat: "opaque" });
    await configureClient(server, theirs, { clientId: ours.client.clientId });
    const { access_token } = await tokensOf(exchangeCode(ours, await obtainCode(browser, ours)));
    expect(await answerTo(ours, access_token)).toMatchObject({ active: true });
    const namesake = { ...theirs, client: { ...theirs.client, clientId: ours.client.clientId } };
    expect(await answerTo(namesake, access_token)).toEqual(inactive);
    expect((await whereItWorks(other.base, access_token)).userinfo).toBe(401);
  });
});
