/** From an application that speaks SAML, over the hosted pages, and back: as a person does it. */
import { afterAll, beforeAll, describe, expect, it, setDefaultTimeout } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { addUser } from "../conformance/support.ts";
import { type SamlApplication, startSamlApplication } from "../support/saml-application.ts";
import { realTime } from "../support/saml-service-provider.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { heading, launchChromium, newPerson, noChromium, pathOf, PASSWORD, signIn } from "./support.ts";

// A browser on a busy machine takes its time; what is awaited inside has deadlines of its own.
setDefaultTimeout(60_000);

let server: TestServer;
let browser: Browser;
let expenses: SamlApplication;
let travel: SamlApplication;

beforeAll(async () => {
  if (noChromium) return;
  server = await startTestServer({ clock: realTime });
  browser = await launchChromium();
  await addUser(server, "ada");
  expenses = await startSamlApplication(server, {
    name: "Expenses",
    name_id_format: "emailAddress",
    encrypt_assertion: true,
    allow_idp_initiated: true,
    default_relay_state: "start page",
    attributes: [{ name: "displayName", value: "{{ user.name }}" }],
  });
  travel = await startSamlApplication(server, { name: "Travel" });
});
afterAll(async () => {
  if (noChromium) return;
  await browser.close();
  await expenses.stop();
  await travel.stop();
  await server.stop();
});

const shownAt = async (page: Page, id: "claims" | "bye"): Promise<Record<string, unknown>> =>
  JSON.parse(await page.locator(`#${id}`).innerText());

describe.skipIf(noChromium)("a person", () => {
  it("signs in to an application, is signed in to the next one, and signs out of all", async () => {
    await using person = await newPerson(browser);
    const { page, complaints } = person;
    await page.goto(`${expenses.url}/login`);
    expect(await heading(page)).toBe("Sign in");
    expect(await page.locator(".lead").innerText()).toBe("to continue to Expenses");
    await signIn(page, "ada", PASSWORD);
    expect(await shownAt(page, "claims")).toMatchObject({
      nameID: "ada@example.com",
      displayName: "Ada Lovelace",
      relay_state: "deep-link",
    });

    // By a form from elsewhere, with which no cookie comes: nobody is asked again for all that.
    await page.goto(`${travel.url}/login-post`);
    await page.getByRole("button", { name: "Go" }).click();
    expect(await shownAt(page, "claims")).toMatchObject({
      nameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    });

    // By way of the other application, which sends the browser on.
    await page.goto(`${expenses.url}/logout`);
    expect(await shownAt(page, "bye")).toEqual({ bye: true });
    expect(new URL(page.url()).origin).toBe(expenses.url);
    await page.goto(`${travel.url}/logout`);
    expect(await page.locator("body").innerText()).toBe("nobody");
    await page.goto(`${server.url}/account`);
    expect(pathOf(page)).toBe("/signin");
    // The 404 of the application, which is signed out.
    expect(complaints.filter((complaint) => !complaint.includes("404"))).toEqual([]);
  });

  it("begins here, and signs out here", async () => {
    await using person = await newPerson(browser);
    const { page, complaints } = person;
    await page.goto(`${server.url}/saml/${expenses.sp.client.id}/launch`);
    expect(await page.locator(".lead").innerText()).toBe("to continue to Expenses");
    await signIn(page, "ada", PASSWORD);
    expect(await shownAt(page, "claims")).toMatchObject({ relay_state: "start page" });
    await page.goto(`${server.url}/account`);
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.waitForURL(`${server.url}/signin?notice=signed_out`);
    expect(complaints).toEqual([]);
  });

  it("without JavaScript goes on by the button", async () => {
    await using person = await newPerson(browser, { javaScriptEnabled: false });
    const { page, complaints } = person;
    await page.goto(`${travel.url}/login`);
    await signIn(page, "ada", PASSWORD);
    expect(await heading(page)).toBe("Returning to the application");
    await page.getByRole("button", { name: "Continue" }).click();
    expect(await shownAt(page, "claims")).toMatchObject({ relay_state: "deep-link" });
    expect(complaints).toEqual([]);
  });
});
