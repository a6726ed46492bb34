/** A connection to a SAML 2.0 identity provider. */
import { type Static, Type } from "@sinclair/typebox";
import { Address, Closed, OneOf } from "./members.ts";

export const nameIdFormats = [
  "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
  "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
  "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
  "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
] as const;

export const samlSignatureAlgorithms = ["RSA-SHA256", "RSA-SHA384", "RSA-SHA512", "ECDSA-SHA256"] as const;

const EntityId = Type.String({
  minLength: 1,
  maxLength: 1024,
  pattern: "^[\\x21-\\x7e]+$",
  description: "Its entityID",
  "x-message": "Must be 1 to 1024 visible ASCII characters (SAML 2.0 Core §8.3.6).",
});

export const SamlConfig = Closed({
  idp_entity_id: EntityId,
  sso_url: Address("Its single sign-on service"),
  sso_binding: OneOf(["redirect", "post"], "How AuthnRequests are sent there"),
  slo_url: Type.Optional(Address("Its single logout service")),
  slo_binding: Type.Optional(OneOf(["redirect", "post"], "How LogoutRequests are sent there")),
  /** Several while it changes over. */
  certificates: Type.Array(
    Type.String({
      maxLength: 16_384,
      pattern: "^-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\\s]+-----END CERTIFICATE-----\\s*$",
      "x-message": "Must be a certificate in PEM.",
    }),
    { minItems: 1, maxItems: 10, description: "What its signatures are checked with, in PEM" },
  ),
  /** Read by a schedule, so that a certificate that is replaced there is known here in time. */
  metadata_url: Type.Optional(Address("Where its metadata is")),
  sign_authn_requests: Type.Boolean({ description: "Whether our AuthnRequests are signed" }),
  want_assertions_encrypted: Type.Boolean({ description: "Whether an assertion in the clear is refused" }),
  want_response_signed: Type.Boolean({
    description: "Whether a response is refused of which the assertion alone is signed",
  }),
  name_id_format: OneOf(nameIdFormats, "The NameID that is asked for"),
  allow_idp_initiated: Type.Boolean({ description: "Whether sign-ins may begin there" }),
  signature_algorithm: OneOf(samlSignatureAlgorithms, "What we sign with"),
  /** For identity providers that cannot do better. */
  allow_sha1: Type.Optional(Type.Boolean({ description: "Whether signatures with SHA-1 are accepted" })),
  allow_aes_cbc: Type.Optional(
    Type.Boolean({ description: "Whether assertions encrypted with AES-CBC are accepted" }),
  ),
  clock_skew_seconds: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 300, description: "How far its clock may be from ours" }),
  ),
  /** Kept by the schedule that reads the metadata. */
  metadata_valid_until: Type.Optional(
    Type.String({ maxLength: 40, description: "Until when what its metadata said holds; ISO 8601" }),
  ),
  subject_attribute: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 512,
      description: "The attribute that people are known by, instead of the NameID",
    }),
  ),
});
export type SamlConfig = Static<typeof SamlConfig>;

/** Its own keys are the tenant's signing keys: nothing is kept here. */
export const SamlSecrets = Closed({});
export type SamlSecrets = Static<typeof SamlSecrets>;

export const samlDefaults: Partial<SamlConfig> = {
  sso_binding: "redirect",
  sign_authn_requests: true,
  want_assertions_encrypted: false,
  want_response_signed: false,
  name_id_format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
  allow_idp_initiated: false,
  signature_algorithm: "RSA-SHA256",
};
