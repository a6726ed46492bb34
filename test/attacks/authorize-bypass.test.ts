/** Ways around a page that a request leads to: going on from it without having done what it asks for. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { ACR_2FA } from "../../src/protocol/oidc/acr.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { type App, authorizationParameters, Browser, createApp, readForm, signedIn } from "./support.ts";

let server: TestServer;
let app: App;
let browser: Browser;

beforeAll(async () => {
  server = await startTestServer();
  app = await createApp(server, { firstParty: false });
});
afterAll(() => server.stop());
beforeEach(async () => {
  ({ browser } = await signedIn(server.url));
  server.clock.advance(1);
});

/** Where a request leads, and the sealed form in which the browser carries it on. */
async function begin(changes: Record<string, string>) {
  const response = await browser.get(`/oauth/authorize?${authorizationParameters(app, changes)}`);
  const location = new URL(response.headers.get("location") ?? "", server.url);
  return { path: location.pathname, interaction: location.searchParams.get("interaction") ?? "" };
}

/** Says yes on the consent page of a request that has not come that far. */
async function consent(interaction: string): Promise<string> {
  const page = await browser.get(`/oauth/consent?${new URLSearchParams({ interaction })}`);
  const form = readForm(await page.text(), "/oauth/consent");
  const response = await browser.post(form.action, { ...form.fields, decision: "allow" });
  return response.headers.get("location") ?? "";
}

describe("consent before its time", () => {
  /** Guard: domain/authorization/flow.ts, decideConsent (continueAuthorization decides anew). */
  it.each<[string, Record<string, string>, string]>([
    ["sign-in", { prompt: "login" }, "/signin"],
    ["sign-in after max_age", { max_age: "0" }, "/signin"],
    ["choice of an account", { prompt: "select_account" }, "/oauth/select-account"],
    ["second factor", { acr_values: ACR_2FA }, "/signin/step-up"],
  ])("does not stand in for the %s", async (_, changes, path) => {
    const { path: before, interaction } = await begin(changes);
    expect(before).toBe(path);
    const location = await consent(interaction);
    expect(location).toStartWith(path);
    expect(location).not.toContain("code=");
  });

  /** Guard: domain/authorization/flow.ts, decideConsent (only "allow" allows). */
  it("is not given by any other word than allow", async () => {
    const { interaction } = await begin({});
    const page = await browser.get(`/oauth/consent?${new URLSearchParams({ interaction })}`);
    const form = readForm(await page.text(), "/oauth/consent");
    for (const decision of ["", "ALLOW", "allow ", "yes", "deny"]) {
      const response = await browser.post(form.action, { ...form.fields, decision });
      expect(response.headers.get("location")).toContain("error=access_denied");
    }
  });
});

describe("the choice of an account", () => {
  /** Guard: domain/authorization/flow.ts, neededPage (interaction.selected === session.id). */
  it("that one person made does not count in another's session", async () => {
    const other = await signedIn(server.url);
    server.clock.advance(1);
    const { interaction } = await begin({ prompt: "select_account" });
    const page = await browser.get(`/oauth/select-account?${new URLSearchParams({ interaction })}`);
    const form = readForm(await page.text(), "/oauth/select-account");
    const chosen = (await browser.post(form.action, form.fields)).headers.get("location") ?? "";
    expect(chosen).toStartWith("/oauth/consent");
    const carried = new URL(chosen, server.url).searchParams.get("interaction") ?? "";
    const response = await other.browser.get(
      `/oauth/authorize?${new URLSearchParams({ interaction: carried })}`,
    );
    expect(response.headers.get("location")).toStartWith("/oauth/select-account");
  });

  /** CSRF. Guard: web/oauth/select-account.routes.ts, readPageForm with the session. */
  it("is not made by another browser's form", async () => {
    const { interaction } = await begin({ prompt: "select_account" });
    const attacker = await signedIn(server.url);
    const page = await attacker.browser.get(`/oauth/select-account?${new URLSearchParams({ interaction })}`);
    const form = readForm(await page.text(), "/oauth/select-account");
    expect((await browser.post(form.action, form.fields)).status).toBe(403);
  });
});

describe("prompt=none", () => {
  /** OpenID Connect Core §3.1.2.6. Guard: protocol/oidc/authentication-decision.ts, decideAuthentication. */
  it("gets no code for what would need the person", async () => {
    for (const changes of [{}, { max_age: "0" }, { acr_values: ACR_2FA }, { resource: server.url }]) {
      const response = await browser.get(
        `/oauth/authorize?${authorizationParameters(app, { ...changes, prompt: "none" })}`,
      );
      const location = new URL(response.headers.get("location") ?? "");
      expect([location.searchParams.get("error"), location.searchParams.get("code")]).toEqual([
        expect.stringMatching(/^(?:login|consent)_required$/),
        null,
      ]);
    }
    const nobody = new Browser(server.url);
    const response = await nobody.get(`/oauth/authorize?${authorizationParameters(app, { prompt: "none" })}`);
    expect(response.headers.get("location")).toContain("error=login_required");
  });
});
