/** Two tenants of ours: people of the one sign in at the other by SAML, in both roles of ours and with nobody else's code. */
import { afterAll, beforeAll, describe, expect, it, setDefaultTimeout } from "bun:test";
import type { Browser } from "playwright-core";
import { createOtherTenant } from "../attacks/support.ts";
import { addUser } from "../conformance/support.ts";
import { identityProviderOf } from "../../src/domain/saml-idp/entity.ts";
import { samlCredentials } from "../../src/domain/saml-idp/credentials.ts";
import { createSamlClient, updateSamlClient } from "../../src/domain/saml-idp/service.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { pemCertificate } from "../../src/protocol/saml/build/sign.ts";
import { type SamlApplication, startSamlApplication } from "../support/saml-application.ts";
import { realTime } from "../support/saml-service-provider.ts";
import { connectSaml, spOf } from "../support/saml-connection.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { heading, launchChromium, newPerson, noChromium, pathOf, PASSWORD, signIn } from "./support.ts";

// A browser on a busy machine takes its time; what is awaited inside has deadlines of its own.
setDefaultTimeout(60_000);

let server: TestServer;
let browser: Browser;
let expenses: SamlApplication;

/** `corp` signs people in for the default tenant, which encrypts and signs all there is. */
async function makeKnown(): Promise<void> {
  const { tenant: corp } = await createOtherTenant(server, "corp");
  await addUser(server, "ada", corp);
  const { deps } = server;
  const by = { actor: { type: "system" as const }, context: systemContext };
  const described = {
    name: "Partner",
    entity_id: "urn:later",
    acs_urls: [{ url: "https://later.example/" }],
  };
  const client = await createSamlClient(deps, corp.id, described, by);
  const provider = identityProviderOf(deps, corp, client);
  const theirs = pemCertificate((await samlCredentials(deps, corp.id)).signer.certificate);
  const credentials = { certificate: theirs };
  const connection = await connectSaml(server, credentials, {
    key: "corp",
    name: "Corp",
    config: {
      idp_entity_id: provider.entityId,
      sso_url: provider.ssoUrl,
      sso_binding: "post",
      slo_url: provider.sloUrl,
      want_assertions_encrypted: true,
      want_response_signed: true,
    },
  });
  const sp = spOf(server, connection);
  const ours = pemCertificate((await samlCredentials(deps, server.tenant.id)).signer.certificate);
  await updateSamlClient(
    deps,
    corp.id,
    client.id,
    {
      ...described,
      entity_id: sp.entityId,
      acs_urls: [{ url: sp.acsUrl }],
      slo_url: sp.sloUrl,
      signing_certificates: [ours],
      encryption_certificate: ours,
      encrypt_assertion: true,
      attributes: [
        { name: "mail", value: "{{ user.email }}" },
        { name: "givenName", value: "{{ user.given_name }}" },
        { name: "sn", value: "{{ user.family_name }}" },
      ],
    },
    by,
  );
}

beforeAll(async () => {
  if (noChromium) return;
  server = await startTestServer({ clock: realTime });
  browser = await launchChromium();
  await makeKnown();
  expenses = await startSamlApplication(server, { name_id_format: "emailAddress" });
});
afterAll(async () => {
  if (noChromium) return;
  await browser.close();
  await expenses.stop();
  await server.stop();
});

describe.skipIf(noChromium)("a person of one tenant", () => {
  it("signs in at the other by SAML, and signs out of both", async () => {
    await using person = await newPerson(browser);
    const { page, complaints } = person;
    await page.goto(`${server.url}/signin`);
    await page.getByRole("link", { name: "Corp" }).click();
    await page.waitForURL("**/t/corp/signin**");
    expect(await heading(page)).toBe("Sign in");
    expect(await page.locator(".lead").innerText()).toBe("to continue to Partner");
    await signIn(page, "ada", PASSWORD);
    await page.waitForURL(`${server.url}/account`);
    expect(await page.locator("main").innerText()).toContain("ada@example.com");

    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.waitForURL(`${server.url}/signin?notice=signed_out`);
    await page.goto(`${server.url}/t/corp/account`);
    expect(pathOf(page)).toBe("/t/corp/signin");
    expect(complaints).toEqual([]);
  });

  it("signs out of the one, and with it of the other and of the applications there", async () => {
    await using person = await newPerson(browser);
    const { page, complaints } = person;
    await page.goto(`${expenses.url}/login`);
    await page.getByRole("link", { name: "Corp" }).click();
    await page.waitForURL("**/t/corp/signin**");
    await signIn(page, "ada", PASSWORD);
    await page.waitForURL(`${expenses.url}/acs`);
    expect(await page.locator("#claims").innerText()).toContain("ada@example.com");

    await page.goto(`${server.url}/t/corp/account`);
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.waitForURL(`${server.url}/t/corp/signin?notice=signed_out`);
    await page.goto(`${server.url}/account`);
    expect(pathOf(page)).toBe("/signin");
    await page.goto(`${expenses.url}/logout`);
    expect(await page.locator("body").innerText()).toBe("nobody");
    // The 404 of the application, which is signed out.
    expect(complaints.filter((complaint) => !complaint.includes("404"))).toEqual([]);
  });
});
