/**
 * Authentication context classes that a request asks for (OpenID Connect Core §3.1.2.1, §5.5.1.1; RFC 9470). Modules of the
 * OpenID Foundation's suite, in our reading: oidcc-ensure-request-with-acr-values-succeeds, oidcc-max-age-1,
 * oidcc-max-age-10000.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import * as client from "openid-client";
import { sessions } from "../../../src/db/schema/index.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { ACR_1FA, ACR_2FA } from "../../../src/protocol/oidc/acr.ts";
import { createHttpBrowser, type HttpBrowser } from "../../support/browser.ts";
import { setUpTotp, totpCode } from "../../support/mfa.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";
import {
  addUser,
  answerOf,
  type Application,
  logIn,
  PASSWORD,
  registerApplication,
  signedInBrowser,
} from "../support.ts";

let server: TestServer;
let ada: User;
let app: Application;
let browser: HttpBrowser;

beforeAll(async () => {
  server = await startTestServer();
  app = await registerApplication(server);
});
afterAll(() => server.stop());
beforeEach(async () => {
  ada = await addUser(server, `ada-${Bun.randomUUIDv7().slice(-8)}`);
  browser = await signedInBrowser(server, ada);
  server.clock.advance(1);
});

/** As a second factor would leave the session behind. */
const proveSecondFactor = () =>
  server.deps.db
    .update(sessions)
    .set({ acr: ACR_2FA, amr: ["pwd", "otp", "mfa"] })
    .where(eq(sessions.userId, ada.id));

const essential = (value: string) => ({
  claims: JSON.stringify({ id_token: { acr: { essential: true, value } } }),
});

const pathOf = async (parameters: Record<string, string>, of: Application = app) =>
  (await browser.open((await of.begin(parameters)).url)).url.pathname;

describe("acr_values", () => {
  it("that the session is of are in the ID token, and need nothing else", async () => {
    const { tokens } = await logIn(app, browser, ada, { acr_values: ACR_1FA });
    expect(tokens.claims()?.["acr"]).toBe(ACR_1FA);
  });

  it("of a stronger class send the person to their second factor", async () => {
    expect(await pathOf({ acr_values: ACR_2FA })).toBe("/signin/step-up");
    await proveSecondFactor();
    const { tokens } = await logIn(app, browser, ada, { acr_values: ACR_2FA });
    expect(tokens.claims()).toMatchObject({ acr: ACR_2FA, amr: ["pwd", "otp", "mfa"] });
  });

  it("are met by the person's second factor, which leads back and into the ID token", async () => {
    const signedIn = await postJson(`${server.url}/login`, { identifier: ada.username, password: PASSWORD });
    const { access_token }: { access_token: string } = await signedIn.json();
    const { secret } = await setUpTotp(server, access_token);
    server.clock.advance(60);
    const pending = await app.begin({ acr_values: ACR_2FA });
    const page = await browser.open(pending.url);
    expect(page.url.pathname).toBe("/signin/step-up");
    const answer = await browser.submit(page, "/signin/step-up", {
      code: totpCode(server, secret),
    });
    const tokens = await client.authorizationCodeGrant(app.config, answer.url, pending.checks);
    expect(tokens.claims()?.["acr"]).toBe(ACR_2FA);
  });

  it("are a choice: any one of them will do", async () => {
    const { tokens } = await logIn(app, browser, ada, { acr_values: `${ACR_2FA} ${ACR_1FA}` });
    expect(tokens.claims()?.["acr"]).toBe(ACR_1FA);
  });

  it("that nobody here knows are a wish: the ID token says what was done instead", async () => {
    const { tokens } = await logIn(app, browser, ada, { acr_values: "urn:mace:incommon:iap:silver" });
    expect(tokens.claims()?.["acr"]).toBe(ACR_1FA);
  });

  it("are answered with login_required when nobody may be asked", async () => {
    const pending = await app.begin({ acr_values: ACR_2FA, prompt: "none" });
    expect(answerOf(await browser.open(pending.url))).toMatchObject({
      error: "login_required",
      state: pending.state,
    });
  });

  it("are announced by metadata (RFC 9470 §7)", () => {
    expect(app.config.serverMetadata().acr_values_supported).toEqual([ACR_1FA, ACR_2FA]);
  });
});

describe("the claim acr, when it is essential", () => {
  it("has to be met", async () => {
    expect(await pathOf(essential(ACR_2FA))).toBe("/signin/step-up");
    await proveSecondFactor();
    const { tokens } = await logIn(app, browser, ada, essential(ACR_2FA));
    expect(tokens.claims()?.["acr"]).toBe(ACR_2FA);
  });

  it("is unmet_authentication_requirements where no sign-in would meet it, before anybody is asked", async () => {
    const pending = await app.begin(essential("urn:unknown"));
    for (const anybody of [browser, createHttpBrowser(server.url)])
      expect(answerOf(await anybody.open(pending.url))).toMatchObject({
        error: "unmet_authentication_requirements",
        state: pending.state,
        iss: server.url,
      });
  });
});

describe("OpenID Connect Registration §2: what a client is registered for", () => {
  it("is default_acr_values, where a request asks for none", async () => {
    const strict = await registerApplication(server, { row: { defaultAcrValues: [ACR_2FA] } });
    expect(await pathOf({}, strict)).toBe("/signin/step-up");
    expect((await logIn(strict, browser, ada, { acr_values: ACR_1FA })).tokens.claims()?.["acr"]).toBe(
      ACR_1FA,
    );
  });

  it("is default_max_age, where a request has no max_age", async () => {
    const strict = await registerApplication(server, { row: { defaultMaxAge: 60 } });
    const { tokens } = await logIn(strict, browser, ada, { prompt: "none" });
    expect(tokens.claims()).toHaveProperty("auth_time");
    server.clock.advance(61);
    expect(await pathOf({}, strict)).toBe("/signin");
    expect((await logIn(strict, browser, ada, { max_age: "1000", prompt: "none" })).tokens).toHaveProperty(
      "id_token",
    );
  });
});
