/** Second factors, devices that are trusted, and what a tenant asks of everybody: as a person meets them. */
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  setDefaultTimeout,
} from "bun:test";
import type { Browser, Page } from "playwright-core";
import { totpCode } from "../support/mfa.ts";
import { type RelyingParty, startRelyingParty } from "../support/relying-party.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import {
  heading,
  launchChromium,
  newPerson,
  noChromium,
  PASSWORD,
  pathOf,
  shownBy,
  signIn,
  signUp,
  type,
} from "./support.ts";

// A browser on a busy machine takes its time; what is awaited inside has deadlines of its own.
setDefaultTimeout(60_000);

let server: TestServer;
let browser: Browser;
let application: RelyingParty;
let email: string;

beforeAll(async () => {
  if (noChromium) return;
  server = await startTestServer();
  browser = await launchChromium();
  application = await startRelyingParty(server.url, (redirectUri) =>
    server.createClient({ name: "Our App", firstParty: true, redirectUris: [redirectUri] }),
  );
});
afterAll(async () => {
  if (noChromium) return;
  await browser.close();
  await application.stop();
  await server.stop();
});
beforeEach(() => {
  email = `ada-${Bun.randomUUIDv7().slice(-10)}@example.com`;
  server?.clock.advance(60);
});
afterEach(() => server?.configure({ mfa_enforcement: "optional" }));

async function enter(page: Page): Promise<void> {
  await page.goto(`${server.url}/signup`);
  await signUp(page, email);
  await page.getByRole("link", { name: "Back to sign in" }).click();
  await signIn(page, email);
  await page.waitForURL("**/account");
}

/** Reads the key of the page that sets up an authenticator app, and enters its code. */
async function confirmApp(page: Page): Promise<string> {
  const secret = (await page.locator(".secret code").innerText()).replaceAll(" ", "");
  await page.getByLabel("Code").fill(totpCode(server, secret));
  await page.getByRole("button", { name: "Confirm" }).click();
  return secret;
}

async function keepCodes(page: Page): Promise<string[]> {
  await page.getByRole("heading", { name: "Keep your backup codes" }).waitFor();
  const codes = await page.locator(".backup-codes code").allInnerTexts();
  await page.getByRole("link", { name: "I have kept them: continue" }).click();
  return codes;
}

async function addApp(page: Page): Promise<{ secret: string; codes: string[] }> {
  await page.goto(`${server.url}/account/security`);
  await page.getByRole("link", { name: "Add an authenticator app" }).click();
  const secret = await confirmApp(page);
  const codes = await keepCodes(page);
  await page.getByRole("status").waitFor();
  server.clock.advance(30);
  return { secret, codes };
}

async function signOut(page: Page): Promise<void> {
  await page.goto(`${server.url}/account`);
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.waitForURL("**/signin?notice=signed_out");
}

