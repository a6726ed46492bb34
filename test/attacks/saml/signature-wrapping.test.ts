/**
 * XML signature wrapping (Somorovsky et al., "On Breaking SAML", USENIX Security 2012; CVE-2025-47949, CVE-2025-25292): a
 * message that somebody really signed is kept, so that its signature still holds, and another one is put where it is read.
 * The eight shapes are those of SAML Raider. Each is tried on a response that is signed itself and on one of which the
 * assertion is, and with the forged element under an identifier of its own and under that of the signed one.
 *
 * Guards, each of which makes some of these fail when it is removed: `checkIds` (xml.ts), `theAssertion` and its count
 * (response.ts), `refuseMisplacedSignatures`, the children that a Signature may have, and that a reference names the element
 * that its signature stands in (signature.ts). That what is read is what was signed (`verifySigned` hands on the parsed
 * signed bytes) stands behind all of them.
 */
import { describe, expect, it } from "bun:test";
import { SamlError, type SamlRefusal } from "../../../src/protocol/saml/errors.ts";
import { verifySigned } from "../../../src/protocol/saml/signature.ts";
import { attributeOf, elementsOf, parseXml } from "../../../src/protocol/saml/xml.ts";
import { assertionXml, NAMESPACES, responseXml, signXml } from "../../support/saml-identity-provider.ts";
import { elementText, genuine, parts, policy, refusal, replaced, trusted } from "./support.ts";

type Covered = "response" | "assertion";

/** A signed message in pieces. */
interface Pieces {
  /** The signed element, as it was. */
  readonly original: string;
  /** The same without its signature. */
  readonly bare: string;
  readonly signature: string;
  /** What the attacker would like to have said. */
  readonly evil: string;
  /** The document around an element in the signed one's place. */
  around(element: string): string;
}

const tags = { response: "samlp:Response", assertion: "saml:Assertion" } as const;

