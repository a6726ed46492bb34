/** What holds for every page: no complaint of the browser, nothing from elsewhere, the person's language, any width. */
import { afterAll, beforeAll, describe, expect, it, setDefaultTimeout } from "bun:test";
import type { Browser } from "playwright-core";
import { administrator, startTestServer, type TestServer } from "../support/server.ts";
import { waitForMail } from "../support/mailbox.ts";
import { heading, launchChromium, newPerson, noChromium, PASSWORD, signIn } from "./support.ts";

// A browser on a busy machine takes its time; what is awaited inside has deadlines of its own.
setDefaultTimeout(60_000);

let server: TestServer;
let browser: Browser;

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

const PAGES = ["/", "/signin", "/signup", "/recover", "/dev/mailbox", "/docs"];

describe.skipIf(noChromium)("every page", () => {
  it.each(PAGES)("%s loads without a complaint and entirely from us", async (path) => {
    await using person = await newPerson(browser);
    const { page, complaints } = person;
    const response = await page.goto(server.url + path, {
      waitUntil: path === "/docs" ? "networkidle" : "load",
    });
    expect(response?.status()).toBe(200);
    expect(response?.headers()["content-security-policy"]).toContain("default-src 'none'");
    // Browsers look for /favicon.ico otherwise, which is not there.
    expect(await page.locator('link[rel="icon"]').count()).toBe(1);
    expect(complaints).toEqual([]);
  });

  it.each(PAGES.filter((path) => path !== "/docs"))("%s fits a width of 320 px", async (path) => {
    await using person = await newPerson(browser, { viewport: { width: 320, height: 640 } });
    const { page } = person;
    await page.goto(server.url + path);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  });

  it("tells a person of an address that is not there, with a request id", async () => {
    await using person = await newPerson(browser);
    const { page } = person;
    const response = await page.goto(`${server.url}/nowhere`);
    expect(response?.status()).toBe(404);
    expect(await heading(page)).toBe("Page not found");
    expect(await page.locator("main").innerText()).toContain(response?.headers()["x-request-id"] ?? "no id");
  });
});

describe.skipIf(noChromium)("the API's description at /docs", () => {
  it("lists the endpoints and opens one", async () => {
    await using person = await newPerson(browser);
    const { page, complaints } = person;
    await page.goto(`${server.url}/docs`);
    const token = page.locator(".opblock", { hasText: "/oauth/token" });
    // The page holds the operations that are in sight, and no others.
    await page.locator(".opblock").first().waitFor();
    const deadline = Date.now() + 20_000;
    while ((await token.count()) === 0 && Date.now() < deadline) {
      await page.mouse.wheel(0, 300);
      for (let frame = 0; frame < 3; frame++)
        await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    }
    await token.locator(".opblock-summary-control").first().click();
    await token.locator(".opblock-body").waitFor();
    expect(complaints).toEqual([]);
  });
});

describe.skipIf(noChromium)("Accept-Language: de", () => {
  it("has pages and mail in German", async () => {
    await using person = await newPerson(browser, { locale: "de-DE" });
    const { page, complaints } = person;
    await page.goto(`${server.url}/signin`);
    expect(await page.locator("html").getAttribute("lang")).toBe("de");
    expect(await heading(page)).toBe("Anmelden");
    await page.getByRole("link", { name: "Konto anlegen" }).click();
    await page.getByLabel("E-Mail-Adresse").fill("lotte@example.com");
    await page.getByLabel("Benutzername").fill("lotte");
    await page.getByLabel("Passwort").fill(PASSWORD);
    await page.getByRole("button", { name: "Konto anlegen" }).click();
    expect(await heading(page)).toBe("Sehen Sie in Ihr Postfach");
    expect((await waitForMail(server, "lotte@example.com")).text).toContain("bestätig");
    expect(complaints).toEqual([]);
  });

  it("tells what is wrong with a form in German, too", async () => {
    await using person = await newPerson(browser, { locale: "de-DE" });
    const { page } = person;
    await page.goto(`${server.url}/signup`);
    await page.getByLabel("E-Mail-Adresse").fill("karl@example.com");
    await page.getByLabel("Benutzername").fill("k");
    await page.getByLabel("Passwort").fill(PASSWORD);
    await page.getByRole("button", { name: "Konto anlegen" }).click();
    const alert = await page.getByRole("alert").innerText();
    expect(alert).toContain("Benutzername");
    expect(alert).not.toMatch(/must be|between|characters/i);
  });
});

describe.skipIf(noChromium)("the account page", () => {
  it("shows who is signed in, and sends a confirmation link", async () => {
    await using person = await newPerson(browser);
    const { page, complaints } = person;
    await page.goto(`${server.url}/signin`);
    await signIn(page, administrator.email, administrator.password);
    expect(await heading(page)).toBe("Your account");
    expect(await page.locator("main").innerText()).toContain(administrator.email);
    await page.goto(`${server.url}/`);
    expect(new URL(page.url()).pathname).toBe("/account");
    expect(complaints).toEqual([]);
  });
});
