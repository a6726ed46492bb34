import { createPrivateKey, createPublicKey } from "node:crypto";
// oxlint-disable-next-line import/no-unassigned-import -- a polyfill by which the library below is put together
import "reflect-metadata";
import { X509CertificateGenerator } from "@peculiar/x509";

const RS256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } as const;

/**
 * A self-signed certificate for an RS256 key, DER (RFC 5280 §4.1). It adds no trust: whoever reads `x5c` (RFC 7517
 * §4.7) trusts the JWK set that it stands in. Some resource servers take keys in no other form.
 * @param pkcs8 DER of the private key
 * @param name what the certificate is made out to and issued by, as a common name
 * @param serial of at most 16 bytes, in hexadecimal
 */
export async function selfSignedCertificate(input: {
  pkcs8: Uint8Array;
  name: string;
  serial: string;
  notBefore: Date;
  notAfter: Date;
}): Promise<Buffer> {
  const privateKey = createPrivateKey({ key: Buffer.from(input.pkcs8), format: "der", type: "pkcs8" });
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  const [signing, verifying] = await Promise.all([
    crypto.subtle.importKey("pkcs8", new Uint8Array(input.pkcs8), RS256, false, ["sign"]),
    crypto.subtle.importKey("spki", new Uint8Array(spki), RS256, true, ["verify"]),
  ]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: input.serial,
    // As a structure, not as text: a comma in it begins no other attribute.
    name: [{ CN: [input.name] }],
    notBefore: input.notBefore,
    notAfter: input.notAfter,
    signingAlgorithm: RS256,
    keys: { privateKey: signing, publicKey: verifying },
  });
  return Buffer.from(certificate.rawData);
}
