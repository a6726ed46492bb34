/** Attacks on signing out: to send people elsewhere, to sign them out against their will, to speak for others. */
import { createHmac, generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { importSigningKey } from "../../src/protocol/jose/keys.ts";
import { signJwt } from "../../src/protocol/jose/sign-jwt.ts";
import { keyRingOf } from "../../src/domain/keys/service.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  Browser,
  createApp,
  createOtherTenant,
  exchangeCode,
  obtainCode,
  type Person,
  readForm,
  signedIn,
  tokensOf,
} from "./support.ts";

const BYE = "https://app.example/bye";

let server: TestServer;
let app: App;
let person: Person;
let browser: Browser;
let idToken: string;
beforeAll(async () => {
  server = await startTestServer();
  app = await createApp(server, { postLogoutRedirectUris: [BYE] });
});
afterAll(() => server.stop());
beforeEach(async () => {
  ({ person, browser } = await signedIn(server.url));
  idToken = await idTokenOf(browser, app);
});

async function idTokenOf(of: Browser, at: App): Promise<string> {
  return (await tokensOf(exchangeCode(at, await obtainCode(of, at)))).id_token;
}

const logout = (parameters: Record<string, string>, of = browser) =>
  of.get(`/oauth/logout?${new URLSearchParams(parameters)}`);

const isSignedIn = async (of = browser) => (await of.get("/account")).status === 200;

const asked = async (response: Response) =>
  response.status === 200 && (await response.text()).includes('action="/oauth/logout/confirm"');

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const partsOf = (token: string) => {
  const [header = "", payload = ""] = token.split(".");
  return [header, payload].map((part) => JSON.parse(Buffer.from(part, "base64url").toString()));
};

/** CWE-601. Guard: protocol/oidc/rp-initiated-logout.ts, checkedRedirectUri. */
describe("open redirect on logout", () => {
  const elsewhere = [
    "https://evil.example/",
    "//evil.example/bye",
    "https:evil.example",
    "https://app.example.evil.example/bye",
    "https://app.example@evil.example/bye",
    "https://app.example/bye/../../evil",
    "https://app.example/bye%2f..",
    "https://APP.example/bye",
    "https://app.example/bye\r\nlocation: https://evil.example",
    "https://app.example/bye#",
    "https://app.example/callback",
    "javascript:alert(1)",
    "data:text/html,x",
    "\\\\evil.example",
  ];

  it("leads to no address that the client did not register, with a hint, without, signed in or not", async () => {
    for (const uri of elsewhere) {
      for (const parameters of [{ id_token_hint: idToken }, { client_id: app.client.clientId }, {}] as Record<
        string,
        string
      >[]) {
        for (const who of [browser, new Browser(server.url)]) {
          const response = await logout({ ...parameters, post_logout_redirect_uri: uri, state: "s" }, who);
          expect({ uri, status: response.status }).toEqual({ uri, status: 400 });
          expect(response.headers.get("location")).toBeNull();
          expect(await response.text()).not.toContain("evil.example");
        }
      }
    }
    expect(await isSignedIn()).toBe(true);
  });

  it("leads nowhere else when the page's form is changed", async () => {
    const page = await logout({ client_id: app.client.clientId, post_logout_redirect_uri: BYE });
    const { action, fields } = readForm(await page.text());
    const response = await browser.post(action, {
      ...fields,
      decision: "sign_out",
      post_logout_redirect_uri: "https://evil.example/",
    });
    expect([response.status, response.headers.get("location")]).toEqual([400, null]);
    expect(await isSignedIn()).toBe(true);
  });

  it("leads to no address of another client", async () => {
    const other = await createApp(server, { postLogoutRedirectUris: ["https://other.example/bye"] });
    const response = await logout({
      id_token_hint: idToken,
      client_id: other.client.clientId,
      post_logout_redirect_uri: "https://other.example/bye",
    });
    expect(response.status).toBe(400);
    const without = await logout({
      id_token_hint: idToken,
      post_logout_redirect_uri: "https://other.example/bye",
    });
    expect(without.status).toBe(400);
  });
});

