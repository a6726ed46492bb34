/**
 * Attacks on the SAML identity provider by requests. Each docstring names the guard
 * that, taken out, lets the attack through.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { deflateRawSync } from "node:zlib";
import { readRedirect } from "../../../src/protocol/saml/redirect.ts";
import { fillSignIn } from "../../conformance/support.ts";
import { createHttpBrowser } from "../../support/browser.ts";
import { newCredentials, redirectQuery, signXml } from "../../support/saml-identity-provider.ts";
import { registerServiceProvider, statusOf } from "../../support/saml-service-provider.ts";
import { expectNothing, interactionOf, type Scene, setScene } from "./support.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await setScene();
});
afterAll(() => scene.server.stop());

it("what the attacks are made from is accepted", async () => {
  expect(statusOf(await scene.send(scene.write()))).toEqual(["Success"]);
  expect(statusOf(await scene.post(signXml(scene.write(), "AuthnRequest", scene.sp.credentials)))).toEqual([
    "Success",
  ]);
});

describe("the assertion sent somewhere else (SAML Profiles §4.1.4.1)", () => {
  /** Guard: `chooseAcs` of protocol/saml/idp/authn-request.ts. */
  it.each([
    "https://evil.example/acs",
    "https://app-1.example/acs/../evil",
    "https://app-1.example.evil.example/acs",
    "javascript:alert(1)",
    "",
  ])("to %p, which the signed request names", async (url) => {
    const attributes = ` AssertionConsumerServiceURL="${url}"`;
    scene.expectRefused(await scene.send(scene.write({ attributes })), "assertion_consumer_service");
  });

  /** Guard: the same, for who names it by number. */
  it("to an index that is not registered, or to one and an address at once", async () => {
    const index = ' AssertionConsumerServiceIndex="7"';
    scene.expectRefused(await scene.send(scene.write({ attributes: index })), "assertion_consumer_service");
    const both = ` AssertionConsumerServiceIndex="0" AssertionConsumerServiceURL="${scene.sp.acsUrl}"`;
    scene.expectRefused(await scene.send(scene.write({ attributes: both })), "assertion_consumer_service");
  });

  /** Guard: `acsUrls.some` of readSamlInteraction in domain/saml-idp/interaction.ts. */
  it("to an address that was taken out of the registration while the person signed in", async () => {
    const moved = await registerServiceProvider(scene.server);
    const person = createHttpBrowser(scene.server.url);
    const page = await scene.send(scene.write({}, moved), { of: moved, browser: person });
    const acs_urls = [{ url: "https://moved.example/acs" }];
    await scene.change(moved, { acs_urls });
    expectNothing(await fillSignIn(person, page, "ada"));
  });
});

describe("a request that the application did not make", () => {
  /** Guard: `requireNoSignature` in domain/saml-idp/begin.ts. */
  it("unsigned, where requests have to be signed", async () => {
    scene.expectRefused(await scene.send(scene.write(), { by: undefined }), "unsigned");
    scene.expectRefused(await scene.post(scene.write()), "unsigned");
  });

  /** Guard: `verifyRedirect` and `verifySigned` in domain/saml-idp/begin.ts. */
  it("signed by another key", async () => {
    const thief = await newCredentials("thief");
    scene.expectRefused(await scene.send(scene.write(), { by: thief }), "signature_mismatch");
    scene.expectRefused(
      await scene.post(signXml(scene.write(), "AuthnRequest", thief)),
      "signature_mismatch",
    );
  });

  /** Guard: as before; a signature that is there counts, even where none is needed. */
  it("signed by another key, where none is needed", async () => {
    const lax = await registerServiceProvider(scene.server, { require_signed_requests: false });
    const thief = await newCredentials("thief");
    expect(statusOf(await scene.send(scene.write({}, lax), { of: lax, by: undefined }))).toEqual(["Success"]);
    scene.expectRefused(await scene.send(scene.write({}, lax), { of: lax, by: thief }), "signature_mismatch");
    const forged = signXml(scene.write({}, lax), "AuthnRequest", thief);
    scene.expectRefused(await scene.post(forged, lax), "signature_mismatch");
  });

  /** Guard: what is read is what `verifySigned` gives back, in beginByPost. */
  it("changed after it was signed", async () => {
    const signed = signXml(scene.write(), "AuthnRequest", scene.sp.credentials);
    const changed = signed.replace("AuthnRequest ", 'AuthnRequest IsPassive="true" ');
    scene.expectRefused(await scene.post(changed), "digest_mismatch");
    const query = redirectQuery("SAMLRequest", scene.write(), "a", scene.sp.credentials);
    const other = await scene.browser.open(
      `${scene.sp.saml.options.entryPoint}?${query.replace("=a&", "=b&")}`,
    );
    scene.expectRefused(other, "signature_mismatch");
  });

  /** Guard: `refuseMisplacedSignatures` in beginByPost, and the reference that verifySigned holds to its element. */
  it("wrapped around one that was signed", async () => {
    const signed = signXml(scene.write(), "AuthnRequest", scene.sp.credentials);
    const evil = scene.write({ content: `<samlp:Extensions>${signed}</samlp:Extensions>` });
    scene.expectRefused(await scene.post(evil), "misplaced_signature");
  });

  /** Guard: the issuer that checkMessage is given, in readAuthnRequest. */
  it("of another application", async () => {
    scene.expectRefused(
      await scene.send(scene.write({ issuer: "https://other.example/metadata" })),
      "issuer",
    );
  });

  /** Guard: the destination that checkMessage is given; a signed request has to name one. */
  it("made for another identity provider, and passed on", async () => {
    scene.expectRefused(
      await scene.send(scene.write({ destination: "https://idp.example/sso" })),
      "destination",
    );
    scene.expectRefused(await scene.send(scene.write({ destination: undefined })), "destination");
  });

  /** Guard: the age that checkMessage allows. */
  it("kept for later, or made ahead", async () => {
    const at = (seconds: number) => new Date(scene.server.clock.now().getTime() + seconds * 1000);
    scene.expectRefused(await scene.send(scene.write({ now: at(-3600) })), "issue_instant");
    scene.expectRefused(await scene.send(scene.write({ now: at(3600) })), "issue_instant");
  });
});

