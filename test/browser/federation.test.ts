/** From an application, through a provider, and back: as a person does it in Chromium. */
import { afterAll, beforeAll, describe, expect, it, setDefaultTimeout } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { connect, connectOauth2, connectOidc, upstreamsAllowed } from "../support/federation.ts";
import { confirmAddress } from "../support/mfa.ts";
import { type RealProvider, startOidcProvider } from "../support/oidc-provider.ts";
import { type RelyingParty, startRelyingParty } from "../support/relying-party.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { type OtherTenant, createOtherTenant, register } from "../attacks/support.ts";
import { heading, launchChromium, newPerson, noChromium, pathOf, shownBy } from "./support.ts";
import { createClient } from "../../src/domain/clients/service.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { generateKeyPairSync } from "node:crypto";

// A browser on a busy machine takes its time; what is awaited inside has deadlines of its own.
setDefaultTimeout(60_000);

let server: TestServer;
let browser: Browser;
let app: RelyingParty;
let school: OtherTenant;
let real: RealProvider;
/** On another host than ours, so that a form of it is another site's. */
let faraway: Upstream;

beforeAll(async () => {
  if (noChromium) return;
  server = await startTestServer({ env: upstreamsAllowed });
  browser = await launchChromium();
  app = await startRelyingParty(server.url, (redirectUri) =>
    server.createClient({ name: "Our App", redirectUris: [redirectUri] }),
  );
  school = await createOtherTenant(server, "school");
  faraway = startUpstream(() => server.clock.now(), { name: "127.0.0.1", address: "127.0.0.1" });
  real = await startOidcProvider(`${server.url}/oauth/social/real/callback`);
  await connect(server, {
    kind: "oidc",
    key: "real",
    name: "Real Provider",
    trustEmails: "if_verified",
    config: { issuer: real.issuer, client_id: real.clientId, fetch_userinfo: true },
    secrets: { client_secret: real.clientSecret },
  });
  await connectToSchool();
});
afterAll(async () => {
  if (noChromium) return;
  await browser.close();
  await app.stop();
  await real.stop();
  await faraway.stop();
  await server.stop();
});

/** Our own server, as another tenant, is the provider. */
async function connectToSchool(): Promise<void> {
  const { client, clientSecret = "" } = await createClient(
    server.deps,
    school.tenant.id,
    {
      name: "Gatewright",
      redirectUris: [`${server.url}/oauth/social/school/callback`],
      grantTypes: [],
      public: false,
      firstParty: true,
    },
    { actor: { type: "system" }, context: systemContext },
  );
  await connect(server, {
    kind: "oidc",
    key: "school",
    name: "School",
    trustEmails: "own_domains",
    domains: ["school.example"],
    config: { issuer: school.base, client_id: client.clientId, fetch_userinfo: true },
    secrets: { client_secret: clientSecret },
  });
}

const click = (page: Page, name: string) => page.getByRole("link", { name }).click();

