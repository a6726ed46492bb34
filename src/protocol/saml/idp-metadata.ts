/** Metadata of an identity provider (saml-metadata-2.0-os §2.4.3), as far as its certificates go. */
import { X509Certificate } from "node:crypto";
import { pemCertificate } from "./build/sign.ts";
import { SamlError } from "./errors.ts";
import { ns } from "./names.ts";
import { readInstant } from "./time.ts";
import { attributeOf, childrenNamed, decodeBase64, elementsOf, isNamed, parseXml, textOf } from "./xml.ts";

/** Federations publish thousands of entities in one document: such ones are not for a single connection. */
const MOST_METADATA_BYTES = 1024 * 1024;
const MOST_CERTIFICATES = 10;

export interface IdpMetadata {
  /** PEM. */
  readonly certificates: readonly string[];
  /** From when on it holds no more, by the document or any element around the keys. */
  readonly validUntil: Date | undefined;
}

/**
 * The certificates that an entity signs with. Where they come from has to be known otherwise: by the address that they were
 * fetched from. A signature of the document is not looked at, for there is no key to check it with.
 * @throws SamlError for what is no metadata, of another entity, over, or without a certificate
 */
export function readIdpMetadata(text: string, entityId: string, now: Date): IdpMetadata {
  const root = parseXml(text, MOST_METADATA_BYTES);
  const [entity, ...others] = elementsOf(root).filter(
    (element) =>
      isNamed(element, ns.metadata, "EntityDescriptor") && attributeOf(element, "entityID") === entityId,
  );
  if (!entity || others.length > 0) throw new SamlError("metadata", "not one entity of that name");
  const [role, ...roles] = childrenNamed(entity, ns.metadata, "IDPSSODescriptor");
  if (!role || roles.length > 0) throw new SamlError("metadata", "not one identity provider");
  const validUntil = [root, entity, role]
    .flatMap((element) => attributeOf(element, "validUntil") ?? [])
    .map(readInstant)
    .toSorted((a, b) => a.getTime() - b.getTime())[0];
  if (validUntil && validUntil <= now) throw new SamlError("metadata_expired", "metadata that is over");
  const certificates = [...new Set(signingCertificates(role))];
  if (certificates.length === 0 || certificates.length > MOST_CERTIFICATES)
    throw new SamlError("metadata", "no certificate to sign with, or too many");
  return { certificates, validUntil };
}

/** §2.4.1.1: a key without a `use` is for everything. */
function signingCertificates(role: Element): string[] {
  return childrenNamed(role, ns.metadata, "KeyDescriptor")
    .filter((descriptor) => (attributeOf(descriptor, "use") ?? "signing") === "signing")
    .flatMap(elementsOf)
    .filter((element) => isNamed(element, ns.signature, "X509Certificate"))
    .map((element) => certificateOf(decodeBase64(textOf(element))));
}

function certificateOf(der: Buffer): string {
  try {
    return pemCertificate(new X509Certificate(der).raw);
  } catch {
    throw new SamlError("metadata", "a certificate that is none");
  }
}
