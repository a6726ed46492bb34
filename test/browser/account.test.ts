import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { addUser } from "../conformance/support.ts";
import { startRelyingParty } from "../support/relying-party.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { heading, launchChromium, newPerson, noChromium, pathOf, signIn } from "./support.ts";

describe.skipIf(noChromium)("the account page in a browser", () => {
  let server: TestServer;
  let browser: Browser;
  beforeAll(async () => {
    server = await startTestServer();
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** Chromium without a window calls itself something else. */
  const userAgent =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

  async function open(page: Page, username: string): Promise<void> {
    await page.goto(`${server.url}/signin`);
    await signIn(page, username);
    await page.getByRole("heading", { level: 1, name: "Your account" }).waitFor();
  }

  /** Presses Tab until this element has the focus. */
  async function tabTo(page: Page, name: string): Promise<void> {
    for (let presses = 0; presses < 30; presses++) {
      await page.keyboard.press("Tab");
      const focused = await page.evaluate(
        () => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent,
      );
      if (focused?.trim() === name) return;
    }
    throw new Error(`Tab does not lead to ${name}`);
  }

  it("shows where the person is signed in, and signs another device out by keyboard alone", async () => {
    await addUser(server, "keyboard");
    await using here = await newPerson(browser, { userAgent });
    await using there = await newPerson(browser, { userAgent });
    await open(there.page, "keyboard");
    await open(here.page, "keyboard");
    const sessions = here.page.getByRole("region", { name: "Where you are signed in" });
    expect(await sessions.getByRole("listitem").count()).toBe(2);
    expect(await sessions.getByText("this device").count()).toBe(1);
    expect(await sessions.getByText("Chrome on Linux").count()).toBe(2);

    await tabTo(here.page, "Sign out Chrome on Linux");
    await here.page.keyboard.press("Enter");
    await here.page.getByRole("status").getByText("That device is signed out.").waitFor();
    expect(await sessions.getByRole("listitem").count()).toBe(1);
    await there.page.reload();
    expect(pathOf(there.page)).toBe("/signin");
    expect([...here.complaints, ...there.complaints]).toEqual([]);
  });

  it("shows connected applications, and takes their access back", async () => {
    await addUser(server, "grantor");
    const app = await startRelyingParty(server.url, (redirectUri) =>
      server.createClient({ name: "Calendar", redirectUris: [redirectUri], firstParty: false }),
    );
    await using person = await newPerson(browser);
    const { page } = person;
    await page.goto(app.loginUrl());
    await signIn(page, "grantor");
    await page.getByRole("button", { name: "Allow" }).click();
    await page.locator("#claims").waitFor();
    await page.goto(`${server.url}/account`);
    const grants = page.getByRole("region", { name: "Connected applications" });
    await grants.getByText("Calendar").first().waitFor();
    await grants.getByRole("button", { name: "Remove access: Calendar" }).click();
    await page.getByRole("status").getByText("The application has no access any more.").waitFor();
    await grants.getByText("No application has access to your account.").waitFor();
    await page.goto(app.loginUrl());
    expect(pathOf(page)).toBe("/oauth/consent");
    expect(person.complaints).toEqual([]);
    await app.stop();
  });

  it("signs out by the application, which gets its person back, under the page's policy", async () => {
    await addUser(server, "leaver");
    let clientId = "";
    let back = "";
    const app = await startRelyingParty(server.url, async (redirectUri) => {
      back = new URL("/", redirectUri).href;
      const registered = await server.createClient({
        name: "Calendar",
        redirectUris: [redirectUri],
        postLogoutRedirectUris: [back],
      });
      clientId = registered.client.clientId;
      return registered;
    });
    await using person = await newPerson(browser);
    const { page } = person;
    await page.goto(app.loginUrl());
    await signIn(page, "leaver");
    await page.locator("#claims").waitFor();
    const query = new URLSearchParams({ client_id: clientId, post_logout_redirect_uri: back });
    await page.goto(`${server.url}/oauth/logout?${query}`);
    expect(await heading(page)).toBe("Sign out");
    await page.getByText("leaver@example.com").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(back);
    await page.goto(`${server.url}/account`);
    expect(pathOf(page)).toBe("/signin");
    expect(person.complaints).toEqual([]);
    await app.stop();
  });
});
