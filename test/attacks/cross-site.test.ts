/** Attacks from another site in the same browser: CSRF, login CSRF, clickjacking, session fixation, cookie tossing. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { findSessionByCookie } from "../../src/domain/sessions/service.ts";
import { postForm, startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  authorizationParameters,
  Browser,
  createApp,
  PASSWORD,
  type Person,
  readForm,
  register,
  signedIn,
} from "./support.ts";

let server: TestServer;
let thirdParty: App;
let person: Person;
let victim: Browser;

beforeAll(async () => {
  server = await startTestServer();
  thirdParty = await createApp(server, { firstParty: false });
  ({ person, browser: victim } = await signedIn(server.url));
});
afterAll(() => server.stop());

const SESSION = "__Host-gw_session";
const BROWSER = "__Host-gw_browser";

/** Every form that our pages post, with what would make it succeed. */
const forms: Record<string, Record<string, string>> = {
  "/signin": { identifier: "person1", password: PASSWORD },
  "/signup": { email: "csrf@example.com", username: "csrf", password: PASSWORD },
  "/signup/resend": { email: "csrf@example.com" },
  "/recover": { email: "person1@example.com" },
  "/recover/reset": { token: "x", password: PASSWORD },
  "/verify-email/confirm": { token: "x" },
  "/account/send-verification": {},
  "/signout": {},
  "/oauth/logout/confirm": { decision: "sign_out" },
  "/account/sessions/end": { session_id: "x" },
  "/account/sessions/end-others": {},
  "/account/grants/revoke": { grant_id: "x" },
  "/oauth/consent": { decision: "allow" },
  "/oauth/select-account": {},
  "/device": { user_code: "BCDF-GHJK" },
  "/device/decision": { user_code: "BCDF-GHJK", decision: "allow" },
};

async function tokenOf(browser: Browser): Promise<string> {
  const { fields } = readForm(await (await browser.get("/recover")).text());
  return fields["csrf"] ?? "";
}

describe("a form that another site posts", () => {
  /** OWASP CSRF; CWE-352. Guard: web/http.ts, readPageForm; web/csrf.ts, verifyCsrf. */
  it.each(Object.keys(forms))("is refused without the token, or with another browser's: %s", async (path) => {
    const stranger = new Browser(server.url);
    const theirToken = await tokenOf(stranger);
    expect((await stranger.post(path, { ...forms[path], csrf: theirToken })).status).not.toBe(403);
    for (const csrf of ["", "x", theirToken, "A".repeat(86), theirToken.slice(0, -1), `${theirToken}A`]) {
      expect((await victim.post(path, { ...forms[path], csrf })).status).toBe(403);
    }
    expect((await victim.get("/account")).status).toBe(200);
  });

  /** Fetch Standard; a leaked token is not enough. Guard: web/csrf.ts, isSameOriginPost. */
  it.each(Object.keys(forms))("is refused with the right token from a wrong place: %s", async (path) => {
    const csrf = await tokenOf(victim);
    const places: Record<string, string>[] = [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: server.url.replace("http:", "https:") },
      { origin: `${server.url}.evil.example` },
      { origin: "http://localhost:1" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { origin: "https://evil.example", host: "evil.example" },
    ];
    for (const headers of places) {
      expect((await victim.post(path, { ...forms[path], csrf }, headers)).status).toBe(403);
    }
    expect((await victim.get("/account")).status).toBe(200);
  });

  /** Guard: the MAC's key; a mask of the attacker's choice proves nothing. */
  it("is refused with a token made without our key", async () => {
    const secret = victim.cookies.get(BROWSER) ?? "";
    for (const csrf of [Buffer.alloc(64), Buffer.from(secret.padEnd(64, "x").slice(0, 64))]) {
      expect((await victim.post("/signout", { csrf: csrf.toString("base64url") })).status).toBe(403);
    }
  });

  /** RFC 6819 §4.4.1.9, "login CSRF": the victim must not end up in the attacker's account. Guard: readPageForm. */
  it("does not sign the victim in as the attacker", async () => {
    const browser = new Browser(server.url);
    const attacker = new Browser(server.url);
    const fields = { identifier: person.username, password: PASSWORD, csrf: await tokenOf(attacker) };
    const response = await browser.post("/signin", fields, { origin: "https://evil.example" });
    expect([response.status, browser.cookies.has(SESSION)]).toEqual([403, false]);
    const noOrigin = await postForm(`${server.url}/signin`, fields);
    expect([noOrigin.status, noOrigin.headers.getSetCookie().join().includes(SESSION)]).toEqual([403, false]);
  });

  /** The API keeps no cookies, so that a form of another site carries nothing of the victim's. */
  it("to the API starts no session in the browser", async () => {
    const fields = { identifier: person.username, password: PASSWORD };
    const response = await postForm(`${server.url}/login`, fields, { origin: "https://evil.example" });
    expect(response.headers.getSetCookie()).toEqual([]);
  });
});

