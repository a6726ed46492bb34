/**
 * Messages that two readers could read in two ways, or that cost more to read than to send: entities and document types
 * (XXE, billion laughs), comments that cut a NameID short (CVE-2017-11427, CVE-2018-0489), processing instructions that
 * canonicalization takes for text, names and namespaces that a verifier and a reader see differently (CVE-2025-25291,
 * CVE-2022-41912), size, depth and inflation (CVE-2025-25293). Each is a genuine, signed message with one thing changed. The
 * guards are the lines of `protocol/saml/lexical.ts`, `xml.ts`, `redirect.ts` and `post.ts` that throw the named reason.
 */
import { describe, expect, it } from "bun:test";
import { deflateRawSync } from "node:zlib";
import { SamlError, type SamlRefusal } from "../../../src/protocol/saml/errors.ts";
import { readPost } from "../../../src/protocol/saml/post.ts";
import { readRedirect } from "../../../src/protocol/saml/redirect.ts";
import { MOST_MESSAGE_BYTES, parseXml } from "../../../src/protocol/saml/xml.ts";
import { elementText, genuine, handSigned, judge, refusal, replaced } from "./support.ts";

function reasonOf(act: () => unknown): SamlRefusal | "accepted" {
  try {
    act();
    return "accepted";
  } catch (error) {
    if (error instanceof SamlError) return error.reason;
    throw error;
  }
}

const inNameId = (piece: string) => (xml: string) =>
  replaced(xml, "ada@example.com</saml:NameID>", `ada@example.com${piece}</saml:NameID>`);
const onRoot = (attributes: string) => (xml: string) =>
  replaced(xml, "<samlp:Response ", `<samlp:Response ${attributes} `);
const before = (piece: string) => (xml: string) => piece + xml;

const laughs = `<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>`;

