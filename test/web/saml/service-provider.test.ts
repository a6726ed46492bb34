import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { X509Certificate } from "node:crypto";
import { parseXml } from "../../../src/protocol/saml/xml.ts";
import { createHttpBrowser } from "../../support/browser.ts";
import {
  bring,
  connectSaml,
  depart,
  idp,
  isSignedIn,
  rightParts,
  spOf,
  travel,
} from "../../support/saml-connection.ts";
import {
  assertionXml,
  type Credentials,
  encryptedAssertion,
  newCredentials,
  responseXml,
  signedResponse,
  signXml,
} from "../../support/saml-identity-provider.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
let credentials: Credentials;
beforeAll(async () => {
  server = await startTestServer();
  credentials = await newCredentials();
});
afterAll(() => server?.stop());

const person = (name: string) => ({
  nameId: `${name}@example.com`,
  attributes: { email: [`${name}@example.com`], givenName: ["Ada"], sn: ["Lovelace"] },
});

describe("GET /saml/providers", () => {
  it("lists the identity providers that anybody may sign in through", async () => {
    const connection = await connectSaml(server, credentials, { name: "Listed" });
    const hidden = await connectSaml(server, credentials, { name: "Hidden", enabled: false });
    const response = await fetch(`${server.url}/saml/providers`);
    const listed: unknown = await response.json();
    expect(listed).toContainEqual({
      id: connection.id,
      name: "Listed",
      login_url: spOf(server, connection).loginUrl,
    });
    expect(JSON.stringify(listed)).not.toContain(hidden.id);
  });

  it("lists another tenant's by its slug, and answers 404 for one that no tenant has", async () => {
    expect((await fetch(`${server.url}/saml/providers?org=${server.tenant.slug}`)).status).toBe(200);
    expect((await fetch(`${server.url}/saml/providers?org=nobody`)).status).toBe(404);
  });
});

describe("our metadata (SAML Metadata §2.4.4)", () => {
  it("says who we are, where answers go, and what keys we sign and open with", async () => {
    const connection = await connectSaml(server, credentials);
    const sp = spOf(server, connection);
    const response = await fetch(sp.entityId);
    expect(response.headers.get("content-type")).toBe("application/samlmetadata+xml");
    const xml = await response.text();
    const root = parseXml(xml);
    expect(root.getAttribute("entityID")).toBe(sp.entityId);
    expect(xml).toContain(`Location="${sp.acsUrl}"`);
    expect(xml.split(`Location="${sp.sloUrl}"`)).toHaveLength(3);
    for (const use of ["signing", "encryption"]) {
      const key = new RegExp(`use="${use}".*?<ds:X509Certificate>([^<]+)`).exec(xml)?.[1] ?? "";
      expect(new X509Certificate(Buffer.from(key, "base64")).publicKey.asymmetricKeyType).toBe("rsa");
    }
  });

  it("is found by the connection's key too, and is no other tenant's", async () => {
    const connection = await connectSaml(server, credentials);
    const xml = await (await fetch(`${server.url}/saml/${connection.key}/metadata`)).text();
    expect(xml).toContain(spOf(server, connection).entityId);
    expect((await fetch(`${server.url}/saml/nobody/metadata`)).status).toBe(404);
  });
});

describe("the way there (SAML Core §3.4.1)", () => {
  it("leads to the identity provider with a signed AuthnRequest and a RelayState that fits", async () => {
    const connection = await connectSaml(server, credentials);
    const sent = await depart(server, spOf(server, connection));
    expect(`${sent.location.origin}${sent.location.pathname}`).toBe(idp.ssoUrl);
    expect(sent.location.searchParams.get("SigAlg")).toContain("rsa-sha256");
    expect(sent.location.searchParams.get("Signature")).not.toBeNull();
    // SAML Bindings §3.4.3.
    expect(sent.relayState.length).toBeLessThanOrEqual(80);
  });

  it("is a form where the identity provider wants one, with the request signed as a document", async () => {
    const connection = await connectSaml(server, credentials, { config: { sso_binding: "post" } });
    const visit = await createHttpBrowser(server.url).open(spOf(server, connection).loginUrl);
    const form = visit.forms.find(({ action }) => action === idp.ssoUrl);
    const xml = Buffer.from(form?.fields["SAMLRequest"] ?? "", "base64").toString();
    expect(xml).toContain("<ds:SignatureValue>");
    expect(visit.headers.get("content-security-policy")).toContain(
      "form-action 'self' https: https://idp.example",
    );
  });

  it("begins at the button of the sign-in page", async () => {
    const connection = await connectSaml(server, credentials);
    const visit = await createHttpBrowser(server.url).open(`/oauth/social/${connection.key}`);
    expect(`${visit.url.origin}${visit.url.pathname}`).toBe(idp.ssoUrl);
  });

  it("leads nowhere by a connection that is off", async () => {
    const connection = await connectSaml(server, credentials, { enabled: false });
    const visit = await createHttpBrowser(server.url).open(spOf(server, connection).loginUrl);
    expect(visit.status).toBe(404);
  });
});

