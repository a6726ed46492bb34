/**
 * prompt=select_account, several prompts at once, and pages in the language of ui_locales (OpenID Connect Core §3.1.2.1).
 * Modules of the OpenID Foundation's suite, in our reading: oidcc-prompt-login, oidcc-prompt-none-not-logged-in,
 * oidcc-prompt-none-logged-in, oidcc-ui-locales, oidcc-display-page, oidcc-display-popup, oidcc-login-hint.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import * as client from "openid-client";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser, type HttpBrowser } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import {
  addUser,
  answerOf,
  type Application,
  fillSignIn,
  registerApplication,
  signedInBrowser,
} from "../support.ts";

let server: TestServer;
let ada: User;
let grace: User;
let app: Application;
let browser: HttpBrowser;

const PAGE = "/oauth/select-account";

beforeAll(async () => {
  server = await startTestServer();
  ada = await addUser(server, "ada");
  grace = await addUser(server, "grace");
  app = await registerApplication(server);
});
afterAll(() => server.stop());
beforeEach(async () => {
  browser = await signedInBrowser(server, ada);
  server.clock.advance(1);
});

const open = async (parameters: Record<string, string>, of: Application = app) => {
  const pending = await of.begin(parameters);
  return { pending, visit: await browser.open(pending.url) };
};

describe("prompt=select_account", () => {
  it("shows the account of the session, and goes on with it when it is chosen", async () => {
    const { pending, visit } = await open({ prompt: "select_account" });
    expect([visit.url.pathname, visit.status]).toEqual([PAGE, 200]);
    expect(visit.html).toContain("ada@example.com");
    const chosen = await browser.submit(visit, PAGE);
    const tokens = await client.authorizationCodeGrant(app.config, chosen.url, pending.checks);
    expect(tokens.claims()?.sub).toBe(ada.id);
  });

  it("asks for each request anew", async () => {
    await browser.submit((await open({ prompt: "select_account" })).visit, PAGE);
    expect((await open({ prompt: "select_account" })).visit.url.pathname).toBe(PAGE);
  });

  it("leads to the sign-in page for another account", async () => {
    const { pending, visit } = await open({ prompt: "select_account" });
    const [, link = ""] = /href="(\/signin\?interaction=[^"]+)"/.exec(visit.html) ?? [];
    const answer = await fillSignIn(browser, await browser.open(link), "grace");
    const tokens = await client.authorizationCodeGrant(app.config, answer.url, pending.checks);
    expect(tokens.claims()?.sub).toBe(grace.id);
  });

  it("is the sign-in page where nobody is signed in", async () => {
    const pending = await app.begin({ prompt: "select_account" });
    const page = await createHttpBrowser(server.url).open(pending.url);
    expect(page.url.pathname).toBe("/signin");
  });

  it("chooses for the session that was shown, not for one that came since", async () => {
    const { visit } = await open({ prompt: "select_account" });
    await fillSignIn(browser, await browser.open((await app.begin({ prompt: "login" })).url), "grace");
    expect((await browser.submit(visit, PAGE)).status).toBe(403);
  });
});

describe("several prompts", () => {
  it("are asked for one after the other: login, then consent", async () => {
    const { visit } = await open({ prompt: "login consent" });
    expect(visit.url.pathname).toBe("/signin");
    const consent = await fillSignIn(browser, visit, "ada");
    expect(consent.url.pathname).toBe("/oauth/consent");
    const answer = await browser.submit(consent, "/oauth/consent", { decision: "allow" });
    expect(answerOf(answer)).toHaveProperty("code");
  });

  it("are asked for one after the other: the account, then consent", async () => {
    const { visit } = await open({ prompt: "select_account consent" });
    const consent = await browser.submit(visit, PAGE);
    expect(consent.url.pathname).toBe("/oauth/consent");
    const answer = await browser.submit(consent, "/oauth/consent", { decision: "allow" });
    expect(answerOf(answer)).toHaveProperty("code");
  });
});

describe("prompt=create where nobody may register", () => {
  it("is a sign-in, and not offered by metadata", async () => {
    await server.configure({ self_registration_enabled: false });
    try {
      expect((await open({ prompt: "create" })).visit.url.pathname).toBe("/signin");
      const metadata = await fetch(`${server.url}/.well-known/openid-configuration`);
      expect(await metadata.json()).toMatchObject({
        prompt_values_supported: ["none", "login", "consent", "select_account"],
      });
    } finally {
      await server.configure({ self_registration_enabled: true });
    }
  });
});

describe("what pages look like", () => {
  /** oidcc-ui-locales */
  it("is the language of ui_locales, or ours for a language that we have not", async () => {
    const page = (locales: string) => open({ prompt: "select_account", ui_locales: locales });
    expect((await page("fr-CA de")).visit.html).toContain('<html lang="de"');
    expect((await page("fr")).visit.html).toContain('<html lang="en"');
  });

  /** oidcc-display-page, oidcc-display-popup */
  it("is the same whatever display asks for", async () => {
    for (const display of ["page", "popup", "touch", "hologram"])
      expect(answerOf((await open({ display })).visit)).toHaveProperty("code");
  });
});
