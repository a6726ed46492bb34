/** API keys and impersonation, as people see them. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { caller, newAdministrator } from "../api/native/admin/support.ts";
import { register } from "../attacks/support.ts";
import { addUser } from "../conformance/support.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { launchChromium, newPerson, noChromium, pathOf, signIn } from "./support.ts";

const arrive = (page: Page, name: string) => page.getByRole("heading", { level: 1, name }).waitFor();

describe.skipIf(noChromium)("in a browser", () => {
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

  it("a person makes an API key, which is shown once, and revokes it", async () => {
    await addUser(server, "keeper");
    await using here = await newPerson(browser);
    const { page } = here;
    await page.goto(`${server.url}/signin`);
    await signIn(page, "keeper");
    await arrive(page, "Your account");
    await page.goto(`${server.url}/account/security`);
    const keys = page.getByRole("region", { name: "API keys" });
    expect(await keys.getByText("You have no API keys.").count()).toBe(1);
    await keys.getByRole("link", { name: "Make an API key" }).click();
    await arrive(page, "Make an API key");
    await page.getByLabel("Name").fill("Backup script");
    await page.getByLabel("Days until it ends").fill("1000");
    await page.getByRole("button", { name: "Make the key" }).click();
    await page.getByText("Must be between 1 and 365.").first().waitFor();
    expect(await page.getByLabel("Name").inputValue()).toBe("Backup script");
    await page.getByLabel("Days until it ends").fill("30");
    await page.getByRole("button", { name: "Make the key" }).click();
    await arrive(page, "Your new API key");
    const token = (await page.getByLabel("API key").textContent())?.trim() ?? "";
    const me = () => fetch(`${server.url}/me`, { headers: { authorization: `Bearer ${token}` } });
    expect((await me()).status).toBe(200);
    await page.getByRole("link", { name: "I have copied it" }).click();
    await arrive(page, "Security");
    expect(await page.content()).not.toContain(token);
    await keys.getByRole("button", { name: "Revoke the API key Backup script" }).click();
    await page.getByText("The API key was revoked.").waitFor();
    expect((await me()).status).toBe(401);
    // Of the form that was filled in wrongly.
    expect(here.complaints.filter((text) => !text.includes("status of 400"))).toEqual([]);
  });

  it("an administrator who is signed in as a user sees so on every page, and ends it", async () => {
    await server.configure({ impersonation_enabled: true });
    const admin = await newAdministrator(server, { tenant: server.tenant, base: server.url });
    const user = await register(server.url);
    const call = caller(server.url, admin.token);
    const made = await call<{ url: string }>("POST", `/users/${user.id}/impersonate`, {
      reason: "Ticket 4711",
    });
    await using here = await newPerson(browser);
    const { page } = here;
    await page.goto(made.body.url);
    await arrive(page, "Sign in as somebody else");
    await page.getByRole("button", { name: "Sign in as this user" }).click();
    await arrive(page, "Your account");
    const banner = page.getByText(`You are signed in as ${user.email} on behalf of ${admin.person.email}.`);
    expect(await banner.isVisible()).toBe(true);
    await page.goto(`${server.url}/account/security`);
    expect(await banner.isVisible()).toBe(true);
    await page.getByRole("button", { name: "End" }).click();
    await page.getByText("This sign-in is over.").waitFor();
    expect(await banner.count()).toBe(0);
    await page.goto(`${server.url}/account`);
    expect(pathOf(page)).toBe("/signin");
    expect(here.complaints).toEqual([]);
  });
});