describe("a request sent twice", () => {
  /** Guard: `useRequest` in domain/saml-idp/flow.ts. */
  it("is answered once, of twenty that race", async () => {
    const xml = scene.write();
    const pages = await Promise.all(Array.from({ length: 20 }, () => scene.send(xml)));
    expect(pages.filter(({ html }) => html.includes("SAMLResponse"))).toHaveLength(1);
    for (const page of pages) if (!page.html.includes("SAMLResponse")) scene.expectRefused(page, "replayed");
  });

  /** Guard: the same; what the browser carries is good for one answer. */
  it("is answered once, also by a page that is opened again", async () => {
    const person = createHttpBrowser(scene.server.url);
    const page = await scene.send(scene.write(), { browser: person });
    const interaction = interactionOf(page);
    expect(statusOf(await fillSignIn(person, page, "ada"))).toEqual(["Success"]);
    const again = `${scene.sp.saml.options.entryPoint}?${new URLSearchParams({ interaction })}`;
    scene.expectRefused(await person.open(again), "replayed");
  });
});

describe("XML that does harm to who parses it", () => {
  /** Guard: checkLexically of protocol/saml/lexical.ts. */
  it.each([
    ["doctype", "a DOCTYPE", (xml: string) => `<!DOCTYPE x [<!ENTITY a "b">]>${xml}`],
    ["doctype", "an external entity", (xml: string) => `<!DOCTYPE x SYSTEM "file:///etc/passwd">${xml}`],
    [
      "comment",
      "a comment in the Issuer",
      (xml: string) => xml.replace("</saml:Issuer>", "<!-- -->.evil</saml:Issuer>"),
    ],
    [
      "processing_instruction",
      "a processing instruction",
      (xml: string) => `<?xml-stylesheet href="x"?>${xml}`,
    ],
  ] as const)("%s: %s", async (reason, _, spoil) => {
    scene.expectRefused(await scene.send(spoil(scene.write())), reason);
    scene.expectRefused(
      await scene.post(spoil(signXml(scene.write(), "AuthnRequest", scene.sp.credentials))),
      reason,
    );
  });

  /** Guard: `maxOutputLength` in protocol/saml/redirect.ts. */
  it("a bomb that inflates to megabytes", async () => {
    const bomb = deflateRawSync(Buffer.alloc(8_000_000, 32)).toString("base64");
    const query = new URLSearchParams({ SAMLRequest: bomb }).toString();
    expect(query.length).toBeLessThan(14_000);
    expect(() => readRedirect(query)).toThrow(expect.objectContaining({ reason: "deflate" }));
    scene.expectRefused(await scene.browser.open(`${scene.sp.saml.options.entryPoint}?${query}`), "deflate");
  });

  /** Guard: MOST_MESSAGE_BYTES of protocol/saml/xml.ts. */
  it("a form of a megabyte", async () => {
    const page = await scene.post(`${scene.write()}${" ".repeat(600_000)}`);
    expect([400, 413]).toContain(page.status);
    expect(page.html).not.toContain("SAMLResponse");
  });
});
