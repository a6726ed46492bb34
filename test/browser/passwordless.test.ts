/** Signing in without a password, on one device and across two. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, setDefaultTimeout } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { linkIn, waitForMail } from "../support/mailbox.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { heading, launchChromium, newPerson, noChromium, pathOf, signUp } from "./support.ts";

// A browser on a busy machine takes its time; what is awaited inside has deadlines of its own.
setDefaultTimeout(60_000);

let server: TestServer;
let browser: Browser;
let email: string;

beforeAll(async () => {
  if (noChromium) return;
  server = await startTestServer();
  await server.configure({ magic_link_enabled: true, email_code_enabled: true });
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

/** Makes an account, and confirms its address. */
async function register(page: Page): Promise<void> {
  await page.goto(`${server.url}/signup`);
  await signUp(page, email);
  const mail = await waitForMail(server, email, ({ text }) => text.includes("/verify-email"));
  await page.goto(linkIn(mail));
  await page.getByRole("button", { name: "Confirm address" }).click();
  await page.waitForURL("**/signin?notice=email_verified**");
}

async function askForLink(page: Page): Promise<string> {
  await page.goto(`${server.url}/signin`);
  await page.getByRole("link", { name: "Sign in with a link" }).click();
  await page.getByLabel("Email address").fill(email);
  await page.getByRole("button", { name: "Send link" }).click();
  await page.getByRole("heading", { name: "Check your mail" }).waitFor();
  return linkIn(await waitForMail(server, email, ({ text }) => text.includes("/signin/link")));
}

describe.skipIf(noChromium)("a sign-in link", () => {
  it("opened on another device signs in the browser that asked for it, and not the other", async () => {
    await using laptop = await newPerson(browser);
    await using phone = await newPerson(browser, { viewport: { width: 360, height: 700 } });
    await register(laptop.page);
    const link = await askForLink(laptop.page);
    const number = await laptop.page.locator("main strong").last().innerText();

    await phone.page.goto(link);
    expect(await heading(phone.page)).toBe("Confirm the sign-in");
    expect(await phone.page.locator(".facts").innerText()).toContain(number);
    await phone.page.getByRole("button", { name: "Confirm" }).click();
    expect(await heading(phone.page)).toBe("Confirmed");
    await phone.page.goto(`${server.url}/account`);
    expect(pathOf(phone.page)).toBe("/signin");

    await laptop.page.waitForURL("**/account");
    expect(await laptop.page.locator("main").innerText()).toContain(email);
    expect([...laptop.complaints, ...phone.complaints]).toEqual([]);
  });

  it("opened in the same browser signs in there", async () => {
    await using person = await newPerson(browser);
    const { page, context, complaints } = person;
    await register(page);
    const link = await askForLink(page);
    const tab = await context.newPage();
    await tab.goto(link);
    await tab.getByRole("button", { name: "Sign in", exact: true }).click();
    await tab.waitForURL("**/account");
    expect(complaints).toEqual([]);
  });
});

describe.skipIf(noChromium)("a mailed code", () => {
  it("signs in without a password", async () => {
    await using person = await newPerson(browser);
    const { page, complaints } = person;
    await register(page);
    await page.goto(`${server.url}/signin`);
    await page.getByRole("link", { name: "Sign in with a code" }).click();
    await page.getByLabel("Email address").fill(email);
    await page.getByRole("button", { name: "Send code" }).click();
    const mail = await waitForMail(server, email, ({ text }) => /\b\d{3} ?\d{3}\b/.test(text));
    const code = /\b(\d{3}) ?(\d{3})\b/.exec(mail.text)?.slice(1).join("") ?? "";
    const field = page.getByLabel("Code");
    expect(await field.getAttribute("autocomplete")).toBe("one-time-code");
    await field.fill(code);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.waitForURL("**/account");
    expect(complaints).toEqual([]);
  });
});
