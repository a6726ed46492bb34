/**
 * Encrypted assertions that say more to who sends them than they should, or that nobody vouches for (xmlenc-core1 §6.1; Jager
 * and Somorovsky, "How to Break XML Encryption", 2011). The guards are the lines of `protocol/saml/encryption.ts` that throw the
 * named reason, and `openSealed` of `response.ts`.
 */
import { describe, expect, it } from "bun:test";
import {
  assertionXml,
  encryptedAssertion,
  responseXml,
  signXml,
} from "../../support/saml-identity-provider.ts";
import { genuine, own, parts, policy, refusal, replaced, stranger, trusted } from "./support.ts";

const accepted = "accepted: ada@example.com";

describe("encrypted assertions (xmlenc-core1)", () => {
  const sealed = async (assertion: string, options?: Parameters<typeof encryptedAssertion>[2]) =>
    encryptedAssertion(assertion, own.certificate, options);
  const signedAssertion = () => signXml(assertionXml(parts()), "Assertion", trusted);

  it("are accepted when they, or the response around them, are signed", async () => {
    expect(refusal(responseXml(parts(), await sealed(signedAssertion())))).toBe(accepted);
    const around = responseXml(parts(), await sealed(assertionXml(parts())));
    expect(refusal(signXml(around, "Response", trusted))).toBe(accepted);
  });

  it("are refused when nobody signed: anybody can encrypt for us", async () => {
    expect(refusal(responseXml(parts(), await sealed(assertionXml(parts()))))).toBe("unsigned");
    const theirs = signXml(assertionXml(parts()), "Assertion", stranger);
    expect(refusal(responseXml(parts(), await sealed(theirs)))).toBe("signature_mismatch");
  });

  it("are refused with a key that is wrapped by RSA 1.5 (Bleichenbacher)", async () => {
    expect(refusal(responseXml(parts(), await sealed(signedAssertion(), { key: "rsa15" })))).toBe(
      "encryption_algorithm",
    );
  });

  it("are refused with AES-CBC unless it is configured (Jager and Somorovsky)", async () => {
    const cbc = responseXml(parts(), await sealed(signedAssertion(), { content: "cbc" }));
    expect(refusal(cbc)).toBe("encryption_algorithm");
    expect(refusal(cbc, { policy: { decryption: { ...policy.decryption, allowCbc: true } } })).toBe(accepted);
  });

  it("are refused when the ciphertext was changed, or is for somebody else", async () => {
    const theirs = await encryptedAssertion(signedAssertion(), stranger.certificate);
    expect(refusal(responseXml(parts(), theirs))).toBe("decryption");
    const xml = responseXml(parts(), await sealed(signedAssertion()));
    const end = xml.lastIndexOf("</xenc:CipherValue>");
    const changed = `${xml.slice(0, end - 8)}${xml.slice(end - 8, end - 4) === "AAAA" ? "BBBB" : "AAAA"}${xml.slice(end - 4)}`;
    expect(refusal(changed)).toBe("decryption");
  });

  it("are refused with a tag that was cut short", async () => {
    const xml = responseXml(parts(), await sealed(signedAssertion()));
    const value =
      xml.slice(0, xml.lastIndexOf("</xenc:CipherValue>")).split("<xenc:CipherValue>").at(-1) ?? "";
    const cut = Buffer.from(value, "base64").subarray(0, 20).toString("base64");
    expect(refusal(xml.replace(value, () => cut))).toBe("decryption");
  });

  it("are opened by a former key too", async () => {
    const keys = [stranger.privateKey, own.privateKey];
    const xml = responseXml(parts(), await sealed(signedAssertion()));
    expect(refusal(xml, { policy: { decryption: { keys, allowCbc: false } } })).toBe(accepted);
  });

  it("are refused with two keys, of which one is chosen by who sends them", async () => {
    const xml = responseXml(parts(), await sealed(signedAssertion()));
    const key = /<e:EncryptedKey.*<\/e:EncryptedKey>/s.exec(xml)?.[0];
    if (!key) throw new Error("no key");
    expect(refusal(xml.replace(key, () => key + key))).toBe("encryption_structure");
  });

  it("are refused with a reference in the content's place", async () => {
    const xml = responseXml(parts(), await sealed(signedAssertion()));
    const start = xml.lastIndexOf("<xenc:CipherValue>");
    const end = xml.lastIndexOf("</xenc:CipherValue>") + "</xenc:CipherValue>".length;
    const reference = `${xml.slice(0, start)}<xenc:CipherReference URI="https://attacker.example/"/>${xml.slice(end)}`;
    expect(refusal(reference)).toBe("encryption_structure");
  });

  it("are refused when what was in them is no assertion, or two, or hides something", async () => {
    const nothing = responseXml(parts(), await sealed("<a/>"));
    expect(refusal(nothing)).toBe("assertion_count");
    const commented = replaced(
      signedAssertion(),
      "ada@example.com</saml:NameID>",
      "ada@example.com<!-- -->.x</saml:NameID>",
    );
    expect(refusal(responseXml(parts(), await sealed(commented)))).toBe("comment");
    const advised = replaced(
      signedAssertion(),
      "</saml:Issuer>",
      `</saml:Issuer><saml:Advice>${assertionXml(parts())}</saml:Advice>`,
    );
    expect(refusal(responseXml(parts(), await sealed(advised)))).toBe("assertion_count");
  });

  it("are asked for where they are configured: one in the clear is refused", async () => {
    const requireEncryption = { policy: { requireEncryption: true } };
    expect(refusal(genuine("both"), requireEncryption)).toBe("not_encrypted");
    expect(refusal(responseXml(parts(), await sealed(signedAssertion())), requireEncryption)).toBe(accepted);
  });
});