/** CWE-352; RP-Initiated Logout §4. Guard: decideLogout ("confirm"), and readPageForm behind the page's form. */
describe("signing somebody out against their will", () => {
  it("asks whoever comes without an ID token of this very session", async () => {
    const { browser: attackers } = await signedIn(server.url);
    const theirs = await idTokenOf(attackers, app);
    for (const parameters of [
      {},
      { client_id: app.client.clientId },
      { client_id: app.client.clientId, post_logout_redirect_uri: BYE },
      { logout_hint: person.email },
      { id_token_hint: theirs },
    ] as Record<string, string>[]) {
      expect(await asked(await logout(parameters))).toBe(true);
    }
    expect(await isSignedIn()).toBe(true);
  });

  it("asks for an ID token of a session that is over", async () => {
    const old = idToken;
    await browser.signOut();
    await browser.signIn(person.username);
    expect(await asked(await logout({ id_token_hint: old }))).toBe(true);
    expect(await isSignedIn()).toBe(true);
  });

  /** Guard: web/oauth/logout.routes.ts (HEAD). */
  it("is not done by HEAD, which whoever previews a link sends", async () => {
    const response = await fetch(
      `${server.url}/oauth/logout?${new URLSearchParams({ id_token_hint: idToken })}`,
      {
        method: "HEAD",
        headers: { cookie: browser.cookieHeader },
      },
    );
    expect(response.status).toBe(200);
    expect(await isSignedIn()).toBe(true);
  });

  it("is not done by a form of another site", async () => {
    const foreign = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    const { fields } = readForm(await (await logout({})).text());
    const confirm = (changes: Record<string, string>, headers: Record<string, string>) =>
      browser.post("/oauth/logout/confirm", { decision: "sign_out", ...changes }, headers);
    expect((await confirm({}, {})).status).toBe(403);
    expect((await confirm(fields, foreign)).status).toBe(403);
    expect((await confirm({}, foreign)).status).toBe(403);
    expect(await isSignedIn()).toBe(true);
    const sent = await browser.post("/oauth/logout", {}, foreign);
    expect(await asked(await browser.get(sent.headers.get("location") ?? ""))).toBe(true);
    expect(await isSignedIn()).toBe(true);
  });

  it("is not done with the form of another session in the same browser", async () => {
    const { fields } = readForm(await (await logout({})).text());
    await browser.signOut();
    await browser.signIn(person.username);
    const response = await browser.post("/oauth/logout/confirm", { ...fields, decision: "sign_out" });
    expect(response.status).toBe(403);
    expect(await isSignedIn()).toBe(true);
  });

  it("is not clicked for them in a frame", async () => {
    const page = await logout({});
    expect(page.headers.get("x-frame-options")).toBe("DENY");
    expect(page.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  });
});

/** RFC 8725 §3. Guard: sessions/id-token-hint.ts (verifyJwt), logoutClientId. */
describe("an id_token_hint that proves nothing", () => {
  const refused = async (hint: string, parameters: Record<string, string> = {}) => {
    const response = await logout({ id_token_hint: hint, ...parameters });
    expect([response.status, await isSignedIn()]).toEqual([400, true]);
  };

  it("without a signature, or signed with the public key as a secret, is refused", async () => {
    const [header, payload] = partsOf(idToken);
    await refused(`${encode({ ...header, alg: "none" })}.${encode(payload)}.`);
    await refused(`${encode({ ...header, alg: "none" })}.${encode(payload)}.AA`);
    const { jwks } = await keyRingOf(server.deps, server.tenant.id);
    const input = `${encode({ ...header, alg: "HS256" })}.${encode(payload)}`;
    const mac = createHmac("sha256", jwks.body).update(input).digest("base64url");
    await refused(`${input}.${mac}`);
  });

  it("signed with a key of the attacker's, named as ours or brought along, is refused", async () => {
    const [header, payload] = partsOf(idToken);
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
    await refused(await signJwt(payload, { typ: "JWT", key: importSigningKey(header.kid, "RS256", pkcs8) }));
    const jwk = publicKey.export({ format: "jwk" });
    const [, , signature] = idToken.split(".");
    await refused(`${encode({ ...header, jwk })}.${encode(payload)}.${signature}`);
  });

  it("that is another kind of token of ours is refused", async () => {
    const { access_token } = await tokensOf(exchangeCode(app, await obtainCode(browser, app)));
    await refused(access_token);
    const ring = await keyRingOf(server.deps, server.tenant.id);
    const key = ring.signingKey("RS256", server.clock.now());
    const [, payload] = partsOf(idToken);
    for (const typ of ["logout+jwt", "token-introspection+jwt"])
      await refused(await signJwt(payload, { typ, key }));
  });

  it("of another client is refused for who calls itself by its own name", async () => {
    const other = await createApp(server, { postLogoutRedirectUris: [BYE] });
    await refused(idToken, { client_id: other.client.clientId, post_logout_redirect_uri: BYE });
  });

  it("of another tenant is refused", async () => {
    const theirs = await createOtherTenant(server, `other${person.username}`);
    const theirApp = await createApp(server, { postLogoutRedirectUris: [BYE] }, theirs);
    const { browser: theirBrowser } = await signedIn(theirs.base);
    await refused(await idTokenOf(theirBrowser, theirApp));
  });
});

/** Guard: the tenant's own cookie (sessionCookieOf), findSessionByCookie and findClient by tenant. */
describe("another tenant's logout", () => {
  it("ends no session of this one, and knows none of its clients", async () => {
    const theirs = await createOtherTenant(server, `tenant${person.username}`);
    const { pathname } = new URL(theirs.base);
    const there = await browser.get(`${theirs.base}/oauth/logout`);
    expect(await there.text()).not.toContain(`${pathname}/oauth/logout/confirm`);
    const named = new URLSearchParams({ client_id: app.client.clientId, post_logout_redirect_uri: BYE });
    expect((await browser.get(`${theirs.base}/oauth/logout?${named}`)).status).toBe(400);
    const cookie = browser.cookies.get("__Host-gw_session") ?? "";
    browser.cookies.set(`__Host-gw_session_tenant${person.username}`, cookie);
    const again = await browser.get(`${theirs.base}/oauth/logout`);
    expect(await again.text()).not.toContain(`${pathname}/oauth/logout/confirm`);
    expect(await isSignedIn()).toBe(true);
  });
});

/** CWE-79. Guard: Preact's escaping, safeWebUrl. */
describe("what the pages show", () => {
  it("is never markup of whoever made the address", async () => {
    const page = await logout({
      client_id: app.client.clientId,
      post_logout_redirect_uri: BYE,
      state: `"><script>alert(1)</script>`,
      ui_locales: `"><script>`,
    });
    expect(page.status).toBe(200);
    expect(await page.text()).not.toContain("<script");
  });
});