const tricks: readonly [string, (xml: string) => string, SamlRefusal][] = [
  ["a comment in the NameID", inNameId("<!-- -->.attacker.example"), "comment"],
  ["a comment anywhere", (xml) => replaced(xml, "<samlp:Status>", "<!-- --><samlp:Status>"), "comment"],
  ["a comment before the root", before("<!-- -->"), "comment"],
  ["a CDATA section in the NameID", inNameId("<![CDATA[.attacker.example]]>"), "cdata"],
  ["a processing instruction in the NameID", inNameId("<?p .attacker.example?>"), "processing_instruction"],
  [
    "a style sheet",
    before(`<?xml-stylesheet href="https://attacker.example/x.xsl"?>`),
    "processing_instruction",
  ],
  ["a document type", before("<!DOCTYPE samlp:Response>"), "doctype"],
  ["a document type after white space", before(" \n\t<!DOCTYPE x>"), "doctype"],
  ["a document type after the root", (xml) => `${xml}<!DOCTYPE x>`, "doctype"],
  [
    "an external entity",
    (xml) => `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${inNameId("&e;")(xml)}`,
    "doctype",
  ],
  ["entities of entities", (xml) => laughs + inNameId("&b;")(xml), "doctype"],
  ["an entity that nobody declared", inNameId("&e;"), "entity"],
  ["an ampersand alone", inNameId("& more"), "entity"],
  ["a reference to no character", inNameId("&#0;"), "entity"],
  ["a reference to half a character", inNameId("&#xD800;"), "entity"],
  [
    "an encoding that is another one",
    before('<?xml version="1.0" encoding="UTF-7"?>'),
    "processing_instruction",
  ],
  ["a control character", inNameId("\u0000"), "not_well_formed"],
  ["half a character", inNameId("\uD800"), "not_well_formed"],
  ["a second root", (xml) => xml + xml, "not_well_formed"],
  ["text after the root", (xml) => `${xml}more`, "not_well_formed"],
  ["text before the root", before("more"), "not_well_formed"],
  [
    "an element that ends as another",
    (xml) => replaced(xml, "</saml:NameID>", "</saml:Name>"),
    "not_well_formed",
  ],
  ["no end", (xml) => xml.slice(0, -1), "not_well_formed"],
  ["an attribute twice", onRoot('Destination="https://attacker.example"'), "not_well_formed"],
  ["an attribute without quotes", onRoot("x=1"), "not_well_formed"],
  ["an attribute with markup in it", onRoot('x="<"'), "not_well_formed"],
  ["attributes that run into each other", onRoot(`x="1"y="2"`), "not_well_formed"],
  ["the end of a section in text", inNameId("]]>"), "not_well_formed"],
  [
    "a name with two colons",
    (xml) => replaced(xml, "<samlp:Status>", "<samlp:a:b/><samlp:Status>"),
    "not_well_formed",
  ],
  [
    "an attribute twice by two prefixes",
    onRoot('xmlns:a="urn:x" xmlns:b="urn:x" a:y="1" b:y="2"'),
    "namespace",
  ],
  [
    "a prefix that is bound to nothing",
    (xml) => replaced(xml, "<samlp:Status>", "<x:y/><samlp:Status>"),
    "namespace",
  ],
  ["an attribute's prefix that is bound to nothing", onRoot('x:y="1"'), "namespace"],
  ["a prefix that is bound to no name", onRoot('xmlns:x=""'), "namespace"],
  ["a relative namespace, at which canonicalization gives up", onRoot('xmlns:x="relative"'), "namespace"],
  [
    "a namespace with markup in it, which canonicalization writes as it is",
    onRoot(`xmlns:x='urn:"y'`),
    "namespace",
  ],
  ["a namespace with a reference in it", onRoot('xmlns:x="urn:&quot;y"'), "namespace"],
  ["an attribute that canonicalization takes for a declaration", onRoot('xmlnsx="urn:y"'), "namespace"],
  ["the prefix xml for something else", onRoot('xmlns:xml="urn:y"'), "namespace"],
  ["another prefix for what is xml", onRoot('xmlns:x="http://www.w3.org/XML/1998/namespace"'), "namespace"],
  [
    "an identifier that names two elements",
    (xml) => {
      const id = / ID="([^"]+)"/.exec(elementText(xml, "saml:Assertion"))?.[1] ?? "";
      return replaced(xml, "<samlp:Status>", `<samlp:Status Id="${id}">`);
    },
    "duplicate_id",
  ],
  [
    "the identifier of another spelling",
    (xml) => {
      const id = / ID="([^"]+)"/.exec(xml)?.[1] ?? "";
      return replaced(xml, "<samlp:Status>", `<samlp:Status xml:id="${id}">`);
    },
    "duplicate_id",
  ],
  ["a depth of a thousand", inNameId("<a>".repeat(1000) + "</a>".repeat(1000)), "too_complex"],
  ["ten thousand elements", inNameId("<a/>".repeat(10_000)), "too_complex"],
  [
    "a hundred attributes",
    onRoot(Array.from({ length: 100 }, (_, index) => `x${index}=""`).join(" ")),
    "too_complex",
  ],
  [
    "more namespaces than one place needs",
    (xml) => {
      const declared = (at: number) =>
        Array.from({ length: 35 }, (_, index) => `xmlns:p${at}x${index}="u:x"`).join(" ");
      return inNameId(`<a ${declared(1)}><a ${declared(2)}><b/></a></a>`)(xml);
    },
    "too_complex",
  ],
  ["more than a message may have", inNameId("a".repeat(MOST_MESSAGE_BYTES)), "too_large"],
];

describe("what a message may be written with", () => {
  it.each(tricks)("refuses %s", (_, change, reason) => {
    expect(refusal(change(genuine("response")))).toBe(reason);
    expect(refusal(change(genuine("assertion")))).toBe(reason);
  });

  it("accepts an XML declaration, a byte order mark, and line ends of any kind", () => {
    const xml = genuine("response");
    expect(refusal(`\uFEFF<?xml version="1.0" encoding="UTF-8"?>\r\n${xml}\r\n`)).toBe(
      "accepted: ada@example.com",
    );
  });

  it("reads characters as what they stand for, when they were signed so", () => {
    expect(judge(genuine("response", { nameId: "a&amp;b&lt;c&#x1F600;" })).nameId.value).toBe("a&b<c😀");
  });

  it("takes time that grows with the message, and not faster", () => {
    // Each of these has once made some expression of some parser try every split.
    for (const piece of ["<a ", "<a b='", "&", "&#", "<!", "</", "<a b='1' ".repeat(3), " \t\n"]) {
      const text = `<r>${piece.repeat(40_000).slice(0, MOST_MESSAGE_BYTES - 10)}</r>`;
      expect(["not_well_formed", "entity", "doctype", "accepted"]).toContain(reasonOf(() => parseXml(text)));
    }
  });
});

