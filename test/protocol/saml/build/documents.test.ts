/** What we write down: that no value becomes markup, and that what we sign is what our own verifier reads. */
import { beforeAll, describe, expect, it } from "bun:test";
import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { idpMetadata } from "../../../../src/protocol/saml/build/metadata.ts";
import { nameId } from "../../../../src/protocol/saml/build/message.ts";
import { errorResponse, successResponse } from "../../../../src/protocol/saml/build/response.ts";
import { type SamlSigner, signDocument } from "../../../../src/protocol/saml/build/sign.ts";
import { element } from "../../../../src/protocol/saml/build/xml.ts";
import { ns, statusCodes } from "../../../../src/protocol/saml/names.ts";
import { verifySigned } from "../../../../src/protocol/saml/signature.ts";
import { attributeOf, childrenNamed, parseXml } from "../../../../src/protocol/saml/xml.ts";
import { newCredentials } from "../../../support/saml-identity-provider.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
let signer: SamlSigner;
let policy: Parameters<typeof verifySigned>[1];

beforeAll(async () => {
  const { privateKey, certificate } = await newCredentials();
  const x509 = new X509Certificate(certificate);
  signer = { privateKey, certificate: x509.raw };
  policy = { keys: [x509.publicKey], allowSha1: false };
});

describe("element (XML 1.0 §2.4, §3.3.3)", () => {
  it("takes any text, and gives it back to whoever parses it, but for what XML cannot say", () => {
    const hostile = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("]]>", "<!--", "&amp;", "</a>", '" x="', "\r\n\t", "\u0000", "\uD800", "<![CDATA["),
    );
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 6 }), (parts) => {
        const text = parts.join("");
        const { xml } = element("a", { b: text }, text);
        const root = parseXml(xml);
        // oxlint-disable-next-line no-control-regex -- these are what must not be there
        const legal = text.toWellFormed().replaceAll(/[\0-\x08\x0B\x0C\x0E-\x1F\uFFFE\uFFFF]/g, "");
        expect(root.textContent).toBe(legal);
        expect(root.getAttribute("b")).toBe(legal);
        expect(root.childNodes.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 50 },
    );
  });

  it("leaves out what is undefined, and closes what is empty", () => {
    expect(element("a", { b: undefined, c: false }, undefined, element("d", {})).xml).toBe(
      '<a c="false"><d/></a>',
    );
  });
});

describe("signDocument (SAML Core §5.4)", () => {
  it("puts one signature after the Issuer, which our verifier accepts", () => {
    const head = {
      id: "_1",
      issueInstant: NOW,
      issuer: "https://idp.example",
      destination: "https://sp.example",
    };
    const { xml } = errorResponse(head, { code: statusCodes.responder, message: "<no>" }, signer);
    const root = parseXml(xml);
    expect(Array.from(root.childNodes, (node) => node.nodeName)).toEqual([
      "saml:Issuer",
      "ds:Signature",
      "samlp:Status",
    ]);
    expect(attributeOf(verifySigned(root, policy), "ID")).toBe("_1");
  });

  it("covers all of it", () => {
    const signed = signDocument(element("x", { ID: "_1", a: "1" }, element("y", {})), signer).xml;
    for (const changed of [signed.replace('a="1"', 'a="2"'), signed.replace("<y/>", "<z/>")])
      expect(() => verifySigned(parseXml(changed), policy)).toThrow(
        expect.objectContaining({ reason: "digest_mismatch" }),
      );
  });
});

describe("successResponse", () => {
  it("is never without a signature", async () => {
    const head = { id: "_1", issueInstant: NOW, issuer: "i", destination: "d" };
    const assertion = {
      ...head,
      id: "_2",
      nameId: { format: "f", value: "v" },
      audience: "a",
      recipient: "r",
      notBefore: NOW,
      notOnOrAfter: NOW,
      authnInstant: NOW,
      sessionIndex: "s",
      sessionNotOnOrAfter: NOW,
      authnContextClassRef: "c",
      attributes: [],
    };
    const unprotected = { signer, signResponse: false, signAssertion: false };
    await expect(successResponse(head, assertion, unprotected)).rejects.toThrow(RangeError);
  });
});

describe("nameId (SAML Core §2.2.3)", () => {
  it("says for whom it was made where that is part of it", () => {
    expect(nameId({ format: "f", value: "<v>" }).xml).toBe('<saml:NameID Format="f">&lt;v&gt;</saml:NameID>');
    const qualified = { format: "f", value: "v", nameQualifier: "idp", spNameQualifier: "sp" };
    expect(nameId(qualified).xml).toContain('NameQualifier="idp" SPNameQualifier="sp"');
  });
});

describe("idpMetadata (SAML Metadata §2.4.3)", () => {
  it("is signed, and names every certificate and endpoint, in the schema's order", () => {
    const { xml } = signDocument(
      idpMetadata({
        id: "_m",
        entityId: "https://idp.example/metadata",
        validUntil: NOW,
        certificates: [signer.certificate, signer.certificate],
        wantAuthnRequestsSigned: true,
        ssoUrl: "https://idp.example/sso",
        sloUrl: "https://idp.example/slo",
        nameIdFormat: "persistent",
      }),
      signer,
    );
    const root = verifySigned(parseXml(xml), policy);
    expect(attributeOf(root, "entityID")).toBe("https://idp.example/metadata");
    const [descriptor] = childrenNamed(root, ns.metadata, "IDPSSODescriptor");
    expect(Array.from(descriptor?.childNodes ?? [], (node) => node.nodeName.replace("md:", ""))).toEqual([
      "KeyDescriptor",
      "KeyDescriptor",
      "SingleLogoutService",
      "SingleLogoutService",
      "NameIDFormat",
      "SingleSignOnService",
      "SingleSignOnService",
    ]);
  });
});