describe.skipIf(noChromium).each([
  ["with JavaScript", true],
  ["without JavaScript", false],
])("a person %s", (_, javaScriptEnabled) => {
  const newName = (prefix: string) => `${prefix}-${Bun.randomUUIDv7().slice(-10)}`;

  it("signs in through another tenant of ours by the domain of their address", async () => {
    await using person = await newPerson(browser, { javaScriptEnabled });
    const { page, complaints } = person;
    const email = `${newName("ada")}@school.example`;
    await register(school.base, { email, username: email.split("@")[0] });
    await confirmAddress(server, email);

    // Without an application: in a chain of redirects that follows a form, Chromium would not let it be on plain HTTP.
    await page.goto(`${server.url}/signin`);
    await page.getByLabel("Email address or username").fill(email);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.waitForURL(/\/t\/school\/signin/);
    expect(await page.getByLabel("Email address or username").inputValue()).toBe(email);
    await page.getByLabel("Password").fill("SecureP@ssw0rd!");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();

    await page.waitForURL(`${server.url}/account`);

    await page.goto(app.loginUrl());
    expect(await shownBy(page, "claims")).toMatchObject({
      id_token: { iss: server.url, email, email_verified: true, amr: ["fed"] },
    });
    expect(complaints).toEqual([]);
  });

  it("signs in through oidc-provider, consenting there, and comes back without being asked again", async () => {
    await using person = await newPerson(browser, { javaScriptEnabled });
    const { page } = person;
    const name = newName("eve");
    await page.goto(app.loginUrl());
    await click(page, "Continue with Real Provider");
    await page.locator('[name="login"]').fill(name);
    await page.locator('[name="password"]').fill("anything");
    await page.locator('[type="submit"]').click();
    await page.getByRole("button", { name: "Continue" }).click();
    expect(await shownBy(page, "claims")).toMatchObject({
      id_token: { email: `${name}@real.example`, email_verified: true },
    });
    const first = await shownBy(page, "claims");

    server.clock.advance(1);
    await page.goto(app.loginUrl({ prompt: "login", connection: "real" }));
    await page.locator('[name="login"]').fill(name);
    await page.locator('[name="password"]').fill("anything");
    await page.locator('[type="submit"]').click();
    await page.waitForURL(/\/callback/);
    const again = await shownBy(page, "claims");
    expect((again["id_token"] as { sub: string }).sub).toBe((first["id_token"] as { sub: string }).sub);
  });

  it("changes their mind there, and goes back to the application", async () => {
    await using person = await newPerson(browser, { javaScriptEnabled });
    const { page } = person;
    await page.goto(app.loginUrl());
    await click(page, "Continue with Real Provider");
    await click(page, "[ Cancel ]");
    expect(await heading(page)).toBe("This did not work");
    expect(await page.getByRole("alert").innerText()).toContain("cancelled there");
    await click(page, "Back to Our App");
    expect(await shownBy(page, "error")).toMatchObject({ error: "access_denied" });
  });

  it("signs up through a server like GitHub", async () => {
    await using person = await newPerson(browser, { javaScriptEnabled });
    const { page } = person;
    const login = newName("octo");
    const connection = await connectOauth2(server, faraway, { name: `Hub ${login}` });
    faraway.person = { id: login, login };
    faraway.behaviour.emails = () => [{ email: `${login}@hub.example`, primary: true, verified: true }];
    await page.goto(`${server.url}/signup`);
    await click(page, `Continue with ${connection.name}`);
    await page.waitForURL(/\/account$/);
    expect(await page.locator("main").innerText()).toContain(login);
  });

  it("signs in through a provider whose answer is another site's form, like Apple", async () => {
    await using person = await newPerson(browser, { javaScriptEnabled });
    const { page } = person;
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const key = newName("apple");
    await connect(server, {
      preset: "apple",
      key,
      name: `Apple ${key}`,
      config: {
        issuer: faraway.url,
        client_id: "com.example.us",
        team_id: "TEAM123456",
        key_id: "KEY1234567",
      },
      secrets: { private_key: privateKey.export({ format: "pem", type: "pkcs8" }).toString() },
    });
    faraway.person = { sub: key };
    await page.goto(app.loginUrl());
    await click(page, `Continue with Apple ${key}`);
    await page.getByRole("button", { name: "Go on" }).click();
    expect(await shownBy(page, "claims")).toMatchObject({ id_token: { amr: ["fed"] } });
  });

  it("connects a provider to the account that they have, and signs in through it from then on", async () => {
    await using person = await newPerson(browser, { javaScriptEnabled });
    const { page } = person;
    const login = newName("hubber");
    const connection = await connectOauth2(server, faraway, { name: `Hub ${login}`, allowSignUp: false });
    faraway.person = { id: login, login };
    await register(server.url, { username: login, email: `${login}@example.com` });
    await page.goto(`${server.url}/signin`);
    await page.getByLabel("Email address or username").fill(login);
    await page.getByLabel("Password").fill("SecureP@ssw0rd!");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.waitForURL(`${server.url}/account`);
    await page.goto(`${server.url}/account/security`);
    await page.getByRole("button", { name: `Connect ${connection.name}`, exact: true }).click();
    await page.getByText("It is connected: you can sign in with it from now on.").waitFor();
    expect(pathOf(page)).toBe("/account/security");

    await using again = await newPerson(browser, { javaScriptEnabled });
    await again.page.goto(`${server.url}/signin`);
    await click(again.page, `Continue with ${connection.name}`);
    await again.page.waitForURL(`${server.url}/account`);
    expect(await again.page.locator("main").innerText()).toContain(login);
  });

  it("is told when the provider answers nonsense, and can sign in another way", async () => {
    await using person = await newPerson(browser, { javaScriptEnabled });
    const { page } = person;
    const connection = await connectOidc(server, faraway, { name: newName("Liar") });
    faraway.behaviour.idToken = (claims) => ({ ...claims, aud: "somebody-else" });
    await page.goto(app.loginUrl());
    await click(page, `Continue with ${connection.name}`);
    expect(await page.getByRole("alert").innerText()).toContain("did not complete the sign-in");
    faraway.behaviour.idToken = (claims) => claims;
    await click(page, "Sign in another way");
    expect(pathOf(page)).toBe("/signin");
  });
});
