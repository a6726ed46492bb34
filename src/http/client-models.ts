/** Client metadata on the wire, made from the one table that it is also checked by. */
import type { TSchema } from "@sinclair/typebox";
import { t } from "elysia";
import {
  administrativeMembers,
  type Member,
  messageOf,
  registrationMembers,
  scopesMember,
} from "../protocol/oauth/client-metadata-members.ts";

function valueOf(member: Member): TSchema {
  switch (member.kind) {
    case "text":
      return t.String({ maxLength: member.maxLength });
    case "choice":
      return t.String({ enum: [...member.values] });
    case "texts":
      return t.Array(t.String({ maxLength: member.maxLength }), { maxItems: member.maxItems });
    case "choices":
      return t.Array(t.String({ enum: [...member.values] }));
    case "flag":
      return t.Boolean();
    case "integer":
      return t.Integer({ minimum: member.minimum, maximum: member.maximum });
    case "jwks":
      return t.Object({ keys: t.Array(t.Record(t.String(), t.Unknown())) });
  }
}

const described = (member: Member) => ({
  description: `${member.description}.`,
  "x-message": messageOf(member),
});

/** RFC 7592 §2.2: null means the same as left out. */
const takes = (members: Record<string, Member>) =>
  mapped(members, (member) => t.Optional(t.Union([valueOf(member), t.Null()], described(member))));
const answers = (members: Record<string, Member>) =>
  mapped(members, (member) => t.Optional({ ...valueOf(member), ...described(member) }));

function mapped(
  members: Record<string, Member>,
  schemaOf: (member: Member) => TSchema,
): Record<string, TSchema> {
  return Object.fromEntries(Object.entries(members).map(([name, member]) => [name, schemaOf(member)]));
}

const { client_name: name, scope: _scope, ...shared } = registrationMembers;
const administered = { ...shared, ...administrativeMembers };

/** A client as an administrator describes it: RFC 7591's members, with `name` and a list of `scopes`. */
export const ClientRequest = t.Object({
  name: t.String({ minLength: 1, maxLength: 128, ...described(name) }),
  ...takes(administered),
  scopes: t.Optional(t.Union([t.Array(t.String()), t.Null()], described(scopesMember))),
});

export const ClientResponse = t.Object(
  {
    id: t.String({ examples: ["client_01JD2M9V7QX5T8Z4C6B3N0K1HF"] }),
    client_id: t.String({ description: "What the application calls itself" }),
    name: t.String(),
    ...answers(administered),
    scopes: t.Array(t.String(), { description: `${scopesMember.description}.` }),
    origin: t.String({
      enum: ["built_in", "administrator", "dynamic", "metadata_document"],
      description: "How it came to be known",
    }),
    created_at: t.String({ format: "date-time" }),
    updated_at: t.String({ format: "date-time" }),
  },
  { description: "A client" },
);

/** With the secret that was made just now, if one was. */
export const ClientWithSecretResponse = t.Composite([
  ClientResponse,
  t.Object({ client_secret: t.Optional(t.String({ description: "Shown this once" })) }),
]);

/** A registration request (RFC 7591 §2, OpenID Connect Registration §2). */
export const RegistrationRequest = t.Object(takes(registrationMembers));

/** RFC 7591 §3.2.1, RFC 7592 §3. */
export const RegistrationResponse = t.Object({
  client_id: t.String(),
  client_id_issued_at: t.Integer({ description: "Seconds since 1970" }),
  client_secret: t.Optional(t.String({ description: "Shown this once" })),
  client_secret_expires_at: t.Optional(t.Integer({ description: "0: it does not expire" })),
  registration_access_token: t.String({ description: "For the registration_client_uri" }),
  registration_client_uri: t.String({ format: "uri" }),
  ...answers(registrationMembers),
});
