/** Applications that sign people in by SAML 2.0, as administrators describe them. */
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { TEMPLATE_LENGTH } from "../templates/liquid.ts";
import type { SamlClient, SamlClientValues } from "./repo.ts";

export type { SamlClient, SamlClientValues };

const address = (description: string) => Type.String({ minLength: 1, maxLength: 2048, description });
const orNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
const Certificate = Type.String({ maxLength: 16_384, description: "An X.509 certificate in PEM" });

export const SamlClientMembers = {
  name: Type.String({ minLength: 1, maxLength: 200, description: "What people know the application as" }),
  entity_id: Type.String({
    minLength: 1,
    maxLength: 1024,
    description:
      "The service provider's entityID: the Issuer of its requests, and the audience of assertions",
  }),
  enabled: Type.Optional(Type.Boolean()),
  acs_urls: Type.Array(
    Type.Object({
      url: address("Where responses are posted"),
      index: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
      is_default: Type.Optional(Type.Boolean()),
    }),
    {
      minItems: 1,
      maxItems: 20,
      description: "Its assertion consumer services: a response never goes anywhere else",
    },
  ),
  slo_url: Type.Optional(orNull(address("Its single logout service"))),
  slo_binding: Type.Optional(
    Type.Union([Type.Literal("redirect"), Type.Literal("post")], {
      description: "How logout messages are sent there",
      "x-message": "Must be one of redirect, post.",
    }),
  ),
  name_id_format: Type.Optional(
    Type.Union(
      [
        Type.Literal("emailAddress"),
        Type.Literal("persistent"),
        Type.Literal("transient"),
        Type.Literal("unspecified"),
      ],
      {
        description:
          "persistent: an identifier that other applications cannot compare; transient: another one at each sign-in",
        "x-message": "Must be one of emailAddress, persistent, transient, unspecified.",
      },
    ),
  ),
  name_id_template: Type.Optional(
    orNull(
      Type.String({
        maxLength: TEMPLATE_LENGTH,
        description: "Liquid over the user, for an unspecified NameID; the user's id without one",
      }),
    ),
  ),
  attributes: Type.Optional(
    Type.Array(
      Type.Object({
        name: Type.String({ minLength: 1, maxLength: 512 }),
        friendly_name: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
        name_format: Type.Optional(
          Type.Union([Type.Literal("basic"), Type.Literal("uri"), Type.Literal("unspecified")], {
            description: "SAML Core §8.2",
            "x-message": "Must be one of basic, uri, unspecified.",
          }),
        ),
        type: Type.Optional(
          Type.Union(
            [
              Type.Literal("string"),
              Type.Literal("boolean"),
              Type.Literal("integer"),
              Type.Literal("dateTime"),
            ],
            {
              description: "Of XML Schema; values that do not fit are left out",
              "x-message": "Must be one of string, boolean, integer, dateTime.",
            },
          ),
        ),
        value: Type.String({
          minLength: 1,
          maxLength: TEMPLATE_LENGTH,
          description: "Liquid over the user, such as {{ user.email }}; a list is as many values",
        }),
      }),
      { maxItems: 100 },
    ),
  ),
  sign_response: Type.Optional(Type.Boolean()),
  sign_assertion: Type.Optional(Type.Boolean()),
  encrypt_assertion: Type.Optional(Type.Boolean()),
  encryption_certificate: Type.Optional(orNull(Certificate)),
  signing_certificates: Type.Optional(
    Type.Array(Certificate, { maxItems: 10, description: "What its messages are verified with" }),
  ),
  require_signed_requests: Type.Optional(
    Type.Boolean({ description: "Unless told: whether it has a signing certificate" }),
  ),
  allow_idp_initiated: Type.Optional(
    Type.Boolean({ description: "Whether a sign-in may begin here, at /saml/{id}/launch" }),
  ),
  default_relay_state: Type.Optional(
    orNull(Type.String({ maxLength: 1024, description: "What such a sign-in brings along as RelayState" })),
  ),
  session_lifetime_seconds: Type.Optional(
    orNull(
      Type.Integer({
        minimum: 60,
        maximum: 90 * 86_400,
        description: "The most that a session there may last; as long as ours without it",
      }),
    ),
  ),
};

export const SamlClientRequest = Type.Object(SamlClientMembers);
export type SamlClientRequest = Static<typeof SamlClientRequest>;

/** A client as the API shows it, and as it is taken from one tenant to another. */
export function describeSamlClient(client: SamlClientValues): Required<SamlClientRequest> {
  return {
    name: client.name,
    entity_id: client.entityId,
    enabled: client.enabled,
    acs_urls: client.acsUrls.map((acs) => ({ ...acs })),
    slo_url: client.sloUrl,
    slo_binding: client.sloBinding,
    name_id_format: client.nameIdFormat,
    name_id_template: client.nameIdTemplate,
    attributes: client.attributes.map((attribute) => ({ ...attribute })),
    sign_response: client.signResponse,
    sign_assertion: client.signAssertion,
    encrypt_assertion: client.encryptAssertion,
    encryption_certificate: client.encryptionCertificate,
    signing_certificates: [...client.signingCertificates],
    require_signed_requests: client.requireSignedRequests,
    allow_idp_initiated: client.allowIdpInitiated,
    default_relay_state: client.defaultRelayState,
    session_lifetime_seconds: client.sessionLifetimeSeconds,
  };
}