function takeApart(covered: Covered, identifier: "own" | "same"): Pieces {
  const document = genuine(covered);
  const original = elementText(document, tags[covered]);
  const signature = elementText(document, "ds:Signature");
  const bare = replaced(original, signature, "");
  const forged = replaced(bare, /<saml:NameID[^>]*>[^<]*/, "<saml:NameID>admin@example.com");
  const evil = identifier === "same" ? forged : forged.replaceAll(/ ID="_/g, ' ID="_evil');
  return { original, bare, signature, evil, around: (element) => replaced(document, original, element) };
}

/** Puts something into an element, where the signature has its place: after the issuer. */
const afterIssuer = (element: string, inserted: string) => {
  const at = element.indexOf("</saml:Issuer>") + "</saml:Issuer>".length;
  return element.slice(0, at) + inserted + element.slice(at);
};
const atTheEnd = (element: string, inserted: string) => {
  const at = element.lastIndexOf("</");
  return element.slice(0, at) + inserted + element.slice(at);
};

/** Siblings have no place at the root: there the other one goes inside. */
const beside = (pieces: Pieces, covered: Covered, first: string, second: string) =>
  covered === "assertion" ? pieces.around(first + second) : atTheEnd(first, second);

const shapes: Record<string, (pieces: Pieces, covered: Covered) => string> = {
  "XSW1, the original inside of the signature": (p) =>
    p.around(afterIssuer(p.evil, atTheEnd(p.signature, p.bare))),
  "XSW2, the original beside the signature": (p) => p.around(afterIssuer(p.evil, p.bare + p.signature)),
  "XSW3, the forged one before the original": (p, covered) => beside(p, covered, p.evil, p.original),
  "XSW4, the original inside of the forged one": (p) => p.around(atTheEnd(p.evil, p.original)),
  "XSW5, the signature moved to the forged one, the original after it": (p, covered) =>
    beside(p, covered, afterIssuer(p.evil, p.signature), p.bare),
  "XSW6, the same, and the original inside of the signature": (p) =>
    p.around(afterIssuer(p.evil, afterElement(p.signature, "ds:SignedInfo", p.bare))),
  "XSW7, the forged one in extensions": (p, covered) => {
    const extensions = `<samlp:Extensions ${NAMESPACES}>${p.evil}</samlp:Extensions>`;
    return covered === "assertion" ? p.around(extensions + p.original) : afterIssuer(p.original, extensions);
  },
  "XSW8, the original in an object of the signature": (p) =>
    p.around(afterIssuer(p.evil, atTheEnd(p.signature, `<ds:Object>${p.bare}</ds:Object>`))),
};

function afterElement(text: string, name: string, inserted: string): string {
  const at = text.indexOf(`</${name}>`) + name.length + 3;
  return text.slice(0, at) + inserted + text.slice(at);
}

/** What verification says of the forged element itself, when nothing before it looked at the message as a whole. */
const ofTheForged: Record<string, SamlRefusal> = {
  XSW1: "signature_structure",
  XSW2: "signature_reference",
  XSW3: "unsigned",
  XSW4: "unsigned",
  XSW5: "signature_reference",
  XSW6: "signature_structure",
  XSW7: "unsigned",
  XSW8: "signature_structure",
};

function forgedElement(document: string): Element {
  const forged = elementsOf(parseXml(document)).find((element) =>
    attributeOf(element, "ID")?.startsWith("_evil"),
  );
  if (!forged) throw new Error("nothing was forged");
  return forged;
}

function reasonOf(act: () => unknown): SamlRefusal | "accepted" {
  try {
    act();
    return "accepted";
  } catch (error) {
    if (error instanceof SamlError) return error.reason;
    throw error;
  }
}

describe("signature wrapping (SAML Core §5.4.2)", () => {
  for (const [name, wrap] of Object.entries(shapes)) {
    for (const covered of ["response", "assertion"] as const) {
      const own = () => wrap(takeApart(covered, "own"), covered);

      it(`refuses ${name}: the ${covered} signed, both by one identifier`, () => {
        expect(refusal(wrap(takeApart(covered, "same"), covered))).toBe("duplicate_id");
      });
      it(`refuses ${name}: the ${covered} signed, the forged one by its own identifier`, () => {
        expect(refusal(own())).toBe("assertion_count");
      });
      it(`hands on nothing of ${name}: the ${covered} signed`, () => {
        expect(reasonOf(() => verifySigned(forgedElement(own()), policy.signatures))).toBe(
          ofTheForged[name.slice(0, 4)] ?? "accepted",
        );
      });
    }
  }

  it("reads nothing but the signed bytes: what verification hands on is another document", () => {
    const root = parseXml(genuine("response"));
    const verified = verifySigned(root, policy.signatures);
    expect(verified.ownerDocument).not.toBe(root.ownerDocument);
    expect(elementsOf(verified).some(({ localName }) => localName === "Signature")).toBe(false);
  });

  it("refuses a second assertion, signed by the same identity provider, beside the first", () => {
    const [one, other] = [genuine("assertion"), genuine("assertion")];
    const second = elementText(other, "saml:Assertion");
    expect(refusal(atTheEnd(one, second))).toBe("assertion_count");
  });

  it("refuses a second assertion inside of the first one's advice, before it was signed", () => {
    const advice = `<saml:Advice>${elementText(genuine("assertion"), "saml:Assertion")}</saml:Advice>`;
    const within = assertionXml(parts()).replace("<saml:AuthnStatement", `${advice}<saml:AuthnStatement`);
    const signed = signXml(responseXml(parts(), within), "Response", trusted);
    expect(refusal(signed)).toBe("assertion_count");
  });

  it("refuses a response without any assertion", () => {
    expect(refusal(signXml(responseXml(parts(), ""), "Response", trusted))).toBe("assertion_count");
  });

  it("refuses an assertion that is not where it belongs", () => {
    const wrapped = responseXml(parts(), `<samlp:Extensions>${assertionXml(parts())}</samlp:Extensions>`);
    expect(refusal(signXml(wrapped, "Response", trusted))).toBe("assertion_count");
  });

  it("refuses a signature where none belongs, be it a good one", () => {
    const signature = elementText(genuine("assertion"), "ds:Signature");
    const extensions = `<samlp:Extensions>${signature}</samlp:Extensions>`;
    const signed = afterIssuer(genuine("assertion"), extensions);
    expect(refusal(signed)).toBe("misplaced_signature");
  });
});
