/** Metadata of an identity provider (SAML Metadata §2.4.3). */
import { bindings, nameIdFormats, ns } from "../names.ts";
import { dateTime, element, type Xml } from "./xml.ts";

export interface IdpMetadata {
  /** An xs:ID, for the signature to refer to. */
  readonly id: string;
  readonly entityId: string;
  /** Until when it may be kept. */
  readonly validUntil: Date;
  /** DER, of every key that messages may be signed with now or next. */
  readonly certificates: readonly Uint8Array[];
  readonly wantAuthnRequestsSigned: boolean;
  readonly ssoUrl: string;
  readonly sloUrl: string;
  readonly nameIdFormat: keyof typeof nameIdFormats;
}

export function idpMetadata(input: IdpMetadata): Xml {
  const endpoint = (name: string, binding: string, location: string) =>
    element(`md:${name}`, { Binding: binding, Location: location });
  return element(
    "md:EntityDescriptor",
    {
      "xmlns:md": ns.metadata,
      ID: input.id,
      entityID: input.entityId,
      validUntil: dateTime(input.validUntil),
    },
    element(
      "md:IDPSSODescriptor",
      {
        protocolSupportEnumeration: ns.protocol,
        WantAuthnRequestsSigned: input.wantAuthnRequestsSigned,
      },
      input.certificates.map(keyDescriptor),
      endpoint("SingleLogoutService", bindings.redirect, input.sloUrl),
      endpoint("SingleLogoutService", bindings.post, input.sloUrl),
      element("md:NameIDFormat", {}, nameIdFormats[input.nameIdFormat]),
      endpoint("SingleSignOnService", bindings.redirect, input.ssoUrl),
      endpoint("SingleSignOnService", bindings.post, input.ssoUrl),
    ),
  );
}

const keyDescriptor = (certificate: Uint8Array): Xml =>
  element(
    "md:KeyDescriptor",
    { use: "signing" },
    element(
      "ds:KeyInfo",
      { "xmlns:ds": ns.signature },
      element(
        "ds:X509Data",
        {},
        element("ds:X509Certificate", {}, Buffer.from(certificate).toString("base64")),
      ),
    ),
  );
