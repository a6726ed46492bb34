import { X509Certificate } from "node:crypto";
import { xmlEncryption } from "../libraries.ts";
import { ns } from "../names.ts";
import { element, type Xml } from "./xml.ts";

/**
 * An assertion that only its reader can open (SAML Core §2.3.4): AES-256-GCM under a fresh key, and that key for the
 * reader's certificate by RSA-OAEP (XML Encryption 1.1 §5.2.4, §5.5.2), with the digest that every reader knows: SHA-1, of
 * which OAEP needs no resistance to collisions.
 * @param assertion signed already: what is signed is what the reader decrypts
 * @param certificate PEM, of an RSA key
 */
export async function encryptAssertion(assertion: Xml, certificate: string): Promise<Xml> {
  const publicKey = new X509Certificate(certificate).publicKey.export({ format: "pem", type: "spki" });
  const encrypted = await new Promise<string>((resolve, reject) => {
    xmlEncryption().encrypt(
      assertion.xml,
      {
        rsa_pub: String(publicKey),
        pem: certificate,
        encryptionAlgorithm: "http://www.w3.org/2009/xmlenc11#aes256-gcm",
        keyEncryptionAlgorithm: "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
        disallowEncryptionWithInsecureAlgorithm: true,
      },
      (error: Error | null, result?: string) =>
        result === undefined ? reject(error ?? new Error("nothing was encrypted")) : resolve(result),
    );
  });
  return element("saml:EncryptedAssertion", { "xmlns:saml": ns.assertion }, { xml: encrypted });
}
