/** Debian's Chromium, and what every test of pages holds: nothing is complained of, and nothing leaves this machine. */
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import { testChromium } from "../support/environment.ts";
import { linkIn, type Mail, waitForMail } from "../support/mailbox.ts";
import type { TestServer } from "../support/server.ts";

if (!testChromium) console.log("skipped: tests in a browser, because TEST_CHROMIUM is not set");

/** For `describe.skipIf`. */
export const noChromium = !testChromium;

export const PASSWORD = "C0rrect-Horse!";

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    ...(testChromium ? { executablePath: testChromium } : {}),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A browser of one person, with a profile of its own. */
export interface Person extends AsyncDisposable {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What pages logged as errors (violations of their policy among it), scripts threw, and requests elsewhere. */
  readonly complaints: string[];
}

export async function newPerson(browser: Browser, options: BrowserContextOptions = {}): Promise<Person> {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  context.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  context.on("console", (message) => {
    const path = URL.parse(message.location().url)?.pathname ?? "";
    if (message.type() === "error" || message.type() === "warning")
      complaints.push(`${path}: ${message.text()}`);
  });
  context.on("weberror", (error) => complaints.push(String(error.error())));
  context.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol.startsWith("http") && hostname !== "localhost")
      complaints.push(`request to ${request.url()}`);
  });
  return {
    context,
    page: await context.newPage(),
    complaints,
    [Symbol.asyncDispose]: () => context.close(),
  };
}

export const heading = (page: Page) => page.getByRole("heading", { level: 1 }).innerText();

export const pathOf = (page: Page) => new URL(page.url()).pathname;

/** Fills in the sign-up page that the browser is at. The username is what stands before the address's @. */
export async function signUp(page: Page, email: string, password = PASSWORD): Promise<void> {
  await page.getByLabel("First name").fill("Ada");
  await page.getByLabel("Last name").fill("Lovelace");
  await page.getByLabel("Email address").fill(email);
  await page.getByLabel("Username").fill(email.split("@")[0] ?? "");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Create account" }).click();
  // Whoever leaves before the answer may have no account yet, or none at all.
  await page.getByRole("link", { name: "Back to sign in" }).waitFor();
}

/** Types into what has the focus: that of a page that was opened just now may still be on its way. */
export async function type(page: Page, text: string): Promise<void> {
  await page.locator("input:focus").waitFor();
  await page.keyboard.type(text);
}

/** Fills in the sign-in page that the browser is at. */
export async function signIn(page: Page, identifier: string, password = PASSWORD): Promise<void> {
  await page.getByLabel("Email address or username").fill(identifier);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** Opens the mailbox in a tab of its own, and there the newest mail to this address that says `words`. */
export async function openMail(server: TestServer, context: BrowserContext, to: string, words: string) {
  const mail: Mail = await waitForMail(server, to, ({ text }) => text.includes(words));
  const tab = await context.newPage();
  await tab.goto(`${server.url}/dev/mailbox`);
  await tab.locator(`.message-list a[href$="${mail.id}"]`).click();
  await tab.getByRole("heading", { name: mail.subject }).waitFor();
  return { tab, link: linkIn(mail), mail };
}

/** What the relying party shows on the page that the browser came back to. */
export async function shownBy(page: Page, id: "claims" | "error"): Promise<Record<string, unknown>> {
  return JSON.parse(await page.locator(`#${id}`).innerText());
}
