/**
 * Attacks on what the SAML identity provider answers, and to whom. Each docstring names the guard
 * that, taken out, lets the attack through.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { samlClients, users } from "../../../src/db/schema/index.ts";
import { addUser, fillSignIn, signedInBrowser } from "../../conformance/support.ts";
import { createHttpBrowser, type Visit } from "../../support/browser.ts";
import { redirectQuery } from "../../support/saml-identity-provider.ts";
import { postedForm, registerServiceProvider, statusOf } from "../../support/saml-service-provider.ts";
import { createOtherTenant } from "../support.ts";
import { expectNothing, interactionOf, type Scene, setScene } from "./support.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await setScene();
});
afterAll(() => scene.server.stop());

describe("markup", () => {
  const HOSTILE = `</saml:AttributeValue><saml:AttributeValue>admin<!--"'><script>alert(1)</script>`;

  /** Guard: `escapeText` of protocol/saml/build/xml.ts. */
  it("in what a person says of themselves stays text", async () => {
    const attributes = [{ name: "role", value: "{{ user.given_name }}" }];
    const app = await registerServiceProvider(scene.server, { attributes });
    const mallory = await addUser(scene.server, "mallory");
    await scene.server.deps.db.update(users).set({ givenName: HOSTILE }).where(eq(users.id, mallory.id));
    const person = await signedInBrowser(scene.server, mallory);
    const page = await scene.send(scene.write({}, app), { of: app, browser: person });
    const xml = Buffer.from(postedForm(page).fields["SAMLResponse"] ?? "", "base64").toString();
    expect(xml.match(/<saml:AttributeValue/g)).toHaveLength(1);
    expect(xml).not.toContain("<!--");
    expect(xml).not.toContain("<script");
    // Whoever reads it gets it back as it was.
    expect(xml).toContain("admin&lt;!--");
  });

  /** Guard: Preact's escaping of the form, and the page's policy. */
  it("in the RelayState stays text, and comes back as it went", async () => {
    const relayState = `"><script>alert(1)</script>`;
    const page = await scene.send(scene.write(), { relayState });
    expect(postedForm(page).fields["RelayState"]).toBe(relayState);
    expect(page.html).not.toContain("<script>alert");
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/script-src 'nonce-[^']+';/);
  });

  /** Guard: MOST_CHARACTERS in protocol/saml/relay-state.ts. */
  it("and a RelayState that is longer than any is refused", async () => {
    scene.expectRefused(await scene.send(scene.write(), { relayState: "x".repeat(1025) }), "too_large");
  });

  /** Guard: the xs:ID that readAuthnRequest asks for, besides the escaping of attributes. */
  it("in the request's ID goes into no response", async () => {
    scene.expectRefused(await scene.send(scene.write({ id: "_a&quot; Destination=&quot;x" })), "message_id");
  });
});

describe("an answer without what was asked of the person", () => {
  /** Guard: `if (!session) return ask("login")` in domain/saml-idp/flow.ts. */
  it("for nobody who is not signed in", async () => {
    const page = await scene.send(scene.write(), { browser: createHttpBrowser(scene.server.url) });
    expect(page.url.pathname).toBe("/signin");
  });

  /** Guard: `fresh` in domain/saml-idp/flow.ts, by the moment that the interaction seals. */
  it("ForceAuthn with an old sign-in, by opening the page that follows it", async () => {
    const person = await signedInBrowser(scene.server, scene.ada);
    scene.server.clock.advance(30);
    const page = await scene.send(scene.write({ attributes: ' ForceAuthn="true"' }), { browser: person });
    expect(page.url.pathname).toBe("/signin");
    const interaction = interactionOf(page);
    const resumed = await person.open(
      `${scene.sp.saml.options.entryPoint}?${new URLSearchParams({ interaction })}`,
    );
    expect(resumed.url.pathname).toBe("/signin");
    expect(statusOf(await fillSignIn(person, resumed, "ada"))).toEqual(["Success"]);
  });

  /** Guard: the seal of domain/saml-idp/interaction.ts. */
  it("by what the browser carries, changed or made up", async () => {
    const page = await scene.send(scene.write({ attributes: ' ForceAuthn="true"' }));
    const sealed = interactionOf(page);
    const changed = `${sealed.slice(0, -4)}${sealed.endsWith("AAAA") ? "BBBB" : "AAAA"}`;
    for (const interaction of [changed, "saml.AAAA", "saml.", "x"]) {
      const query = new URLSearchParams({ interaction });
      expectNothing(await scene.browser.open(`${scene.sp.saml.options.entryPoint}?${query}`));
      expectNothing(await scene.browser.open(`/signin?${query}`));
    }
  });

  /** Guard: `found?.client.id !== client.id` in web/saml/idp-sso.routes.ts. */
  it("of another application, by its address with the first one's request", async () => {
    const other = await registerServiceProvider(scene.server);
    const page = await scene.send(scene.write({ attributes: ' ForceAuthn="true"' }));
    const interaction = interactionOf(page);
    expectNothing(
      await scene.browser.open(`${other.saml.options.entryPoint}?${new URLSearchParams({ interaction })}`),
    );
  });

  /** Guard: `interaction.subject !== nameId.value` in domain/saml-idp/flow.ts. */
  it("about another person than the request names", async () => {
    const subject = "<saml:Subject><saml:NameID>grace@example.com</saml:NameID></saml:Subject>";
    const person = await signedInBrowser(scene.server, scene.ada);
    scene.server.clock.advance(1);
    const page = await scene.send(scene.write({ content: subject }), { browser: person });
    expect(page.url.pathname).toBe("/signin");
    expect(statusOf(await fillSignIn(person, page, "ada"))).toEqual(["Responder", "UnknownPrincipal"]);
  });
});

