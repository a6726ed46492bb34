/** Passkeys, as a person with an authenticator meets them. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, setDefaultTimeout } from "bun:test";
import { eq } from "drizzle-orm";
import type { Browser, Page } from "playwright-core";
import { auditEvents } from "../../src/db/schema/index.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { addAuthenticator } from "./authenticator.ts";
import { heading, launchChromium, newPerson, noChromium, pathOf, signIn, signUp } from "./support.ts";

// A browser on a busy machine takes its time; what is awaited inside has deadlines of its own.
setDefaultTimeout(60_000);

let server: TestServer;
let browser: Browser;
let email: string;

beforeAll(async () => {
  if (noChromium) return;
  server = await startTestServer();
  browser = await launchChromium();
});
afterAll(async () => {
  if (noChromium) return;
  await browser.close();
  await server.stop();
});
beforeEach(() => {
  email = `ada-${Bun.randomUUIDv7().slice(-10)}@example.com`;
  server?.clock.advance(1);
});

/** Makes an account with a password, and signs in to it. */
async function enter(page: Page): Promise<void> {
  await page.goto(`${server.url}/signup`);
  await signUp(page, email);
  await page.getByRole("link", { name: "Back to sign in" }).click();
  await signIn(page, email);
  await page.waitForURL("**/account");
}

async function addPasskey(page: Page, name: string): Promise<void> {
  await page.goto(`${server.url}/account/security`);
  await page.getByRole("link", { name: "Add a passkey" }).click();
  await page.getByLabel("Name of this device or key").fill(name);
  await page.getByRole("button", { name: "Create a passkey" }).click();
  await page.getByRole("heading", { name: "Keep your backup codes" }).waitFor();
  await page.getByRole("link", { name: "I have kept them: continue" }).click();
  await page.getByText(name, { exact: true }).waitFor();
}

async function signOut(page: Page): Promise<void> {
  await page.goto(`${server.url}/account`);
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.waitForURL("**/signin?notice=signed_out");
}

/** A browser that knows passkeys and offers none by itself, so that it is the button that is tested. */
async function withoutAutofill(page: Page): Promise<void> {
  await page.addInitScript(() => {
    PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false);
  });
}

describe.skipIf(noChromium)("a person with a passkey", () => {
  it("registers it, and signs in by what the browser offers, without typing a name", async () => {
    await using person = await newPerson(browser);
    const { page, complaints } = person;
    const authenticator = await addAuthenticator(page);
    await enter(page);
    await addPasskey(page, "My laptop");
    expect(await authenticator.credentials()).toHaveLength(1);

    await authenticator.answer(false);
    await signOut(page);
    expect(await page.getByLabel("Email address or username").inputValue()).toBe("");
    // Whoever chooses what is offered touches the authenticator.
    await page.goto("about:blank");
    await authenticator.answer(true);
    await page.goto(`${server.url}/signin`, { waitUntil: "commit" });
    await page.waitForURL("**/account");
    expect(await page.locator("main").innerText()).toContain(email);
    expect(complaints).toEqual([]);
  });

  it("signs in by the button", async () => {
    await using person = await newPerson(browser);
    const { page, complaints } = person;
    await addAuthenticator(page);
    await withoutAutofill(page);
    await enter(page);
    await addPasskey(page, "My laptop");
    await signOut(page);
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.waitForURL("**/account");
    expect(complaints).toEqual([]);
  });

  it("uses it as a second factor, and removes it", async () => {
    await using person = await newPerson(browser);
    const { page, complaints } = person;
    const authenticator = await addAuthenticator(page);
    await enter(page);
    await addPasskey(page, "My key");
    await authenticator.answer(false);
    await signOut(page);
    await signIn(page, email);
    expect(await heading(page)).toBe("Confirm that it is you");
    expect(pathOf(page)).toBe("/signin/verify");
    await authenticator.answer(true);
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await page.waitForURL("**/account");

    await page.getByRole("link", { name: "Security and sign-in" }).click();
    await page.getByRole("link", { name: "Manage My key" }).click();
    await page.getByRole("button", { name: "Remove" }).click();
    expect(await page.getByRole("status").innerText()).toBe("It is removed.");
    expect(await page.locator("main").innerText()).toContain("You have no passkey.");
    await authenticator.answer(false);
    await signOut(page);
    await signIn(page, email);
    await page.waitForURL("**/account");
    expect(complaints).toEqual([]);
  });

  it("proves with it who they are before a stale session changes anything, and comes back to what they were at", async () => {
    await using person = await newPerson(browser);
    const { page, complaints } = person;
    await addAuthenticator(page);
    await enter(page);
    await addPasskey(page, "My laptop");
    server.clock.advance(16 * 60);
    await page.goto(`${server.url}/account/security`);
    await page.getByRole("link", { name: "Change email address" }).click();
    expect(pathOf(page)).toBe("/signin/step-up");
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await page.waitForURL("**/account/security/email");
    expect(complaints).toEqual([]);
  });

  it("signs up with it and has no password", async () => {
    await using person = await newPerson(browser);
    const { page, complaints } = person;
    const authenticator = await addAuthenticator(page);
    await page.goto(`${server.url}/signup`);
    await page.getByRole("link", { name: "Create an account with a passkey" }).click();
    await page.getByLabel("Email address").fill(email);
    await page.getByLabel("Username").fill(email.split("@")[0] ?? "");
    await page.getByRole("button", { name: "Continue with a passkey" }).click();
    await page.getByRole("button", { name: "Create a passkey" }).click();
    await page.getByRole("heading", { name: "Check your mail" }).waitFor();
    const [credential] = await authenticator.credentials();
    expect(credential?.isResidentCredential).toBe(true);
    await page.getByRole("link", { name: "Back to sign in" }).click();
    await page.waitForURL("**/account");
    await page.getByRole("link", { name: "Security and sign-in" }).click();
    expect(await page.locator("main").innerText()).toContain("You have no password");
    expect(complaints).toEqual([]);
  });
});

describe.skipIf(noChromium)("WebAuthn Level 3 §6.1.1: a cloned authenticator", () => {
  it("is refused when its counter goes back, and noted", async () => {
    await using person = await newPerson(browser);
    const { page } = person;
    const authenticator = await addAuthenticator(page);
    await withoutAutofill(page);
    await enter(page);
    await addPasskey(page, "Cloned");
    const [copy] = await authenticator.credentials();
    if (!copy) throw new Error("the authenticator has no credential");
    await signOut(page);
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.waitForURL("**/account");
    await signOut(page);

    await authenticator.replace({ ...copy, signCount: 0 });
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("alert").getByText("This passkey was not accepted.").waitFor();
    await page.goto(`${server.url}/account`);
    expect(pathOf(page)).toBe("/signin");
    const noted = eq(auditEvents.type, "mfa.counter_regressed");
    expect(await server.deps.db.$count(auditEvents, noted)).toBe(1);
  });
});

describe.skipIf(noChromium)("a browser without passkeys", () => {
  it("is offered none, and signs in as ever", async () => {
    await using person = await newPerson(browser, { javaScriptEnabled: false });
    const { page, complaints } = person;
    await enter(page);
    await page.goto(`${server.url}/signin?again=true`);
    expect(await page.getByRole("button", { name: "Sign in with a passkey" }).isVisible()).toBe(false);
    await page.goto(`${server.url}/account/security/passkeys/new`);
    expect(await page.locator("main").innerText()).toContain("Passkeys need JavaScript");
    expect(complaints).toEqual([]);
  });
});