describe("the way back (SAML Profiles §4.1.4)", () => {
  it.each(["response", "assertion", "both"] as const)(
    "signs a new person in, with the %s signed",
    async (signed) => {
      const connection = await connectSaml(server, credentials);
      const { browser, visit } = await travel(server, connection, credentials, {
        ...person(`new-${signed}`),
        signed,
      });
      expect(visit.url.pathname).toBe("/account");
      expect(visit.html).toContain(`new-${signed}@example.com`);
      expect(isSignedIn(browser)).toBe(true);
    },
  );

  it("knows the person again the next time, by the NameID alone", async () => {
    const connection = await connectSaml(server, credentials);
    await travel(server, connection, credentials, person("again"));
    const { visit } = await travel(server, connection, credentials, {
      nameId: "again@example.com",
      attributes: { email: ["changed@example.com"] },
    });
    expect(visit.url.pathname).toBe("/account");
    expect(visit.html).toContain("again@example.com");
  });

  it("knows people by an attribute where the NameID is another one each time", async () => {
    const transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
    const says = { ...person("by-attribute"), nameIdFormat: transient };
    const attributes = { ...says.attributes, employeeNumber: ["7"] };
    const by = await connectSaml(server, credentials, { config: { subject_attribute: "employeeNumber" } });
    expect((await travel(server, by, credentials, { ...says, attributes, nameId: "_1" })).visit.status).toBe(
      200,
    );
    expect((await travel(server, by, credentials, { ...says, attributes, nameId: "_2" })).visit.status).toBe(
      200,
    );
    const without = await connectSaml(server, credentials);
    expect((await travel(server, without, credentials, { ...says, nameId: "_3" })).visit.status).toBe(400);
  });

  it("opens an assertion that was encrypted for the key in our metadata", async () => {
    const connection = await connectSaml(server, credentials, {
      config: { want_assertions_encrypted: true },
    });
    const sp = spOf(server, connection);
    const metadata = await (await fetch(sp.entityId)).text();
    const key = /use="encryption".*?<ds:X509Certificate>([^<]+)/.exec(metadata)?.[1] ?? "";
    const sent = await depart(server, sp);
    const parts = rightParts(server, sp, { inResponseTo: sent.requestId, ...person("sealed") });
    const pem = `-----BEGIN CERTIFICATE-----\n${key}\n-----END CERTIFICATE-----\n`;
    const sealed = await encryptedAssertion(signXml(assertionXml(parts), "Assertion", credentials), pem);
    const visit = await bring(sp, sent, responseXml(parts, sealed));
    expect(visit.url.pathname).toBe("/account");
    expect(visit.html).toContain("sealed@example.com");
  });

  it("asks for the schema too: what it does not know is refused, however well it is signed", async () => {
    const connection = await connectSaml(server, credentials);
    const sp = spOf(server, connection);
    const sent = await depart(server, sp);
    const parts = rightParts(server, sp, { inResponseTo: sent.requestId, ...person("schema") });
    const xml = responseXml(parts, `${assertionXml(parts)}<saml:Issuer>again</saml:Issuer>`);
    const visit = await bring(
      sp,
      sent,
      signXml(xml.replace("<saml:Issuer>again</saml:Issuer>", "<samlp:Surprise/>"), "Response", credentials),
    );
    expect(visit.status).toBe(400);
    expect(isSignedIn(sent.browser)).toBe(false);
  });

  it("takes a sign-in that began there only where that is allowed", async () => {
    const closed = await connectSaml(server, credentials);
    const open = await connectSaml(server, credentials, { config: { allow_idp_initiated: true } });
    for (const [connection, path] of [
      [closed, `/saml/${closed.id}/acs`],
      [open, "/account"],
    ] as const) {
      const sp = spOf(server, connection);
      const browser = createHttpBrowser(server.url);
      const xml = signedResponse(
        rightParts(server, sp, person(`unasked-${connection.key}`)),
        "both",
        credentials,
      );
      const visit = await bring(sp, { browser, relayState: "whatever" }, xml);
      expect(visit.url.pathname).toBe(path);
      expect(isSignedIn(browser)).toBe(path === "/account");
    }
  });
});
