import type { KeyObject } from "node:crypto";
import { xmlCrypto } from "../libraries.ts";
import { ENVELOPED_SIGNATURE, EXCLUSIVE_C14N, ns } from "../names.ts";
import type { Xml } from "./xml.ts";

/** What we sign with: an RSA key and its certificate, which peers know us by. */
export interface SamlSigner {
  readonly privateKey: KeyObject;
  /** DER. */
  readonly certificate: Uint8Array;
}

export const RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256";

/**
 * Puts an enveloped signature over the whole of a document's root into it (SAML Core §5.4): RSA-SHA256 over exclusive
 * canonicalization, one reference to the root by its ID, and the certificate for who picks keys by it.
 * @param document whose root has an `ID`
 * @param after the local name of the root's child that the signature follows: the schema has it right after the Issuer,
 *   or, where there is none (metadata), first
 */
export function signDocument(document: Xml, signer: SamlSigner, { after }: { after?: "Issuer" } = {}): Xml {
  const signature = new (xmlCrypto().SignedXml)({
    privateKey: signer.privateKey,
    publicCert: pemCertificate(signer.certificate),
    signatureAlgorithm: RSA_SHA256,
    canonicalizationAlgorithm: EXCLUSIVE_C14N,
    idAttribute: "ID",
  });
  signature.addReference({
    xpath: "/*",
    digestAlgorithm: SHA256,
    transforms: [ENVELOPED_SIGNATURE, EXCLUSIVE_C14N],
  });
  signature.computeSignature(document.xml, {
    prefix: "ds",
    location: after
      ? {
          reference: `/*/*[local-name(.)='${after}' and namespace-uri(.)='${ns.assertion}']`,
          action: "after",
        }
      : { reference: "/*", action: "prepend" },
  });
  return { xml: signature.getSignedXml() };
}

/** RFC 7468 §5. */
export function pemCertificate(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