describe("a NameID", () => {
  it("is refused with an element inside of it, which some readers skip", () => {
    expect(refusal(genuine("response", { nameId: "ada@example.com<saml:x/>.attacker.example" }))).toBe(
      "name_id",
    );
  });

  it("is refused when it is empty or endless", () => {
    expect(refusal(genuine("response", { nameId: " " }))).toBe("name_id");
    expect(refusal(genuine("response", { nameId: "a".repeat(1025) }))).toBe("name_id");
  });
});

describe("the bindings", () => {
  const deflated = (text: string) => encodeURIComponent(deflateRawSync(text).toString("base64"));

  it("inflates no more than a message may have", () => {
    const bomb = deflated("a".repeat(20_000_000));
    expect(bomb.length).toBeLessThan(32_768);
    expect(reasonOf(() => readRedirect(`SAMLRequest=${bomb}`))).toBe("deflate");
    // Far less is enough to be expensive: two kilobytes of an address become thousands of elements.
    const many = deflated(`<a>${"<b/>".repeat(4900)}</a>`);
    expect(reasonOf(() => readRedirect(`SAMLRequest=${many}`))).toBe("deflate");
    expect(reasonOf(() => readRedirect(`SAMLRequest=${deflated("<a/>")}`))).toBe("accepted");
  });

  it.each([
    ["a message twice", `SAMLRequest=${deflated("<a/>")}&SAMLRequest=${deflated("<b/>")}`, "encoding"],
    ["a message twice, once in other letters", `SAMLRequest=${deflated("<a/>")}&SAML%52equest=x`, "encoding"],
    ["RelayState twice", `SAMLRequest=${deflated("<a/>")}&RelayState=a&RelayState=b`, "encoding"],
    ["SigAlg twice", `SAMLRequest=${deflated("<a/>")}&SigAlg=a&SigAlg=b`, "encoding"],
    ["a request and a response", `SAMLRequest=${deflated("<a/>")}&SAMLResponse=x`, "unexpected_message"],
    ["no message", "RelayState=a", "unexpected_message"],
    ["another encoding", `SAMLRequest=${deflated("<a/>")}&SAMLEncoding=urn:x`, "encoding"],
    ["no base64", "SAMLRequest=%3Ca%2F%3E", "encoding"],
    [
      "what is not deflated",
      `SAMLRequest=${encodeURIComponent(Buffer.from("<a/>").toString("base64"))}`,
      "deflate",
    ],
    ["half an escape", "SAMLRequest=%E0%A4%A", "encoding"],
    ["half an escape beside it", `SAMLRequest=${deflated("<a/>")}&RelayState=%E0%A4%A`, "encoding"],
    [
      "bytes that are no text",
      `SAMLRequest=${encodeURIComponent(deflateRawSync(Buffer.from([0xff, 0xfe])).toString("base64"))}`,
      "encoding",
    ],
    ["an endless address", `SAMLRequest=${"A".repeat(40_000)}`, "too_large"],
  ] as const)("refuses an address with %s", (_, query, reason) => {
    expect(reasonOf(() => readRedirect(query))).toBe(reason);
  });

  it.each([
    ["no message", {}, "unexpected_message"],
    ["both messages", { SAMLRequest: "PGEvPg==", SAMLResponse: "PGEvPg==" }, "unexpected_message"],
    ["no base64", { SAMLResponse: "<a/>" }, "encoding"],
    [
      "bytes that are no text",
      { SAMLResponse: Buffer.from([0xff, 0xfe, 0xfd]).toString("base64") },
      "encoding",
    ],
    ["a large one", { SAMLResponse: "A".repeat(MOST_MESSAGE_BYTES * 2) }, "too_large"],
  ] as const)("refuses a form with %s", (_, fields, reason) => {
    expect(reasonOf(() => readPost(new URLSearchParams(fields)))).toBe(reason);
  });

  it("refuses a form with a message twice", () => {
    const form = new URLSearchParams([
      ["SAMLResponse", "PGEvPg=="],
      ["SAMLResponse", "PGIvPg=="],
    ]);
    expect(reasonOf(() => readPost(form))).toBe("encoding");
  });

  it("refuses another kind of message in a response's place", () => {
    expect(refusal("<a/>")).toBe("unexpected_message");
    expect(refusal(elementText(handSigned(), "saml:Assertion"))).toBe("unexpected_message");
  });
});
