/** Applications that are not ours ask the person first. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import * as client from "openid-client";
import type { User } from "../../../src/domain/users/service.ts";
import type { HttpBrowser, Visit } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import {
  addUser,
  answerOf,
  type Application,
  fillSignIn,
  refusal,
  registerApplication,
  signedInBrowser,
} from "../support.ts";

let server: TestServer;
let ada: User;
let app: Application;
let browser: HttpBrowser;

beforeAll(async () => {
  server = await startTestServer();
  ada = await addUser(server, "ada");
});
afterAll(() => server.stop());
beforeEach(async () => {
  app = await registerApplication(server, { firstParty: false, name: "Third <Party>" });
  browser = await signedInBrowser(server, ada);
  server.clock.advance(1);
});

const decide = (page: Visit, decision: "allow" | "deny") =>
  browser.submit(page, "/oauth/consent", { decision });
const open = async (parameters?: Record<string, string>) => {
  const pending = await app.begin(parameters);
  return { pending, visit: await browser.open(pending.url) };
};

describe("OpenID Connect Core §3.1.2.4: consent", () => {
  it("is asked for on a page that names the application, the scope and where it leads", async () => {
    const { visit } = await open();
    expect([visit.url.pathname, visit.status]).toEqual(["/oauth/consent", 200]);
    expect(visit.html).toContain("Third &lt;Party>");
    expect(visit.html).toContain("See your email address");
    expect(visit.html).toContain("app.example.com");
    expect(visit.html).toContain("ada@example.com");
  });

  it("once given, leads to a code, and is not asked for again", async () => {
    const { pending, visit } = await open();
    const allowed = await decide(visit, "allow");
    const tokens = await client.authorizationCodeGrant(app.config, allowed.url, pending.checks);
    expect(tokens.claims()?.sub).toBe(ada.id);
    const again = await open({ prompt: "none" });
    expect(answerOf(again.visit)).toMatchObject({ code: expect.any(String), state: again.pending.state });
  });

  it("is asked for again when more is asked for, and covers less than was given", async () => {
    const first = await open({ scope: "openid email" });
    await decide(first.visit, "allow");
    expect(answerOf((await open({ scope: "openid" })).visit)).toHaveProperty("code");
    const more = await open({ scope: "openid email profile" });
    expect(more.visit.url.pathname).toBe("/oauth/consent");
  });

  it("is asked for again with prompt=consent, of a first-party application too", async () => {
    await decide((await open()).visit, "allow");
    server.clock.advance(1);
    const again = await open({ prompt: "consent" });
    expect(again.visit.url.pathname).toBe("/oauth/consent");
    expect(answerOf(await decide(again.visit, "allow"))).toHaveProperty("code");

    const ours = await registerApplication(server, { firstParty: true });
    const page = await browser.open((await ours.begin({ prompt: "consent" })).url);
    expect(page.url.pathname).toBe("/oauth/consent");
  });

  it("given by one person holds for that person alone", async () => {
    await decide((await open()).visit, "allow");
    const other = await addUser(server, `other-${Bun.randomUUIDv7().slice(-8)}`);
    browser = await signedInBrowser(server, other);
    expect((await open()).visit.url.pathname).toBe("/oauth/consent");
  });

  it("answers consent_required with prompt=none when it was not given", async () => {
    const { pending, visit } = await open({ prompt: "none" });
    expect(answerOf(visit)).toMatchObject({
      error: "consent_required",
      state: pending.state,
      iss: server.url,
    });
  });

  it("denied, answers access_denied with state and iss, and is asked for anew", async () => {
    const { pending, visit } = await open();
    const denied = await decide(visit, "deny");
    expect(answerOf(denied)).toEqual({
      error: "access_denied",
      error_description: expect.any(String),
      state: pending.state,
      iss: server.url,
    });
    expect(await refusal(client.authorizationCodeGrant(app.config, denied.url, pending.checks))).toBe(
      "access_denied",
    );
    expect((await open()).visit.url.pathname).toBe("/oauth/consent");
  });

  it("follows the sign-in within one request", async () => {
    const stranger = await addUser(server, `stranger-${Bun.randomUUIDv7().slice(-8)}`);
    browser.cookies.clear();
    const { pending, visit } = await open();
    const consent = await fillSignIn(browser, visit, stranger.username);
    expect(consent.url.pathname).toBe("/oauth/consent");
    const allowed = await decide(consent, "allow");
    const tokens = await client.authorizationCodeGrant(app.config, allowed.url, pending.checks);
    expect(tokens.claims()?.sub).toBe(stranger.id);
  });

  it("cannot be given by a form that another site sends, nor by a browser of another person", async () => {
    const { visit } = await open();
    const fields = { ...visit.forms[0]?.fields, decision: "allow" };
    const forged = await browser.postFromElsewhere(`${server.url}/oauth/consent`, fields);
    expect(forged.status).toBe(403);
    const attacker = await signedInBrowser(server, ada);
    const page = await attacker.open((await app.begin()).url);
    const stolen = { ...page, forms: visit.forms };
    expect((await attacker.submit(stolen, "/oauth/consent", { decision: "allow" })).status).toBe(403);
    expect((await open()).visit.url.pathname).toBe("/oauth/consent");
  });

  it("is not given for another person, who signed in since in another tab", async () => {
    const { visit } = await open();
    await addUser(server, "grace");
    const other = await browser.open((await app.begin({ prompt: "login" })).url);
    await fillSignIn(browser, other, "grace");
    expect((await decide(visit, "allow")).status).toBe(403);
    const asked = await open();
    expect([asked.visit.url.pathname, asked.visit.html.includes("grace@example.com")]).toEqual([
      "/oauth/consent",
      true,
    ]);
  });
});
