/**
 * Signatures that do not say what they seem to (SAML Core §5.4, xmldsig-core; CVE-2025-29774, CVE-2025-29775 of xml-crypto,
 * "SAMLStorm"; CVE-2022-39299; "The Fragile Lock", PortSwigger 2025). The guards are the lines of `protocol/saml/signature.ts`
 * and `algorithms.ts` that throw the named reason: without one, its test is answered otherwise.
 */
import { describe, expect, it } from "bun:test";
import { generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { parseXml } from "../../../src/protocol/saml/xml.ts";
import { isSigned } from "../../../src/protocol/saml/signature.ts";
import {
  assertionXml,
  ENVELOPED,
  EXCLUSIVE,
  responseXml,
  signedResponse,
  signXml,
} from "../../support/saml-identity-provider.ts";
import {
  elementText,
  genuine,
  handSigned,
  parts,
  policy,
  PROFILED_TRANSFORMS,
  refusal,
  replaced,
  stranger,
  trusted,
} from "./support.ts";

const accepted = "accepted: ada@example.com";
const SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1";
const RSA_SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1";
const transform = (algorithm: string, content = "") =>
  `<ds:Transform Algorithm="${algorithm}">${content}</ds:Transform>`;

describe("a genuine response", () => {
  it.each(["response", "assertion", "both"] as const)("is accepted with its %s signed", (signed) => {
    expect(refusal(genuine(signed))).toBe(accepted);
  });

  it("is accepted when it was put together by hand, so that what follows fails for its own reason", () => {
    expect(refusal(handSigned())).toBe(accepted);
  });

  it("is accepted with an ECDSA signature, by r and s (RFC 4050 §3.3)", () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const xml = handSigned({
      algorithm: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
      sign: (bytes) => sign("sha256", bytes, { key: privateKey, dsaEncoding: "ieee-p1363" }),
    });
    expect(refusal(xml, { policy: { signatures: { keys: [publicKey], allowSha1: false } } })).toBe(accepted);
  });

  it("is accepted by either certificate while one replaces the other, and by none that was taken away", () => {
    const keyOf = ({ certificate }: typeof trusted) => new X509Certificate(certificate).publicKey;
    const both = { keys: [keyOf(stranger), keyOf(trusted)], allowSha1: false };
    expect(refusal(genuine("response"), { policy: { signatures: both } })).toBe(accepted);
    const one = { keys: [keyOf(stranger)], allowSha1: false };
    expect(refusal(genuine("response"), { policy: { signatures: one } })).toBe("signature_mismatch");
  });
});

