/** A connection to a directory (LDAP, RFC 4511). */
import { type Static, Type } from "@sinclair/typebox";
import { Closed, Secret } from "./members.ts";

const Attribute = (description: string) =>
  Type.String({
    pattern: "^[A-Za-z][A-Za-z0-9-]{0,63}(;[A-Za-z0-9-]{1,32})?$",
    description,
    "x-message": "Must be an attribute description (RFC 4512 §2.5).",
  });
const DistinguishedName = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: 1024,
    description,
    "x-message": "Must be a distinguished name (RFC 4514).",
  });
const Filter = (description: string, placeholder: string) =>
  Type.String({
    maxLength: 1024,
    pattern: `^\\(.*\\{\\{${placeholder}\\}\\}.*\\)$`,
    description,
    "x-message": `Must be a filter (RFC 4515) that holds {{${placeholder}}}.`,
  });

export const LdapConfig = Closed({
  url: Type.String({
    maxLength: 512,
    pattern: "^ldaps?://[A-Za-z0-9.:\\[\\]-]+/?$",
    description: "ldaps://host or ldap://host, with a port if it is not the usual one",
    "x-message": "Must be an ldaps or ldap URL of a host and a port.",
  }),
  /** RFC 4511 §4.14. Without it and without ldaps, passwords would go in the clear: for development alone. */
  start_tls: Type.Boolean({ description: "Whether ldap:// is made secure by StartTLS" }),
  ca_certificate: Type.Optional(
    Type.String({
      maxLength: 65_536,
      pattern: "^-----BEGIN CERTIFICATE-----[\\x0a\\x0d\\x20-\\x7e]+-----END CERTIFICATE-----\\s*$",
      description: "The authority that signed its certificate, in PEM; the system's authorities, if left out",
      "x-message": "Must be certificates in PEM.",
    }),
  ),
  bind_dn: DistinguishedName("Who searches"),
  base_dn: DistinguishedName("Where people are searched"),
  user_filter: Filter("How somebody is found by what they type", "username"),
  /** The attribute that never changes and never names somebody else: entryUUID, objectGUID. */
  subject_attribute: Attribute("What people are known by: entryUUID, or Active Directory's objectGUID"),
  attributes: Closed({
    email: Type.Optional(Attribute("mail")),
    username: Type.Optional(Attribute("uid, or sAMAccountName")),
    given_name: Type.Optional(Attribute("givenName")),
    family_name: Type.Optional(Attribute("sn")),
  }),
  group_base_dn: Type.Optional(DistinguishedName("Where groups are searched")),
  group_filter: Type.Optional(Filter("How somebody's groups are found by their distinguished name", "dn")),
  /** On the group when groups are searched (`cn`); otherwise on the person (`memberOf`). */
  group_attribute: Attribute("What names a group: cn of groups that are searched, otherwise memberOf"),
  group_roles: Type.Record(
    Type.String({ minLength: 1, maxLength: 512 }),
    Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 20 }),
    { maxProperties: 200, description: "Roles by the group that gives them" },
  ),
});
export type LdapConfig = Static<typeof LdapConfig>;

export const LdapSecrets = Closed({
  bind_password: Type.Optional(Secret("Of bind_dn")),
});
export type LdapSecrets = Static<typeof LdapSecrets>;

export const ldapDefaults: Partial<LdapConfig> = {
  start_tls: false,
  user_filter: "(|(uid={{username}})(mail={{username}}))",
  subject_attribute: "entryUUID",
  attributes: { email: "mail", username: "uid", given_name: "givenName", family_name: "sn" },
  group_attribute: "memberOf",
  group_roles: {},
};
