/**
 * OAuth 2.0 Form Post Response Mode, with `openid-client` as the application. The plan for Form Post OP has the modules of
 * Basic OP, with this response mode.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import * as client from "openid-client";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser, type HttpBrowser, type Visit } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import {
  addUser,
  type Application,
  fillSignIn,
  refusal,
  registerApplication,
  signedInBrowser,
} from "../support.ts";

const WITH_QUERY = "https://app.example.com/callback?tenant=%C3%A9&x=1";

let server: TestServer;
let ada: User;
let app: Application;
let browser: HttpBrowser;

beforeAll(async () => {
  server = await startTestServer();
  ada = await addUser(server, "ada");
  app = await registerApplication(server, {
    redirectUris: ["https://app.example.com/callback", WITH_QUERY],
  });
  browser = await signedInBrowser(server, ada);
});
afterAll(() => server.stop());
beforeEach(() => server.clock.advance(1));

/** What the browser sends to the application when the form posts itself. */
function posted(visit: Visit): Request {
  const [form, ...others] = visit.forms;
  if (!form || others.length > 0) throw new Error(`${visit.url.pathname} is no form_post page`);
  return new Request(form.action, { method: "POST", body: new URLSearchParams(form.fields) });
}

const begin = (parameters: Record<string, string> = {}) =>
  app.begin({ response_mode: "form_post", ...parameters });

describe("Form Post Response Mode §2: the response in a form", () => {
  /** oidcc-server, oidcc-ensure-request-with-valid-pkce-succeeds */
  it("is exchanged for tokens, after a sign-in too", async () => {
    for (const one of [browser, createHttpBrowser(server.url)]) {
      const pending = await begin();
      let visit = await one.open(pending.url);
      if (visit.url.pathname === "/signin") visit = await fillSignIn(one, visit, "ada");
      const tokens = await client.authorizationCodeGrant(app.config, posted(visit), pending.checks);
      expect(tokens.claims()?.sub).toBe(ada.id);
    }
  });

  /**
   * Of the modules of Basic OP, those whose request differs in its parameters: oidcc-scope-profile, -scope-email, -display-page,
   * -display-popup, -max-age-10000, -ensure-request-with-unknown-parameter-succeeds, -login-hint, -ui-locales,
   * -claims-locales, -ensure-request-with-acr-values-succeeds, -claims-essential, -prompt-none-logged-in
   */
  it.each<Record<string, string>>([
    { scope: "openid profile" },
    { scope: "openid email" },
    { display: "page" },
    { display: "popup" },
    { max_age: "10000" },
    { extra: "foobar" },
    { login_hint: "buffy@example.org" },
    { ui_locales: "se" },
    { claims_locales: "se" },
    { acr_values: "1 2" },
    { claims: '{"userinfo":{"name":{"essential":true}}}' },
    { prompt: "none" },
  ])("answers what Basic OP asks: %j", async (parameters) => {
    const pending = await begin(parameters);
    const visit = posted(await browser.open(pending.url));
    const tokens = await client.authorizationCodeGrant(app.config, visit, pending.checks);
    expect(tokens.claims()?.sub).toBe(ada.id);
  });

  /** oidcc-codereuse */
  it("holds a code that works once", async () => {
    const pending = await begin();
    const visit = posted(await browser.open(pending.url));
    await client.authorizationCodeGrant(app.config, visit.clone(), pending.checks);
    const again = client.authorizationCodeGrant(app.config, visit, pending.checks);
    expect(await refusal(again)).toBe("invalid_grant");
  });

  it("is an HTML page that nobody stores and no frame shows", async () => {
    const { status, headers } = await browser.open((await begin()).url);
    expect([status, headers.get("content-type"), headers.get("cache-control")]).toEqual([
      200,
      "text/html; charset=utf-8",
      "no-store",
    ]);
    expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  });

  it("leaves nothing in the address", async () => {
    const { url } = await browser.open((await begin({ redirect_uri: WITH_QUERY })).url);
    expect(url.searchParams.has("code")).toBe(false);
  });

  /** oidcc-redirect-uri-query-OK, of Dynamic OP */
  it("goes to the redirect_uri as it was registered, query and all", async () => {
    const visit = await browser.open((await begin({ redirect_uri: WITH_QUERY })).url);
    expect(visit.forms[0]?.action).toBe(WITH_QUERY);
  });

  it("brings state back as it was, whatever stands in it", async () => {
    const state = `"><script>alert(1)</script>&amp;='é ${"x".repeat(200)}`;
    const visit = await browser.open((await begin({ state })).url);
    expect(visit.forms[0]?.fields["state"]).toBe(state);
    expect(visit.html).not.toContain("<script>alert(1)");
  });

  /** oidcc-prompt-none-not-logged-in, oidcc-response-type-missing */
  it("is how errors are told too", async () => {
    const silent = await begin({ prompt: "none" });
    const nobody = posted(await createHttpBrowser(server.url).open(silent.url));
    expect(await refusal(client.authorizationCodeGrant(app.config, nobody, silent.checks))).toBe(
      "login_required",
    );

    const { url, checks } = await begin();
    url.searchParams.delete("response_type");
    const wrong = posted(await browser.open(url));
    expect(await refusal(client.authorizationCodeGrant(app.config, wrong, checks))).toBe("invalid_request");
  });
});
