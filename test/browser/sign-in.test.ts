/** From an application, over the hosted pages, and back: as a person does it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, setDefaultTimeout } from "bun:test";
import type { Browser } from "playwright-core";
import { type RelyingParty, startRelyingParty } from "../support/relying-party.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import {
  heading,
  launchChromium,
  newPerson,
  noChromium,
  openMail,
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
let ours: RelyingParty;
let thirdParty: RelyingParty;
let email: string;

beforeAll(async () => {
  if (noChromium) return;
  server = await startTestServer();
  browser = await launchChromium();
  const register = (input: { name: string; firstParty: boolean }) =>
    startRelyingParty(server.url, (redirectUri) =>
      server.createClient({ ...input, redirectUris: [redirectUri] }),
    );
  ours = await register({ name: "Our App", firstParty: true });
  thirdParty = await register({ name: "Third Party", firstParty: false });
});
afterAll(async () => {
  if (noChromium) return;
  await browser.close();
  await ours.stop();
  await thirdParty.stop();
  await server.stop();
});
beforeEach(() => {
  email = `ada-${Bun.randomUUIDv7().slice(-10)}@example.com`;
  server?.clock.advance(1);
});

const claims = () => ({
  method: "GET",
  id_token: expect.objectContaining({ iss: server.url, email, email_verified: true, amr: ["pwd"] }),
  userinfo: expect.objectContaining({ email, email_verified: true, name: "Ada Lovelace" }),
});

describe.skipIf(noChromium).each([
  ["with JavaScript", true],
  ["without JavaScript", false],
])("a person %s", (_, javaScriptEnabled) => {
  it("signs up, confirms the address by mail, signs in and lands back at the application", async () => {
    await using person = await newPerson(browser, { javaScriptEnabled });
    const { page, context, complaints } = person;
    await page.goto(ours.url);
    await page.getByRole("link", { name: "Sign in" }).click();
    expect(await heading(page)).toBe("Sign in");
    expect(await page.locator(".lead").innerText()).toBe("to continue to Our App");

    await page.getByRole("link", { name: "Create one" }).click();
    await signUp(page, email);
    expect(await heading(page)).toBe("Check your mail");
    expect(await page.locator("main").innerText()).toContain(email);

    const { tab } = await openMail(server, context, email, "/verify-email");
    await tab.locator("pre a").click();
    expect(await heading(tab)).toBe("Confirm your email address");
    await tab.getByRole("button", { name: "Confirm address" }).click();
    expect(await tab.getByRole("status").innerText()).toContain("Your email address is confirmed");

    await page.getByRole("link", { name: "Back to sign in" }).click();
    await signIn(page, email);
    expect(await shownBy(page, "claims")).toEqual(claims());
    expect(page.url()).toStartWith(ours.redirectUri);
    expect(complaints).toEqual([]);
  });

  it("chooses a new password by mail, which ends every other session", async () => {
    await using other = await newPerson(browser, { javaScriptEnabled });
    await other.page.goto(`${server.url}/signup`);
    await signUp(other.page, email);
    await other.page.getByRole("link", { name: "Back to sign in" }).click();
    await signIn(other.page, email);
    expect(pathOf(other.page)).toBe("/account");

    await using person = await newPerson(browser, { javaScriptEnabled });
    const { page, context } = person;
    await page.goto(`${server.url}/signin`);
    await page.getByRole("link", { name: "Forgot your password?" }).click();
    await page.getByLabel("Email address").fill(email);
    await page.getByRole("button", { name: "Send link" }).click();
    expect(await heading(page)).toBe("Check your mail");

    const { tab, link } = await openMail(server, context, email, "/reset-password");
    const opened = context.waitForEvent("page");
    await tab.frameLocator("iframe").locator(`a[href="${link}"]`).first().click();
    const reset = await opened;
    expect(await heading(reset)).toBe("Choose a new password");
    await reset.getByLabel("New password").fill("An0ther-Horse!");
    await reset.getByRole("button", { name: "Change password" }).click();
    expect(await reset.getByRole("status").innerText()).toContain("Your password is changed");

    await other.page.reload();
    expect(pathOf(other.page)).toBe("/signin");
    await signIn(reset, email, "An0ther-Horse!");
    expect(pathOf(reset)).toBe("/account");
    expect([...person.complaints, ...other.complaints]).toEqual([]);
  });

  it("comes back by response_mode=form_post", async () => {
    await using person = await newPerson(browser, { javaScriptEnabled });
    const { page, complaints } = person;
    await page.goto(`${server.url}/signup`);
    await signUp(page, email);
    await page.goto(ours.loginUrl({ response_mode: "form_post" }));
    await signIn(page, email);
    if (!javaScriptEnabled) await page.getByRole("button", { name: "Continue" }).click();
    const shown = await shownBy(page, "claims");
    expect(shown).toMatchObject({ method: "POST", userinfo: { email, email_verified: false } });
    expect(page.url()).toBe(ours.redirectUri);
    expect(complaints).toEqual([]);
  });

  it("is asked by an application that is not ours, once when allowing and each time when denying", async () => {
    await using person = await newPerson(browser, { javaScriptEnabled });
    const { page, complaints } = person;
    await page.goto(thirdParty.loginUrl({ prompt: "create" }));
    await signUp(page, email);
    await page.getByRole("link", { name: "Back to sign in" }).click();
    await signIn(page, email);
    expect(await heading(page)).toContain("Third Party asks for access");
    await page.getByRole("button", { name: "Deny" }).click();
    expect(await shownBy(page, "error")).toMatchObject({ error: "access_denied", iss: server.url });

    await page.goto(thirdParty.loginUrl());
    await page.getByRole("button", { name: "Allow" }).click();
    expect(await shownBy(page, "claims")).toMatchObject({ userinfo: { email } });
    await page.goto(thirdParty.loginUrl());
    expect(await shownBy(page, "claims")).toMatchObject({ userinfo: { email } });
    expect(complaints).toEqual([]);
  });

  it("signs out", async () => {
    await using person = await newPerson(browser, { javaScriptEnabled });
    const { page, context, complaints } = person;
    await page.goto(`${server.url}/signup`);
    await signUp(page, email);
    await page.getByRole("link", { name: "Back to sign in" }).click();
    await signIn(page, email);
    await page.getByRole("button", { name: "Sign out" }).click();
    expect(await page.getByRole("status").innerText()).toBe("You are signed out.");
    expect((await context.cookies()).map(({ name }) => name)).toEqual(["__Host-gw_browser"]);
    await page.goto(`${server.url}/account`);
    expect(pathOf(page)).toBe("/signin");
    await page.goto(ours.loginUrl({ prompt: "none" }));
    expect(await shownBy(page, "error")).toMatchObject({ error: "login_required" });
    expect(complaints).toEqual([]);
  });
});

describe.skipIf(noChromium)("the sign-in page", () => {
  it("says that the password is wrong, keeps the identifier, and goes on to the application", async () => {
    await using person = await newPerson(browser);
    const { page, complaints } = person;
    await page.goto(`${server.url}/signup`);
    await signUp(page, email);
    await page.goto(ours.loginUrl());
    await signIn(page, email, "Wr0ng-Horse!");
    expect(await page.getByRole("alert").innerText()).toBe("The identifier or the password is not right.");
    expect(await page.getByLabel("Email address or username").inputValue()).toBe(email);
    expect(await page.getByLabel("Password").inputValue()).toBe("");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    expect(await shownBy(page, "claims")).toMatchObject({ userinfo: { email } });
    expect(complaints).toEqual([
      "/signin: Failed to load resource: the server responded with a status of 400 (Bad Request)",
    ]);
  });

  it("can be used with the keyboard alone", async () => {
    await using person = await newPerson(browser);
    const { page, complaints } = person;
    await page.goto(`${server.url}/signup`);
    await signUp(page, email);
    await page.goto(ours.loginUrl());
    await type(page, email);
    await page.keyboard.press("Tab");
    await type(page, PASSWORD);
    await page.keyboard.press("Enter");
    expect(await shownBy(page, "claims")).toMatchObject({ userinfo: { email } });
    expect(complaints).toEqual([]);
  });
});

describe.skipIf(noChromium)("RFC 6265bis §4.1.3.2: cookies", () => {
  it("are __Host- cookies that scripts and other sites' forms cannot use", async () => {
    await using person = await newPerson(browser);
    const { page, context } = person;
    await page.goto(`${server.url}/signup`);
    await signUp(page, email);
    await page.getByRole("link", { name: "Back to sign in" }).click();
    await page.getByLabel("Keep me signed in on this device").check();
    await signIn(page, email);
    const cookies = await context.cookies();
    expect(cookies.map(({ name }) => name).toSorted()).toEqual(["__Host-gw_browser", "__Host-gw_session"]);
    for (const cookie of cookies) {
      expect(cookie).toMatchObject({
        domain: "localhost",
        path: "/",
        httpOnly: true,
        secure: true,
        sameSite: "Lax",
      });
    }
    const session = cookies.find(({ name }) => name === "__Host-gw_session");
    const days = (Number(session?.expires) - Date.now() / 1000) / 86_400;
    expect(Math.round(days)).toBe(30);
  });

  it("go with the browser unless the person asked to be kept signed in", async () => {
    await using person = await newPerson(browser);
    const { page, context } = person;
    await page.goto(`${server.url}/signup`);
    await signUp(page, email);
    await page.getByRole("link", { name: "Back to sign in" }).click();
    await signIn(page, email);
    const session = (await context.cookies()).find(({ name }) => name === "__Host-gw_session");
    expect(session?.expires).toBe(-1);
  });
});
