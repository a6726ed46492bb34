/**
 * Messages of single logout that are not what they seem (SAML Profiles §4.4.4.1). Guards: `verifyRedirect` over the very
 * characters of the address, `readPostLogout` with its signature and what it covers, and `checkMessage`.
 */
import { describe, expect, it } from "bun:test";
import { sign } from "node:crypto";
import { SamlError } from "../../../src/protocol/saml/errors.ts";
import { readPostLogout, readRedirectLogout } from "../../../src/protocol/saml/logout.ts";
import { readRedirect } from "../../../src/protocol/saml/redirect.ts";
import { logoutRequestXml, redirectQuery, signXml } from "../../support/saml-identity-provider.ts";
import { elementText, now, policy, replaced, stranger, trusted } from "./support.ts";

const destination = "https://sp.example/slo";
const expected = { now, skewSeconds: 60, issuer: "https://idp.example/metadata", destination };
const request = (changes = {}) =>
  logoutRequestXml({ now, issuer: expected.issuer, destination, nameId: "ada", ...changes });
const signed = (xml: string, by = trusted) => signXml(xml, "LogoutRequest", by);

function reasonOf(act: () => unknown): string {
  try {
    act();
    return "accepted";
  } catch (error) {
    if (error instanceof SamlError) return error.reason;
    throw error;
  }
}

const byPost = (xml: string) => reasonOf(() => readPostLogout(xml, policy.signatures, expected));
const byRedirect = (query: string) =>
  reasonOf(() => readRedirectLogout(readRedirect(query), policy.signatures, expected));

describe("a LogoutRequest by the POST binding", () => {
  it("is accepted when it is genuine", () => {
    expect(byPost(signed(request()))).toBe("accepted");
  });

  it("is refused unsigned, signed by somebody else, changed, for somebody else, of somebody else, or old", () => {
    expect(byPost(request())).toBe("unsigned");
    expect(byPost(signed(request(), stranger))).toBe("signature_mismatch");
    expect(byPost(replaced(signed(request()), "<saml:NameID>ada", "<saml:NameID>eve"))).toBe(
      "digest_mismatch",
    );
    expect(byPost(signed(request({ destination: "https://other.example" })))).toBe("destination");
    expect(byPost(signed(request().replace(/ Destination="[^"]*"/, "")))).toBe("destination");
    expect(byPost(signed(request({ issuer: "https://other.example" })))).toBe("issuer");
    expect(byPost(signed(request({ now: new Date(now.getTime() - 360_000) })))).toBe("issue_instant");
    expect(
      byPost(signed(request().replace(" Version=", ` NotOnOrAfter="${now.toISOString()}" Version=`))),
    ).toBe("accepted");
    const over = new Date(now.getTime() - 60_000).toISOString();
    expect(byPost(signed(request().replace(" Version=", ` NotOnOrAfter="${over}" Version=`)))).toBe(
      "expired",
    );
  });

  it("is refused when it is another message, however well it is signed", () => {
    const other = request().replaceAll("samlp:LogoutRequest", "samlp:AuthnRequest");
    expect(byPost(signXml(other, "AuthnRequest", trusted))).toBe("unexpected_message");
  });

  it("is refused in every shape of wrapping", () => {
    const document = signed(request());
    const signature = elementText(document, "ds:Signature");
    const bare = document.replace(signature, "");
    const evil = bare.replace("<saml:NameID>ada", "<saml:NameID>eve").replace(' ID="_', ' ID="_evil');
    const within = (element: string, inserted: string) =>
      element.replace("</saml:Issuer>", () => `</saml:Issuer>${inserted}`);
    const atEnd = (element: string, name: string, inserted: string) =>
      element.replace(new RegExp(`</${name}>$`), () => `${inserted}</${name}>`);
    const object = (content: string) => atEnd(signature, "ds:Signature", `<ds:Object>${content}</ds:Object>`);
    expect(byPost(within(evil, atEnd(signature, "ds:Signature", bare)))).toBe("signature_structure");
    expect(byPost(within(evil, bare + signature))).toBe("signature_reference");
    expect(byPost(atEnd(evil, "samlp:LogoutRequest", document))).toBe("misplaced_signature");
    expect(byPost(within(evil, document))).toBe("misplaced_signature");
    expect(byPost(atEnd(within(evil, signature), "samlp:LogoutRequest", bare))).toBe("signature_reference");
    expect(byPost(within(evil, object(bare)))).toBe("signature_structure");
    expect(byPost(within(evil, `<samlp:Extensions>${document}</samlp:Extensions>`))).toBe(
      "misplaced_signature",
    );
    const same = evil.replace(' ID="_evil', ' ID="_');
    expect(byPost(within(same, object(bare)))).toBe("duplicate_id");
    expect(byPost(within(same, signature))).toBe("digest_mismatch");
  });
});

describe("a LogoutRequest by the redirect binding", () => {
  const query = (
    xml = request(),
    relayState: string | undefined = "state",
    by: typeof trusted | undefined = trusted,
  ) => redirectQuery("SAMLRequest", xml, relayState, by);

  it("is accepted when it is genuine, also in the spelling of other systems", () => {
    expect(byRedirect(query())).toBe("accepted");
    expect(byRedirect(redirectQuery("SAMLRequest", request(), undefined, trusted))).toBe("accepted");
    // As .NET escapes: the signature is over what was written.
    const [unsigned = ""] = query(request(), "a b").split("&Signature=");
    const lower = unsigned.replaceAll(/%[\dA-F]{2}/g, (escape) => escape.toLowerCase()).replace("%20", "+");
    const value = sign("sha256", Buffer.from(lower), trusted.privateKey).toString("base64");
    expect(byRedirect(`${lower}&Signature=${encodeURIComponent(value)}`)).toBe("accepted");
  });

  it("is refused unsigned, though a signature of a document is in it", () => {
    expect(byRedirect(redirectQuery("SAMLRequest", request(), "state", undefined))).toBe("unsigned");
    expect(byRedirect(redirectQuery("SAMLRequest", signed(request()), "state", undefined))).toBe("unsigned");
  });

  it("is refused without its algorithm, and with one that is not accepted", () => {
    expect(byRedirect(query().replace(/&SigAlg=[^&]*/, ""))).toBe("unsigned");
    expect(
      byRedirect(
        redirectQuery("SAMLRequest", request(), "s", trusted, "http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
      ),
    ).toBe("signature_algorithm");
  });

  it("is refused with another message, another RelayState, or none, under the same signature", () => {
    const [own, other] = [query(), query(request({ nameId: "eve" }))];
    const message = (of: string) => of.slice(0, of.indexOf("&"));
    expect(byRedirect(own.replace(message(own), message(other)))).toBe("signature_mismatch");
    expect(byRedirect(query().replace("RelayState=state", "RelayState=other"))).toBe("signature_mismatch");
    expect(byRedirect(query().replace("RelayState=state&", ""))).toBe("signature_mismatch");
    const without = redirectQuery("SAMLRequest", request(), undefined, trusted);
    expect(byRedirect(without.replace("&SigAlg", "&RelayState=x&SigAlg"))).toBe("signature_mismatch");
    expect(byRedirect(query(request(), "state", stranger))).toBe("signature_mismatch");
  });

  it("is refused with a response in its place, or by another name", () => {
    const renamed = query().replace("SAMLRequest=", "SAMLResponse=");
    expect(byRedirect(renamed)).toBe("signature_mismatch");
  });

  it("is refused with a signature in the document besides: nobody looked at that one", () => {
    expect(byRedirect(query(signed(request(), stranger)))).toBe("misplaced_signature");
  });
});