describe("a sign-in that begins here", () => {
  /** Guard: `allowIdpInitiated` in web/saml/idp-sso.routes.ts. */
  it("to an application that does not allow it", async () => {
    expectNothing(await scene.browser.open(`/saml/${scene.sp.client.id}/launch`), 403);
  });

  /** Guard: beginLaunch takes what the administrator wrote down, and nothing from the address. */
  it("brings along no address that a link put into it", async () => {
    const open = await registerServiceProvider(scene.server, { allow_idp_initiated: true });
    const page = await scene.browser.open(`/saml/${open.client.id}/launch?RelayState=https://evil.example`);
    expect(postedForm(page).fields).not.toContainKey("RelayState");
  });
});

describe("who it is for", () => {
  /** Guard: the tenant by which findSamlClient looks. */
  it("another tenant's application is one that does not exist", async () => {
    const { tenant, base } = await createOtherTenant(scene.server, "globex");
    const theirs = await registerServiceProvider(scene.server, { allow_idp_initiated: true }, { tenant });
    const unknown = "saml_01ARZ3NDEKTSV4RRFFQ69G5FAV";
    const query = redirectQuery("SAMLRequest", scene.write({}, theirs), undefined, theirs.credentials);
    for (const path of [`sso?${query}`, "launch", "metadata", `slo?${query}`]) {
      const [page, nobody] = [
        await scene.browser.open(`/saml/${theirs.client.id}/${path}`),
        await scene.browser.open(`/saml/${unknown}/${path}`),
      ];
      expect([page.status, nobody.status]).toEqual([404, 404]);
      const plain = ({ html }: Visit) => html.replaceAll(/req_\w+/g, "");
      expect(plain(page)).toBe(plain(nobody));
    }
    expect((await scene.browser.open(`${base}/saml/${theirs.client.id}/metadata`)).status).toBe(200);
    expectNothing(await scene.browser.open(`${base}/saml/${scene.sp.client.id}/metadata`), 404);
  });

  /** Guard: the tenant in `contextOf` of domain/saml-idp/interaction.ts. */
  it("another tenant's interaction opens nothing here, not even at an application of the same id", async () => {
    const page = await scene.send(scene.write({ attributes: ' ForceAuthn="true"' }));
    const { base, tenant } = await createOtherTenant(scene.server, "initech");
    await scene.server.deps.db.insert(samlClients).values({ ...scene.sp.client, tenantId: tenant.id });
    const query = new URLSearchParams({ interaction: interactionOf(page) });
    expectNothing(await scene.browser.open(`${base}/signin?${query}`));
  });

  /** Guard: `found?.enabled` in findSamlClient. */
  it("an application that was disabled gets nothing, whatever was begun", async () => {
    const closed = await registerServiceProvider(scene.server, { allow_idp_initiated: true });
    const person = createHttpBrowser(scene.server.url);
    const page = await scene.send(scene.write({}, closed), { of: closed, browser: person });
    await scene.change(closed, { enabled: false });
    expectNothing(await fillSignIn(person, page, "ada"));
    expectNothing(await scene.send(scene.write({}, closed), { of: closed }), 404);
    expectNothing(await scene.browser.open(`/saml/${closed.client.id}/launch`), 404);
  });

  /** Guard: the audience and the recipient that answer() in domain/saml-idp/flow.ts writes. */
  it("a response is of no use at another service provider", async () => {
    const other = await registerServiceProvider(scene.server);
    const [victim, sibling] = [other.saml, scene.sp.saml];
    const { fields } = postedForm(await scene.send(scene.write()));
    victim.options.idpIssuer = sibling.options.idpIssuer ?? "";
    victim.options.acceptedClockSkewMs = -1;
    victim.options.validateInResponseTo = sibling.options.validateInResponseTo;
    await expect(victim.validatePostResponseAsync({ ...fields })).rejects.toThrow();
    const xml = Buffer.from(fields["SAMLResponse"] ?? "", "base64").toString();
    expect(xml).toContain(`<saml:Audience>${scene.sp.entityId}</saml:Audience>`);
    expect(xml).toContain(`Recipient="${scene.sp.acsUrl}"`);
    expect(xml.match(/<saml:Audience>/g)).toHaveLength(1);
  });
});
