/** SAML Core §3.3.2.2.1: a RequestedAuthnContext, and what people are asked for because of it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { setUpTotp, totpCode } from "../../support/mfa.ts";
import { createHttpBrowser } from "../../support/browser.ts";
import {
  authnRequestXml,
  postedForm,
  registerServiceProvider,
  requestOf,
  type ServiceProvider,
  statusOf,
} from "../../support/saml-service-provider.ts";
import { redirectQuery } from "../../support/saml-identity-provider.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";
import { addUser, fillSignIn, PASSWORD, signedInBrowser } from "../support.ts";

const MFA = "https://refeds.org/profile/mfa";

let server: TestServer;
let sp: ServiceProvider;

beforeAll(async () => {
  server = await startTestServer();
  sp = await registerServiceProvider(server);
});
afterAll(() => server.stop());
beforeEach(() => server.clock.advance(1));

/** The address of a request that asks for two factors. */
function asking(attributes = ""): string {
  const content = `<samlp:RequestedAuthnContext><saml:AuthnContextClassRef>${MFA}</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>`;
  const xml = authnRequestXml(requestOf(sp, server.clock.now(), { attributes, content }));
  return `${sp.saml.options.entryPoint}?${redirectQuery("SAMLRequest", xml, "r", sp.credentials)}`;
}

describe("two factors", () => {
  it("are proved by who signed in with one, which leads back and into the assertion", async () => {
    const ada = await addUser(server, "ada");
    const browser = await signedInBrowser(server, ada);
    const signedIn = await postJson(`${server.url}/login`, { identifier: ada.username, password: PASSWORD });
    const { access_token }: { access_token: string } = await signedIn.json();
    const { secret } = await setUpTotp(server, access_token);
    server.clock.advance(60);
    const page = await browser.open(asking());
    expect(page.url.pathname).toBe("/signin/step-up");
    expect(page.html).toContain("Expenses");
    const answered = await browser.submit(page, "/signin/step-up", { code: totpCode(server, secret) });
    const { fields } = postedForm(answered);
    expect(fields["RelayState"]).toBe("r");
    const xml = Buffer.from(fields["SAMLResponse"] ?? "", "base64").toString();
    expect(xml).toContain(`<saml:AuthnContextClassRef>${MFA}</saml:AuthnContextClassRef>`);
  });

  it("are not asked for where nobody may be asked", async () => {
    const grace = await addUser(server, "grace");
    const browser = await signedInBrowser(server, grace);
    expect(statusOf(await browser.open(asking(' IsPassive="true"')))).toEqual(["Responder", "NoPassive"]);
  });

  it("are what a page offers to set up to who has none, and leads on from there", async () => {
    await addUser(server, "linus");
    const browser = createHttpBrowser(server.url);
    const page = await fillSignIn(browser, await browser.open(asking()), "linus");
    expect(page.url.pathname).toBe("/signin/step-up");
    expect(page.html).toContain("interaction=saml.");
  });
});
