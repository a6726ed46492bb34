/**
 * The one place that knows samlify: it writes our metadata. What comes from others is read, and judged, by
 * `protocol/saml` alone.
 */
import { bindings } from "../../protocol/saml/names.ts";

export interface ServiceProviderMetadata {
  readonly entityId: string;
  readonly acsUrl: string;
  readonly sloUrl: string;
  readonly nameIdFormat: string;
  readonly authnRequestsSigned: boolean;
  /** DER, of every key that signs now or next; what is encrypted for any of them can be opened. */
  readonly certificates: readonly Uint8Array[];
}

/** SAML Metadata §2.4.4. */
export async function writeMetadata(metadata: ServiceProviderMetadata): Promise<string> {
  // With the first that is asked for, and not before: servers without SAML have no use for it.
  const { default: samlify } = await import("samlify");
  const certificates = metadata.certificates.map((der) => Buffer.from(der).toString("base64"));
  const endpoint = (Binding: string, Location: string) => ({ Binding, Location });
  const written = samlify.SPMetadata({
    entityID: metadata.entityId,
    authnRequestsSigned: metadata.authnRequestsSigned,
    wantAssertionsSigned: true,
    signingCert: certificates,
    encryptCert: certificates,
    nameIDFormat: [metadata.nameIdFormat],
    singleLogoutService: [
      endpoint(bindings.redirect, metadata.sloUrl),
      endpoint(bindings.post, metadata.sloUrl),
    ],
    assertionConsumerService: [{ ...endpoint(bindings.post, metadata.acsUrl), isDefault: true }],
    // As the schema has it (SAML Metadata §2.4.2).
    elementsOrder: ["KeyDescriptor", "SingleLogoutService", "NameIDFormat", "AssertionConsumerService"],
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n${written.getMetadata()}`;
}
