/** What a service provider says of itself (SAML Metadata §2.4.4), for an administrator who makes it known. */
import { bindings, nameIdFormats, ns } from "../names.ts";
import { attributeOf, childrenNamed, elementsOf, isNamed, parseXml, textOf } from "../xml.ts";

/** Federations publish files of megabytes; one entity's has a few kilobytes. */
export const MOST_METADATA_BYTES = 256 * 1024;

export interface SpMetadata {
  readonly entityId: string;
  readonly acsUrls: readonly { url: string; index: number; is_default: boolean }[];
  readonly slo: { readonly url: string; readonly binding: "redirect" | "post" } | undefined;
  /** The first of its formats that there is here; undefined: it does not mind. */
  readonly nameIdFormat: "emailAddress" | "persistent" | "transient" | "unspecified" | undefined;
  readonly authnRequestsSigned: boolean;
  readonly wantAssertionsSigned: boolean;
  /** PEM. */
  readonly signingCertificates: readonly string[];
  readonly encryptionCertificate: string | undefined;
}

/** It is not metadata of one service provider. The message says why, and holds nothing of it. */
export class SpMetadataError extends Error {
  override readonly name = "SpMetadataError";
}

/**
 * Reads it by the same parser as messages. It is the administrator who vouches for it: a signature in it is not looked at,
 * and comments, which vendors write into it, are taken out before it is parsed.
 * @throws SpMetadataError
 * @throws SamlError for what cannot be parsed
 */
export function readSpMetadata(text: string): SpMetadata {
  const root = parseXml(text.replaceAll(/<!--[\s\S]*?-->/g, "").trim(), MOST_METADATA_BYTES);
  const [entity, ...others] = elementsOf(root).filter(
    (element) =>
      isNamed(element, ns.metadata, "EntityDescriptor") &&
      childrenNamed(element, ns.metadata, "SPSSODescriptor").length > 0,
  );
  if (!entity || others.length > 0) throw new SpMetadataError("Must describe one service provider.");
  const [descriptor] = childrenNamed(entity, ns.metadata, "SPSSODescriptor").filter((element) =>
    (attributeOf(element, "protocolSupportEnumeration") ?? "").split(/\s+/).includes(ns.protocol),
  );
  const entityId = attributeOf(entity, "entityID");
  if (!descriptor || !entityId) throw new SpMetadataError("Must be of a service provider of SAML 2.0.");
  const acsUrls = readAcsUrls(descriptor);
  if (acsUrls.length === 0)
    throw new SpMetadataError("Must have an AssertionConsumerService for the HTTP-POST binding.");
  return {
    entityId,
    acsUrls,
    slo: readSlo(descriptor),
    nameIdFormat: readNameIdFormat(descriptor),
    authnRequestsSigned: isTrue(attributeOf(descriptor, "AuthnRequestsSigned")),
    wantAssertionsSigned: isTrue(attributeOf(descriptor, "WantAssertionsSigned")),
    signingCertificates: certificatesFor(descriptor, "signing"),
    encryptionCertificate: certificatesFor(descriptor, "encryption")[0],
  };
}

function readAcsUrls(descriptor: Element): SpMetadata["acsUrls"] {
  return childrenNamed(descriptor, ns.metadata, "AssertionConsumerService")
    .filter((service) => attributeOf(service, "Binding") === bindings.post)
    .map((service, place) => ({
      url: attributeOf(service, "Location") ?? "",
      index: Number(attributeOf(service, "index") ?? place),
      is_default: isTrue(attributeOf(service, "isDefault")),
    }));
}

function readSlo(descriptor: Element): SpMetadata["slo"] {
  const services = childrenNamed(descriptor, ns.metadata, "SingleLogoutService");
  for (const binding of ["redirect", "post"] as const) {
    const service = services.find((one) => attributeOf(one, "Binding") === bindings[binding]);
    const url = service && attributeOf(service, "Location");
    if (url) return { url, binding };
  }
  return undefined;
}

const KNOWN_FORMATS = ["emailAddress", "persistent", "transient", "unspecified"] as const;

function readNameIdFormat(descriptor: Element): SpMetadata["nameIdFormat"] {
  const wanted = childrenNamed(descriptor, ns.metadata, "NameIDFormat").map(textOf);
  for (const uri of wanted) {
    const known = KNOWN_FORMATS.find((format) => nameIdFormats[format] === uri);
    if (known) return known;
  }
  return undefined;
}

/** A key without a use is for both (SAML Metadata §2.4.1.1). */
function certificatesFor(descriptor: Element, use: "signing" | "encryption"): string[] {
  return childrenNamed(descriptor, ns.metadata, "KeyDescriptor")
    .filter((key) => (attributeOf(key, "use") ?? use) === use)
    .flatMap((key) => elementsOf(key).filter((element) => isNamed(element, ns.signature, "X509Certificate")))
    .map((element) => pemOf(textOf(element)));
}

function pemOf(base64: string): string {
  const lines = base64.replaceAll(/\s/g, "").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

const isTrue = (value: string | undefined) => value === "true" || value === "1";
