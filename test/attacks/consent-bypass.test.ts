/** Ways to more than a person agreed to, or to their agreement without asking them (RFC 6749 §10.2, RFC 8252 §8.6). */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  authorizationParameters,
  bearer,
  Browser,
  createApp,
  exchangeCode,
  newVerifier,
  readForm,
  refresh,
  signedIn,
  type Tokens,
  tokensOf,
} from "./support.ts";
import { s256Challenge } from "../../src/protocol/oauth/pkce.ts";

let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  ({ browser } = await signedIn(server.url));
  server.clock.advance(1);
});

const location = (response: Response) => response.headers.get("location") ?? "";
const ask = (by: Browser, app: App, changes: Record<string, string> = {}) =>
  by.get(`/oauth/authorize?${authorizationParameters(app, changes)}`);

/** Agrees on the consent page that a request led to. @returns the page's text and where the browser was sent */
async function agree(response: Response): Promise<{ page: string; to: string }> {
  expect(location(response)).toStartWith("/oauth/consent");
  const page = await (await browser.get(location(response))).text();
  const form = readForm(page, "/oauth/consent");
  return { page, to: location(await browser.post(form.action, { ...form.fields, decision: "allow" })) };
}

async function everythingToldBy(tokens: Tokens): Promise<string> {
  const userinfo = await fetch(`${server.url}/oauth/userinfo`, { headers: bearer(tokens.access_token) });
  const [idToken, accessToken] = [tokens.id_token, tokens.access_token].map((jwt) =>
    Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString(),
  );
  return `${await userinfo.text()} ${idToken} ${accessToken}`;
}

describe("claims that are asked for one by one (OpenID Connect Core §5.5)", () => {
  const all = { email: null, email_verified: { essential: true }, preferred_username: null };
  const claims = JSON.stringify({ userinfo: all, id_token: all });
  const exchangeAt = async (app: App, to: string, verifier: string) =>
    tokensOf(exchangeCode(app, { code: new URL(to).searchParams.get("code") ?? "", verifier }));
  const asked = (verifier: string) => ({
    scope: "openid",
    claims,
    code_challenge: s256Challenge(verifier),
  });

  /** Guard: protocol/oidc/claims.ts, registeredClaims. */
  it("are no way around the scopes that the client is registered for", async () => {
    for (const firstParty of [true, false]) {
      const app = await createApp(server, { firstParty, scopes: ["openid"] });
      const verifier = newVerifier();
      const answer = await ask(browser, app, asked(verifier));
      const to = firstParty ? location(answer) : (await agree(answer)).to;
      const first = await exchangeAt(app, to, verifier);
      const second = await tokensOf(refresh(app, first.refresh_token));
      for (const tokens of [first, second]) expect(await everythingToldBy(tokens)).not.toMatch(/person\d/);
    }
  });

  /** Guard: protocol/oidc/requested-claims.ts, consentScope (in the decision, in what is granted, on the page). */
  it("are shown to the person as what they are, and not covered by a consent to less", async () => {
    const app = await createApp(server, { firstParty: false });
    const less = await agree(await ask(browser, app, { scope: "openid" }));
    expect(location(await ask(browser, app, { scope: "openid" }))).toContain("code=");
    const silent = await ask(browser, app, { scope: "openid", claims, prompt: "none" });
    expect(location(silent)).toContain("error=consent_required");
    const verifier = newVerifier();
    const more = await agree(await ask(browser, app, asked(verifier)));
    const lines = (page: string) => page.split("<li").length;
    expect(lines(more.page)).toBe(lines(less.page) + 2);
    expect(await everythingToldBy(await exchangeAt(app, more.to, verifier))).toMatch(/person\d/);
    expect(location(await ask(browser, app, { scope: "openid profile email" }))).toContain("code=");
  });
});

describe("a request that was begun before the person agreed to another one", () => {
  /** What a program gets by itself, and opens in the person's browser later. */
  async function prepare(app: App, changes: Record<string, string>): Promise<string> {
    const stranger = new Browser(server.url);
    const to = location(await ask(stranger, app, changes));
    server.clock.advance(60);
    const interaction = new URL(to, server.url).searchParams.get("interaction") ?? "";
    return `/oauth/authorize?${new URLSearchParams({ interaction })}`;
  }

  /** Guard: protocol/oidc/authentication-decision.ts, neededConsent (agreed); domain/authorization/flow.ts, decideConsent. */
  it("of a program that calls itself by a native app's name gets no code by that", async () => {
    const app = await createApp(server, {
      firstParty: false,
      public: true,
      applicationType: "native",
      redirectUris: ["http://127.0.0.1/cb"],
    });
    const evil = await prepare(app, { redirect_uri: "http://127.0.0.1:6666/cb" });
    const honest = await agree(await ask(browser, app, { redirect_uri: "http://127.0.0.1:5555/cb" }));
    expect(honest.to).toStartWith("http://127.0.0.1:5555/cb?code=");
    expect(location(await browser.get(evil))).toStartWith("/oauth/consent");
    expect((await agree(await browser.get(evil))).to).toStartWith("http://127.0.0.1:6666/cb?code=");
  });

  /** Guard: the same. */
  it("asks all the same, where it asks with prompt=consent", async () => {
    for (const firstParty of [false, true]) {
      const app = await createApp(server, { firstParty });
      const prepared = await prepare(app, { prompt: "consent" });
      await agree(await ask(browser, app, { prompt: "consent" }));
      expect(location(await browser.get(prepared))).toStartWith("/oauth/consent");
    }
  });
});