describe("who signed", () => {
  it("refuses a message that nobody signed", () => {
    const unsigned = genuine("response").replace(elementText(genuine("response"), "ds:Signature"), "");
    const xml = replaced(unsigned, /<ds:Signature .*<\/ds:Signature>/s, "");
    expect(isSigned(parseXml(xml))).toBe(false);
    expect(refusal(xml)).toBe("unsigned");
  });

  it("refuses a response of which the assertion alone is signed, where both have to be", () => {
    expect(refusal(genuine("assertion"), { policy: { requireResponseSigned: true } })).toBe(
      "response_unsigned",
    );
    expect(refusal(genuine("both"), { policy: { requireResponseSigned: true } })).toBe(accepted);
  });

  it.each(["response", "assertion", "both"] as const)(
    "refuses another identity provider's signature of the %s, whose key comes along in KeyInfo",
    (signed) => {
      const xml = signedResponse(parts(), signed, stranger);
      expect(xml).toContain("<ds:KeyInfo>");
      expect(refusal(xml)).toBe("signature_mismatch");
    },
  );

  it("refuses a key inside of KeyInfo for the signature of a message that was changed", () => {
    const own = elementText(signedResponse(parts(), "response", stranger), "ds:KeyInfo");
    const xml = signedResponse(parts({ nameId: "admin@example.com" }), "response", stranger);
    expect(refusal(xml.replace(elementText(xml, "ds:KeyInfo"), () => own))).toBe("signature_mismatch");
  });

  it("refuses a good signature of the response around an assertion that somebody else signed", () => {
    const assertion = signXml(assertionXml(parts()), "Assertion", stranger);
    const around = signXml(responseXml(parts(), assertion), "Response", trusted);
    expect(refusal(around)).toBe("signature_mismatch");
  });

  it("refuses an HMAC under the public certificate: a key is good for its own algorithms alone", () => {
    for (const signatureAlgorithm of [
      "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
      "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
    ]) {
      const xml = handSigned({ algorithm: signatureAlgorithm });
      expect(refusal(xml)).toBe("signature_algorithm");
    }
    const confused = genuine(
      "response",
      {},
      {
        hmacKey: trusted.certificate,
        signatureAlgorithm: "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
      },
    );
    expect(refusal(confused)).toBe("signature_algorithm");
  });

  it("refuses an RSA signature by the name of ECDSA", () => {
    const xml = handSigned({ algorithm: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256" });
    expect(refusal(xml)).toBe("signature_mismatch");
  });

  it("refuses a key of 1024 bits, configured or not", () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const xml = handSigned({ sign: (bytes) => sign("sha256", bytes, privateKey) });
    expect(refusal(xml, { policy: { signatures: { keys: [publicKey], allowSha1: false } } })).toBe(
      "signature_mismatch",
    );
  });

  it("refuses SHA-1, in signature and digest, unless it is configured", () => {
    const allowed = { policy: { signatures: { ...policy.signatures, allowSha1: true } } };
    const signature = genuine("response", {}, { signatureAlgorithm: RSA_SHA1 });
    const digest = genuine("response", {}, { digestAlgorithm: SHA1 });
    expect(refusal(signature)).toBe("signature_algorithm");
    expect(refusal(digest)).toBe("digest_algorithm");
    expect(refusal(signature, allowed)).toBe(accepted);
    expect(refusal(digest, allowed)).toBe(accepted);
  });
});

describe("what is signed", () => {
  it("refuses a change of anything that is", () => {
    for (const [piece, by] of [
      ["ada@example.com</saml:NameID>", "admin@example.com</saml:NameID>"],
      ["<saml:AttributeValue>staff", "<saml:AttributeValue>admins"],
    ] as const) {
      expect(refusal(replaced(genuine("response"), piece, by))).toBe("digest_mismatch");
      expect(refusal(replaced(genuine("assertion"), piece, by))).toBe("digest_mismatch");
    }
  });

  it("refuses a response without an identifier, which no reference names", () => {
    const xml = handSigned({ uri: "#" }).replace(/ ID="[^"]+"/, "");
    expect(refusal(xml)).toBe("signature_reference");
  });

  it.each([
    ["the whole document by an empty URI", ""],
    ["another element", "#_elsewhere"],
    ["a document elsewhere", "https://attacker.example/document.xml"],
    ["an XPointer", "#xpointer(/)"],
  ])("refuses a reference to %s", (_, uri) => {
    expect(refusal(handSigned({ uri }))).toBe("signature_reference");
  });

  it("refuses two references, and none", () => {
    expect(refusal(handSigned({ references: (one) => one + one }))).toBe("signature_reference");
    expect(refusal(handSigned({ references: () => "" }))).toBe("signature_structure");
  });

  it("refuses a reference with something else in it", () => {
    const second = "<ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>";
    const references = (one: string) => one.replace("</ds:Reference>", second);
    expect(refusal(handSigned({ references }))).toBe("signature_structure");
  });

  it("refuses two signatures of one element", () => {
    const xml = genuine("response");
    const signature = elementText(xml, "ds:Signature");
    expect(refusal(xml.replace(signature, () => signature + signature))).toBe("several_signatures");
  });

  it("refuses two SignedInfo (CVE-2025-29774), in either order", () => {
    const forged = elementText(genuine("response"), "ds:SignedInfo");
    expect(refusal(handSigned({ signature: (info, value) => info + forged + value }))).toBe(
      "signature_structure",
    );
    expect(refusal(handSigned({ signature: (info, value) => forged + info + value }))).toBe(
      "signature_structure",
    );
    expect(refusal(handSigned({ signature: (info, value) => info + value + forged }))).toBe(
      "signature_structure",
    );
  });

  it("refuses objects and manifests in a signature", () => {
    const object = "<ds:KeyInfo></ds:KeyInfo><ds:Object></ds:Object>";
    expect(refusal(handSigned({ signature: (info, value) => info + value + object }))).toBe(
      "signature_structure",
    );
  });

  it("refuses a digest value with a comment in it (CVE-2025-29775)", () => {
    const xml = replaced(genuine("response"), "<ds:DigestValue>", "<ds:DigestValue><!--forged-->");
    expect(refusal(xml)).toBe("comment");
  });

  it("refuses a digest value with an element in it, which some read and others skip", () => {
    expect(refusal(handSigned({ digest: "<ds:X></ds:X>" }))).toBe("signature_structure");
  });

  it("refuses an empty digest, and the digest of nothing (void canonicalization)", () => {
    expect(refusal(handSigned({ digest: "" }))).toBe("encoding");
    expect(refusal(handSigned({ digest: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" }))).toBe(
      "digest_mismatch",
    );
  });
});

describe("how it is canonicalized and transformed", () => {
  it.each([
    ["inclusive canonicalization", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"],
    ["comments", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"],
    ["something unknown", "urn:something"],
  ])("refuses SignedInfo with %s", (_, canonicalization) => {
    expect(refusal(handSigned({ canonicalization }))).toBe("canonicalization");
  });

  const xslt = `<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"></xsl:stylesheet>`;
  it.each([
    ["XSLT", transform("http://www.w3.org/TR/1999/REC-xslt-19991116", xslt) + PROFILED_TRANSFORMS],
    ["a third one", PROFILED_TRANSFORMS + transform(EXCLUSIVE)],
    [
      "XPath",
      transform(ENVELOPED) +
        transform("http://www.w3.org/TR/1999/REC-xpath-19991116", "<ds:XPath>false()</ds:XPath>"),
    ],
    ["base64", transform(ENVELOPED) + transform("http://www.w3.org/2000/09/xmldsig#base64")],
    ["the enveloped signature alone", transform(ENVELOPED)],
    ["canonicalization alone", transform(EXCLUSIVE)],
    ["the other order", transform(EXCLUSIVE) + transform(ENVELOPED)],
    ["content where none belongs", transform(ENVELOPED, "<ds:X></ds:X>") + transform(EXCLUSIVE)],
    ["an unknown parameter", transform(ENVELOPED) + transform(EXCLUSIVE, "<ds:X></ds:X>")],
  ])("refuses transforms with %s", (_, transforms) => {
    expect(refusal(handSigned({ transforms }))).toBe("signature_transform");
  });

  it("refuses no transforms at all", () => {
    expect(refusal(handSigned({ transforms: "" }))).toBe("signature_structure");
  });

  it("accepts prefixes that are kept where nothing uses them (xml-exc-c14n §4)", () => {
    const inclusive = `<ec:InclusiveNamespaces xmlns:ec="${EXCLUSIVE}" PrefixList="unused other"></ec:InclusiveNamespaces>`;
    expect(refusal(handSigned({ transforms: transform(ENVELOPED) + transform(EXCLUSIVE, inclusive) }))).toBe(
      accepted,
    );
  });
});
