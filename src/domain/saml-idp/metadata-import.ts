import { type FieldError, validationError } from "../../lib/errors.ts";
import { SamlError } from "../../protocol/saml/errors.ts";
import { readSpMetadata, type SpMetadata, SpMetadataError } from "../../protocol/saml/idp/sp-metadata.ts";
import type { SamlClientRequest } from "./model.ts";

/**
 * A description of an application from its own metadata, with what the administrator says over it.
 * @param said members that count instead of the metadata's, and a name: metadata has none that can be relied on
 * @throws AppError 422 that names `metadata`
 */
export function describeByMetadata(
  metadata: string,
  said: Partial<SamlClientRequest> & Pick<SamlClientRequest, "name">,
): SamlClientRequest {
  const { entityId, acsUrls, slo, ...read } = parse(metadata);
  return {
    entity_id: entityId,
    acs_urls: [...acsUrls],
    ...(slo ? { slo_url: slo.url, slo_binding: slo.binding } : {}),
    ...(read.nameIdFormat ? { name_id_format: read.nameIdFormat } : {}),
    ...(read.wantAssertionsSigned ? { sign_assertion: true } : {}),
    signing_certificates: [...read.signingCertificates],
    encryption_certificate: read.encryptionCertificate ?? null,
    require_signed_requests: read.authnRequestsSigned,
    ...said,
  };
}

function parse(metadata: string): SpMetadata {
  try {
    return readSpMetadata(metadata);
  } catch (error) {
    if (error instanceof SpMetadataError) throw wrong(error.message);
    if (error instanceof SamlError) throw wrong("Is not well-formed, or holds what metadata has no need of.");
    throw error;
  }
}

function wrong(message: string) {
  const problem: FieldError = { field: "metadata", message };
  return validationError([problem]);
}
