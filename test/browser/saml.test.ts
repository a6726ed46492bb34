import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import type { Browser } from "playwright-core";
import { connectSaml, spOf } from "../support/saml-connection.ts";
import {
  type SamlifyIdentityProvider,
  startSamlifyIdentityProvider,
} from "../support/samlify-identity-provider.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { heading, launchChromium, newPerson, noChromium, pathOf } from "./support.ts";

describe.skipIf(noChromium)("a sign-in at a SAML identity provider in a browser", () => {
  let server: TestServer;
  let peer: SamlifyIdentityProvider;
  let browser: Browser;
  beforeAll(async () => {
    server = await startTestServer();
    peer = await startSamlifyIdentityProvider();
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await peer?.stop();
    await server?.stop();
  });

  async function connected() {
    const connection = await connectSaml(server, peer.credentials, {
      name: "Company",
      config: {
        idp_entity_id: peer.entityId,
        sso_url: `${peer.url}/sso`,
        slo_url: `${peer.url}/slo`,
      },
    });
    await peer.configure({ sp: spOf(server, connection).entityId });
    return connection;
  }

  it("goes there by a button, comes back by a form of another site, and ends in both places", async () => {
    const connection = await connected();
    await peer.configure({ person: { nameId: "id-browser", email: "browser@example.com" } });
    await using person = await newPerson(browser);
    const { page } = person;
    await page.goto(`${server.url}/signin`);
    await page.getByRole("link", { name: connection.name }).click();
    expect(await heading(page)).toBe("Company");
    await page.getByRole("button", { name: "Sign in as Ada" }).click();
    await page.getByRole("heading", { level: 1, name: "Your account" }).waitFor();
    expect(await page.getByText("browser@example.com").count()).toBeGreaterThan(0);

    await page.getByRole("button", { name: "Sign out", exact: true }).first().click();
    await page.waitForURL(/\/signin\?notice=signed_out$/);
    expect(peer.logouts.map(({ nameId }) => nameId)).toContain("id-browser");
    await page.goto(`${server.url}/account`);
    expect(pathOf(page)).toBe("/signin");
    expect(person.complaints).toEqual([]);
  });

  it("is ended by the identity provider, whose page sends the browser here", async () => {
    const connection = await connected();
    await peer.configure({ person: { nameId: "id-elsewhere", email: "elsewhere@example.com" } });
    await using person = await newPerson(browser);
    const { page } = person;
    await page.goto(spOf(server, connection).loginUrl);
    await page.getByRole("button", { name: "Sign in as Ada" }).click();
    await page.getByRole("heading", { level: 1, name: "Your account" }).waitFor();
    await page.goto(peer.logoutUrl());
    await page.getByText("Goodbye.").waitFor();
    await page.goto(`${server.url}/account`);
    expect(pathOf(page)).toBe("/signin");
    expect(person.complaints).toEqual([]);
  });
});
