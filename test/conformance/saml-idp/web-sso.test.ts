/** SAML Profiles §4.1, Web Browser SSO, with `@node-saml/node-saml` as the service provider. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { ValidateInResponseTo } from "@node-saml/node-saml";
import { createAccount } from "../../../src/domain/accounts/registration.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { createOtherTenant } from "../../attacks/support.ts";
import { createHttpBrowser, type HttpBrowser } from "../../support/browser.ts";
import {
  beginAt,
  postedForm,
  realTime,
  registerServiceProvider,
  statusOf,
} from "../../support/saml-service-provider.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { addUser, fillSignIn, signedInBrowser } from "../support.ts";

let server: TestServer;
let ada: User;
let browser: HttpBrowser;

beforeAll(async () => {
  server = await startTestServer({ clock: realTime });
  ada = await addUser(server, "ada");
  browser = await signedInBrowser(server, ada);
});
afterAll(() => server.stop());

describe("§4.1.3: a sign-in that the service provider begins", () => {
  it("by the redirect binding ends with a response that it accepts", async () => {
    const sp = await registerServiceProvider(server);
    const person = createHttpBrowser(server.url);
    const page = await beginAt(sp, person, "/reports?year=2026&x=<y>");
    expect(page.url.pathname).toBe("/signin");
    expect(page.html).toContain("Expenses");
    const { profile, relayState, xml } = await sp.take(await fillSignIn(person, page, "ada"));
    expect(profile.nameIDFormat).toBe("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent");
    expect(profile.spNameQualifier).toBe(sp.entityId);
    expect(profile.issuer).toBe(`${server.url}/saml/${sp.client.id}/metadata`);
    expect(relayState).toBe("/reports?year=2026&x=<y>");
    expect(xml).toContain("classes:PasswordProtectedTransport<");
  });

  it("by the POST binding does too, with the cookie that no form from elsewhere brings", async () => {
    const posts = { authnRequestBinding: "HTTP-POST", skipRequestCompression: true };
    const sp = await registerServiceProvider(server, {}, { saml: posts });
    const message = await sp.saml.getAuthorizeMessageAsync("here");
    const page = await browser.postFromElsewhere(`${server.url}/saml/${sp.client.id}/sso`, {
      SAMLRequest: String(message["SAMLRequest"]),
      RelayState: "here",
    });
    const { profile, relayState } = await sp.take(page);
    expect(profile.nameID).not.toBe("");
    expect(relayState).toBe("here");
  });

  it("needs no page for who is signed in, and stands among the applications of the session", async () => {
    const sp = await registerServiceProvider(server, { name: "Travel <expenses>" });
    const page = await beginAt(sp, browser);
    expect(page.status).toBe(200);
    expect((await sp.take(page)).profile.nameID).not.toBe("");
    expect((await browser.open("/account")).html).toContain("Travel &lt;expenses>");
  });

  it("goes to the chosen one of several assertion consumer services", async () => {
    const sp = await registerServiceProvider(server, {
      acs_urls: [
        { url: "https://first.example/acs" },
        { url: "https://second.example/acs", is_default: true },
      ],
    });
    sp.saml.options.disableRequestAcsUrl = true;
    expect(postedForm(await beginAt(sp, browser)).action).toBe("https://second.example/acs");
    sp.saml.options.disableRequestAcsUrl = false;
    sp.saml.options.callbackUrl = "https://first.example/acs";
    expect(postedForm(await beginAt(sp, browser)).action).toBe("https://first.example/acs");
  });

  it("works within a tenant's path, whose users no other tenant knows", async () => {
    const { tenant, base } = await createOtherTenant(server, "acme");
    await addUser(server, "grace", tenant);
    const sp = await registerServiceProvider(server, {}, { tenant });
    expect(sp.saml.options.entryPoint).toStartWith(`${base}/saml/saml_`);
    const person = createHttpBrowser(server.url);
    const page = await beginAt(sp, person);
    expect(page.url.pathname).toBe("/t/acme/signin");
    expect((await sp.take(await fillSignIn(person, page, "grace"))).profile.issuer).toStartWith(base);
  });
});

describe("§4.1.4.2: what is signed and encrypted", () => {
  it.each([
    ["both", {}],
    ["the assertion", { sign_response: false }],
    ["the response", { sign_assertion: false }],
    ["both, and the assertion is encrypted", { encrypt_assertion: true }],
    ["the assertion alone, which is encrypted", { encrypt_assertion: true, sign_response: false }],
  ])("%s", async (_, input) => {
    const sp = await registerServiceProvider(server, { ...input, name_id_format: "emailAddress" });
    const { profile, xml } = await sp.take(await beginAt(sp, browser));
    expect(profile.nameID).toBe("ada@example.com");
    expect(xml.includes("ada@example.com")).toBe(!("encrypt_assertion" in input));
    if ("encrypt_assertion" in input) {
      expect(xml).toContain('Algorithm="http://www.w3.org/2009/xmlenc11#aes256-gcm"');
      expect(xml).toContain('Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"');
    }
  });
});

describe("Core §8.3: the NameID", () => {
  const nameIdAt = async (input: Parameters<typeof registerServiceProvider>[1]) => {
    const sp = await registerServiceProvider(server, input);
    const names = [];
    for (let times = 0; times < 2; times++) {
      const person = await signedInBrowser(server, ada);
      names.push((await sp.take(await beginAt(sp, person))).profile.nameID);
    }
    return names;
  };

  it("persistent is the same each time, and another for each application", async () => {
    const [here, again] = await nameIdAt({ name_id_format: "persistent" });
    const [there] = await nameIdAt({ name_id_format: "persistent" });
    expect(again).toBe(here ?? "");
    expect(there).not.toBe(here);
    expect(here).not.toContain(ada.id);
  });

  it("transient is another for each session, and one within it: a logout has to name it", async () => {
    const [first, second] = await nameIdAt({ name_id_format: "transient" });
    expect(first).not.toBe(second);
    const sp = await registerServiceProvider(server, { name_id_format: "transient" });
    const here = (await sp.take(await beginAt(sp, browser))).profile;
    expect((await sp.take(await beginAt(sp, browser))).profile).toMatchObject({
      nameID: here.nameID,
      sessionIndex: here.sessionIndex,
    });
  });

  it("unspecified is what the template says, and else the id", async () => {
    expect(await nameIdAt({ name_id_format: "unspecified" })).toEqual([ada.id, ada.id]);
    const name_id_template = "{{ user.username | upcase }}";
    expect(await nameIdAt({ name_id_format: "unspecified", name_id_template })).toEqual(["ADA", "ADA"]);
  });

  it("is refused where the request wants another format (§3.4.1.1)", async () => {
    const wanted = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
    const sp = await registerServiceProvider(server, {}, { saml: { identifierFormat: wanted } });
    expect(statusOf(await beginAt(sp, browser))).toEqual(["Requester", "InvalidNameIDPolicy"]);
  });
});

describe("Core §2.7.3: attributes", () => {
  it("are made by templates, of the type that they are given, with as many values as a list has", async () => {
    const attribute = (name: string, value: string, more = {}) => ({ name, value, ...more });
    const sp = await registerServiceProvider(server, {
      attributes: [
        attribute("mail", "{{ user.email }}"),
        attribute("urn:oid:2.16.840.1.113730.3.1.241", "{{ user.name }}", {
          name_format: "uri",
          friendly_name: "displayName",
        }),
        attribute("roles", "{{ user.roles }}"),
        attribute("verified", "true", { type: "boolean" }),
        attribute("level", "not a number", { type: "integer" }),
        attribute("empty", "{{ user.picture }}"),
      ],
    });
    const { profile, xml } = await sp.take(await beginAt(sp, browser));
    expect(profile).toMatchObject({
      mail: "ada@example.com",
      "urn:oid:2.16.840.1.113730.3.1.241": "Ada Lovelace",
      verified: "true",
    });
    expect(xml).toContain('FriendlyName="displayName"');
    expect(xml).toContain('xsi:type="xs:boolean">true<');
    expect(xml).not.toContain('Name="level"');
    expect(xml).not.toContain('Name="empty"');
  });
});

describe("Core §3.4.1: what a request may ask for", () => {
  it("ForceAuthn is a sign-in since the request", async () => {
    const sp = await registerServiceProvider(server, {}, { saml: { forceAuthn: true } });
    const person = await signedInBrowser(server, ada);
    const page = await beginAt(sp, person);
    expect(page.url.pathname).toBe("/signin");
    expect((await sp.take(await fillSignIn(person, page, "ada"))).profile.nameID).not.toBe("");
  });

  it("IsPassive asks nobody anything", async () => {
    const sp = await registerServiceProvider(server, {}, { saml: { passive: true } });
    expect(statusOf(await beginAt(sp, createHttpBrowser(server.url)))).toEqual(["Responder", "NoPassive"]);
    expect((await sp.take(await beginAt(sp, browser))).profile.nameID).not.toBe("");
  });

  it("RequestedAuthnContext is met by a step-up, or is refused where nothing here would do", async () => {
    const mfa = "https://refeds.org/profile/mfa";
    const context = { disableRequestedAuthnContext: false, authnContext: [mfa] };
    const sp = await registerServiceProvider(server, {}, { saml: context });
    expect((await beginAt(sp, browser)).url.pathname).toBe("/signin/step-up");
    sp.saml.options.authnContext = ["urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI"];
    expect(statusOf(await beginAt(sp, browser))).toEqual(["Responder", "NoAuthnContext"]);
    sp.saml.options.authnContext = ["urn:oasis:names:tc:SAML:2.0:ac:classes:Password"];
    const { xml } = await sp.take(await beginAt(sp, browser));
    expect(xml).toContain(":ac:classes:Password<");
  });

  it("a session there ends with ours, or sooner", async () => {
    const sp = await registerServiceProvider(server, { session_lifetime_seconds: 600 });
    const { xml } = await sp.take(await beginAt(sp, browser));
    const end = Date.parse(/SessionNotOnOrAfter="([^"]+)"/.exec(xml)?.[1] ?? "");
    const issued = Date.parse(/<saml:Assertion [^>]*IssueInstant="([^"]+)"/.exec(xml)?.[1] ?? "");
    expect(end - issued).toBe(600_000);
  });
});

describe("§4.1.5: a sign-in that begins here", () => {
  it("brings along what the administrator wrote down, and answers no request", async () => {
    const sp = await registerServiceProvider(
      server,
      { allow_idp_initiated: true, default_relay_state: "/start" },
      { saml: { validateInResponseTo: ValidateInResponseTo.never } },
    );
    const person = createHttpBrowser(server.url);
    const page = await person.open(`/saml/${sp.client.id}/launch?RelayState=https://evil.example`);
    expect(page.url.pathname).toBe("/signin");
    const { profile, relayState, xml } = await sp.take(await fillSignIn(person, page, "ada"));
    expect(profile.nameID).not.toBe("");
    expect(relayState).toBe("/start");
    expect(xml).not.toContain("InResponseTo");
  });
});

describe("who cannot be named", () => {
  it("is told so, where the application knows people by an address that is not confirmed", async () => {
    const person = createHttpBrowser(server.url);
    const sp = await registerServiceProvider(server, { name_id_format: "emailAddress" });
    await createAccount(
      server.deps,
      server.tenant,
      {
        username: "mallory",
        email: "boss@example.com",
        password: "C0rrect-Horse!",
        givenName: "M",
        familyName: "M",
        emailVerified: false,
        roles: [],
      },
      systemContext,
    );
    const page = await fillSignIn(person, await beginAt(sp, person), "mallory");
    expect(page.status).toBe(403);
    expect(page.html).toContain("Please confirm yours first");
    expect(page.html).not.toContain("SAMLResponse");
  });
});
