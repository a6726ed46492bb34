/** What an assertion says of somebody, in the words of the standard claims (OpenID Connect Core §5.1). */
import { SamlError } from "../../protocol/saml/errors.ts";
import { nameIdFormats } from "../../protocol/saml/names.ts";
import type { SamlAnswer } from "../../protocol/saml/response.ts";
import type { SamlConnection } from "../connections/service.ts";

const SOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims";
const MICROSOFT = "http://schemas.microsoft.com/ws/2008/06/identity/claims";

/** By what names identity providers say it, as attributes of X.500 (SAML Profiles §8.2) and otherwise. */
const spellings: Readonly<Record<string, readonly string[]>> = {
  email: [
    "urn:oid:0.9.2342.19200300.100.1.3",
    "mail",
    "email",
    "Email",
    "emailAddress",
    `${SOAP}/emailaddress`,
  ],
  email_verified: ["email_verified"],
  preferred_username: ["urn:oid:0.9.2342.19200300.100.1.1", "uid", "username", "preferred_username"],
  given_name: ["urn:oid:2.5.4.42", "givenName", "firstName", "given_name", `${SOAP}/givenname`],
  family_name: ["urn:oid:2.5.4.4", "sn", "lastName", "surname", "family_name", `${SOAP}/surname`],
  name: ["urn:oid:2.16.840.1.113730.3.1.241", "displayName", "name", `${SOAP}/name`],
  picture: ["picture"],
  locale: ["urn:oid:2.16.840.1.113730.3.1.39", "preferredLanguage", "locale"],
};

const groupSpellings = [
  "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
  "groups",
  "Groups",
  "memberOf",
  `${MICROSOFT}/groups`,
  `${MICROSOFT}/role`,
];

/** How somebody proved who they are, where that is more than one factor. */
const multiFactorClasses: ReadonlySet<string> = new Set([
  "https://refeds.org/profile/mfa",
  "http://schemas.microsoft.com/claims/multipleauthn",
  "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract",
]);

/**
 * The claims that a connection's attribute mapping starts from. All that was said is there too: by `attributes`, and the
 * name by `name_id`.
 * @throws SamlError when there is nothing that says the next time that it is the same person
 */
export function claimsOf(connection: SamlConnection, answer: SamlAnswer): Record<string, unknown> {
  const { nameId, attributes } = answer;
  const first = (names: readonly string[]) =>
    names.flatMap((name) => attributes[name] ?? []).find((value) => value !== "");
  const claims = Object.fromEntries(
    Object.entries(spellings).flatMap(([claim, names]) => {
      const value = first(names);
      return value === undefined ? [] : [[claim, value] as const];
    }),
  );
  const byName = nameId.format === nameIdFormats.emailAddress ? { email: nameId.value } : {};
  return {
    ...byName,
    ...claims,
    sub: subjectOf(connection, answer),
    groups: groupSpellings.flatMap((name) => attributes[name] ?? []),
    amr: multiFactorClasses.has(answer.authnContextClassRef ?? "") ? ["mfa"] : [],
    name_id: nameId.value,
    name_id_format: nameId.format,
    attributes: Object.fromEntries(
      Object.entries(attributes).map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
    ),
  };
}

function subjectOf({ config }: SamlConnection, { nameId, attributes }: SamlAnswer): string {
  const attribute = config.subject_attribute;
  if (attribute === undefined) {
    // Another one each time (SAML Core §8.3.8): everybody would get a new account with each sign-in.
    if (nameId.format === nameIdFormats.transient)
      throw new SamlError("name_id", "a transient NameID, and no attribute that people are known by");
    return nameId.value;
  }
  const [subject, ...more] = attributes[attribute] ?? [];
  if (!subject || more.length > 0)
    throw new SamlError("subject", "not one value of the attribute that people are known by");
  return subject;
}