describe("a page in a frame", () => {
  /** CWE-1021, RFC 9700 §4.16. Guard: web/security-headers.ts, pageHeaders; api/operations/docs.ts. */
  it("is refused by its headers, on every page, errors included", async () => {
    const consent = await victim.get(`/oauth/authorize?${authorizationParameters(thirdParty)}`);
    const chooser = await victim.get(
      `/oauth/authorize?${authorizationParameters(thirdParty, { prompt: "select_account" })}`,
    );
    const pages = [
      chooser.headers.get("location") ?? "",
      ...[
        "/",
        "/signin",
        "/signup",
        "/recover",
        "/account",
        "/device",
        "/reset-password?token=x",
        "/verify-email?token=x",
      ],
      ...["/nothing-here", "/oauth/authorize", "/t/nobody/signin", "/dev/mailbox", "/docs"],
      consent.headers.get("location") ?? "",
      `/oauth/authorize?${authorizationParameters(thirdParty, { response_mode: "form_post", prompt: "none" })}`,
    ];
    for (const path of pages) {
      const browser = ["/", "/signin"].includes(path) ? new Browser(server.url) : victim;
      const { status, headers } = await browser.get(path);
      expect([path, status >= 300 && status < 400]).toEqual([path, false]);
      const policy = headers.get("content-security-policy") ?? "";
      expect([path, policy]).toEqual([path, expect.stringContaining("frame-ancestors 'none'")]);
      expect([path, policy]).toEqual([path, expect.stringContaining("default-src 'none'")]);
      expect(policy).not.toMatch(/script-src[^;]*'unsafe-inline'/);
      expect([path, headers.get("x-content-type-options")]).toEqual([path, "nosniff"]);
      if (path !== "/docs") expect([path, headers.get("x-frame-options")]).toEqual([path, "DENY"]);
      if (path !== "/docs") expect(headers.get("cache-control")).toBe("no-store");
    }
  });
});

describe("a session that the attacker chose", () => {
  /** CWE-384. Guard: domain/sessions/service.ts, findSessionByCookie; sign-in makes a new one. */
  it("is not adopted when its cookie was made up", async () => {
    const browser = new Browser(server.url);
    const forged = "sess_00000000000000000000000001_".padEnd(75, "A");
    browser.cookies.set(SESSION, forged);
    expect((await browser.get("/account")).headers.get("location")).toBe("/signin");
    await browser.signIn(person.username);
    expect(browser.cookies.get(SESSION)).not.toBe(forged);
    expect(await findSessionByCookie(server.deps, server.tenant.id, forged)).toBeUndefined();
  });

  /** CWE-384. Guard: web/sign-in/sign-in.routes.ts, replaceSession. */
  it("ends when somebody signs in over it", async () => {
    const attacker = await signedIn(server.url);
    const planted = attacker.browser.cookies.get(SESSION) ?? "";
    const consent = await victimWith(planted).get(`/oauth/authorize?${authorizationParameters(thirdParty)}`);
    const path = (consent.headers.get("location") ?? "").replace("/oauth/consent", "/signin");
    const browser = victimWith(planted);
    expect((await browser.signIn(person.username, path)).status).toBe(303);
    expect(browser.cookies.get(SESSION)).not.toBe(planted);
    expect(await findSessionByCookie(server.deps, server.tenant.id, planted)).toBeUndefined();
    expect((await attacker.browser.get("/account")).headers.get("location")).toBe("/signin");
  });

  const victimWith = (cookie: string) => {
    const browser = new Browser(server.url);
    browser.cookies.set(SESSION, cookie);
    return browser;
  };

  /** Guard: findSessionByCookie (revokedAt, expiresAt, matchesHash). */
  it("is over once signed out, expired, or known by its id alone", async () => {
    const { browser } = await signedIn(server.url);
    const cookie = browser.cookies.get(SESSION) ?? "";
    const byId = victimWith(`${cookie.slice(0, 31)}_${"A".repeat(43)}`);
    expect((await byId.get("/account")).headers.get("location")).toBe("/signin");
    await browser.signOut();
    expect((await victimWith(cookie).get("/account")).headers.get("location")).toBe("/signin");
    const late = await signedIn(server.url);
    server.clock.advance(server.tenant.settings.session_lifetime);
    expect((await late.browser.get("/account")).headers.get("location")).toBe("/signin");
  });
});

describe("cookie tossing", () => {
  /** RFC 6265bis §4.1.3.2. Guard: web/cookies.ts: browsers take such names from our own host alone. */
  it("fails on the __Host- prefix: Secure, Path=/, no Domain, HttpOnly, SameSite", async () => {
    const browser = new Browser(server.url);
    const someone = await register(server.url);
    const page = await browser.get("/signin");
    const { action, fields } = readForm(await page.text());
    const signIn = await browser.post(action, {
      ...fields,
      identifier: someone.username,
      password: PASSWORD,
    });
    const set = [...page.headers.getSetCookie(), ...signIn.headers.getSetCookie()];
    expect(set.map((cookie) => cookie.split("=")[0])).toEqual([BROWSER, SESSION]);
    for (const cookie of set) {
      expect(cookie).toMatch(/^__Host-[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax(?:; Max-Age=\d+)?$/);
    }
  });

  /** RFC 6265 §5.4. Guard: web/cookies.ts, parseCookies (the first counts). */
  it("by a second cookie of the same name does not displace the first", async () => {
    const [mine, theirs] = await Promise.all([signedIn(server.url), signedIn(server.url)]);
    const both = `${mine.browser.cookieHeader}; ${theirs.browser.cookieHeader}`;
    const page = await (await mine.browser.get("/account", { cookie: both })).text();
    expect(page).toContain(mine.person.email);
    expect(page).not.toContain(theirs.person.email);
  });

  /** Guard: parseCookies ignores what no server can have set. */
  it("by odd cookies is no error", async () => {
    for (const cookie of [
      "=",
      ";;;",
      "a",
      `${SESSION}`,
      `${SESSION}="x"`,
      `${BROWSER}=\u00e9`,
      `${SESSION}=sess_%00`,
    ]) {
      expect((await new Browser(server.url).get("/signin", { cookie })).status).toBe(200);
    }
  });
});