describe.skipIf(noChromium).each([
  ["with JavaScript", true],
  ["without JavaScript", false],
])("a person with an authenticator app, %s", (_, javaScriptEnabled) => {
  it("sets it up by its key, and signs in with a code, or with a backup code once", async () => {
    await using person = await newPerson(browser, { javaScriptEnabled });
    const { page, complaints } = person;
    await enter(page);
    const { secret, codes } = await addApp(page);
    expect(codes).toHaveLength(10);

    await signOut(page);
    await signIn(page, email);
    expect(await heading(page)).toBe("Confirm that it is you");
    expect(await page.getByLabel("Code").getAttribute("autocomplete")).toBe("one-time-code");
    await page.getByLabel("Code").fill(totpCode(server, secret));
    await page.getByRole("button", { name: "Confirm" }).click();
    await page.waitForURL("**/account");

    const [code = ""] = codes;
    await signOut(page);
    await signIn(page, email);
    await page.getByRole("link", { name: "Backup code" }).click();
    await page.getByLabel("Code").fill(code.toUpperCase());
    await page.getByRole("button", { name: "Confirm" }).click();
    await page.waitForURL("**/account");

    expect(complaints).toEqual([]);
    await signOut(page);
    await signIn(page, email);
    await page.getByRole("link", { name: "Backup code" }).click();
    await page.getByLabel("Code").fill(code);
    await page.getByRole("button", { name: "Confirm" }).click();
    expect(await page.getByRole("alert").innerText()).toContain("This is not right.");
    await page.goto(`${server.url}/account`);
    expect(pathOf(page)).toBe("/signin");
  });

  it("is not asked again on a device that they trust, until they trust it no more", async () => {
    await using person = await newPerson(browser, { javaScriptEnabled });
    const { page, context, complaints } = person;
    await enter(page);
    const { secret } = await addApp(page);
    await signOut(page);
    await signIn(page, email);
    await page.getByLabel("Do not ask again on this device for 30 days").check();
    await page.getByLabel("Code").fill(totpCode(server, secret));
    await page.getByRole("button", { name: "Confirm" }).click();
    await page.waitForURL("**/account");
    const cookie = (await context.cookies()).find(({ name }) => name === "__Host-gw_trusted");
    expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: "Lax" });

    await signOut(page);
    await signIn(page, email);
    await page.waitForURL("**/account");

    await page.getByRole("link", { name: "Security and sign-in" }).click();
    expect(await page.getByRole("region", { name: "Trusted devices" }).innerText()).toContain(
      "(this device)",
    );
    await page.getByRole("button", { name: /^Remove / }).click();
    expect(await page.getByRole("status").innerText()).toBe("It is trusted no more.");
    expect((await context.cookies()).map(({ name }) => name)).not.toContain("__Host-gw_trusted");
    await signOut(page);
    await signIn(page, email);
    expect(await heading(page)).toBe("Confirm that it is you");
    expect(complaints).toEqual([]);
  });

  it("has to set one up to get to the application where everybody has to have one", async () => {
    await using person = await newPerson(browser, { javaScriptEnabled });
    const { page, complaints } = person;
    await page.goto(`${server.url}/signup`);
    await signUp(page, email);
    await server.configure({ mfa_enforcement: "required" });
    await page.goto(application.loginUrl());
    await signIn(page, email);
    expect(await heading(page)).toBe("Protect your account");
    await page.goto(`${server.url}/account`);
    expect(pathOf(page)).toBe("/signin");
    await page.goBack();
    await page.getByRole("link", { name: "Use an authenticator app" }).click();
    await confirmApp(page);
    expect(await keepCodes(page)).toHaveLength(10);
    expect(await shownBy(page, "claims")).toMatchObject({
      id_token: { amr: ["pwd", "otp", "mfa"], acr: "urn:gatewright:acr:2fa" },
    });
    expect(complaints).toEqual([]);
  });

  it("is asked for it by an application that wants two factors, within the session", async () => {
    await using person = await newPerson(browser, { javaScriptEnabled });
    const { page, complaints } = person;
    await enter(page);
    await page.goto(application.loginUrl({ acr_values: "urn:gatewright:acr:2fa" }));
    expect(await page.locator("main").innerText()).toContain("You have no second factor yet");
    await page.getByRole("link", { name: "Use an authenticator app" }).click();
    const secret = await confirmApp(page);
    await keepCodes(page);
    expect(await shownBy(page, "claims")).toMatchObject({ id_token: { acr: "urn:gatewright:acr:2fa" } });

    server.clock.advance(30);
    await signOut(page);
    await signIn(page, email);
    await page.getByLabel("Do not ask again on this device for 30 days").check();
    await page.getByLabel("Code").fill(totpCode(server, secret));
    await page.getByRole("button", { name: "Confirm" }).click();
    await page.waitForURL("**/account");
    await signOut(page);
    await signIn(page, email);
    await page.waitForURL("**/account");

    server.clock.advance(30);
    await page.goto(application.loginUrl({ acr_values: "urn:gatewright:acr:2fa" }));
    expect(await page.locator(".lead").innerText()).toBe("Our App asks you to confirm that it is you.");
    await page.getByLabel("Code").fill(totpCode(server, secret));
    await page.getByRole("button", { name: "Confirm" }).click();
    expect(await shownBy(page, "claims")).toMatchObject({ id_token: { acr: "urn:gatewright:acr:2fa" } });
    expect(complaints).toEqual([]);
  });
});

describe.skipIf(noChromium)("the pages of second factors", () => {
  it("fit a width of 320 px, in English and in German", async () => {
    for (const locale of ["en-GB", "de-DE"]) {
      await using person = await newPerson(browser, { locale: "en-GB" });
      await enter(person.page);
      await addApp(person.page);
      const cookies = await person.context.storageState();
      const viewport = { width: 320, height: 640 };
      await using narrow = await newPerson(browser, { locale, viewport, storageState: cookies });
      const { page } = narrow;
      for (const path of [
        "",
        "/totp/new",
        "/passkeys/new",
        "/password",
        "/email",
        "/backup-codes",
        "/delete",
      ]) {
        await page.goto(`${server.url}/account/security${path}`);
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        expect([path, width]).toEqual([path, 320]);
      }
      server.clock.advance(16 * 60);
      await page.goto(`${server.url}/account/security/email`);
      expect(pathOf(page)).toBe("/signin/step-up");
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
      email = `bob-${Bun.randomUUIDv7().slice(-10)}@example.com`;
    }
  });

  it("can be used with the keyboard alone", async () => {
    await using person = await newPerson(browser);
    const { page, complaints } = person;
    await enter(page);
    const { secret } = await addApp(page);
    await signOut(page);
    await type(page, email);
    await page.keyboard.press("Tab");
    await type(page, PASSWORD);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/signin/verify");
    await type(page, totpCode(server, secret));
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/account");
    expect(complaints).toEqual([]);
  });
});
