/** The schemas of RFC 7643 that this server implements, as data. */
import { type Attribute, attribute, type Schema } from "./attribute.ts";

export const USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User";
export const ENTERPRISE_USER_SCHEMA = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
export const GROUP_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Group";

/** RFC 7643 §2.4: what the elements of most multi-valued attributes are made of. */
function elements(
  what: string,
  value: Partial<Omit<Attribute, "name" | "description">> = {},
  types: readonly string[] = [],
): readonly Attribute[] {
  return [
    attribute("value", `The ${what}.`, value),
    attribute("display", "A name for people to read."),
    attribute("type", "What it is for.", types.length > 0 ? { canonicalValues: types } : {}),
    attribute("primary", "Whether it is the preferred one; at most one is.", { type: "boolean" }),
  ];
}

const multiValued = (
  name: string,
  description: string,
  subAttributes: readonly Attribute[],
  more: Partial<Attribute> = {},
) => attribute(name, description, { type: "complex", multiValued: true, subAttributes, ...more });

/** RFC 7643 §3.1: of every resource, beside what its schema says. */
export const commonAttributes: readonly Attribute[] = [
  attribute("schemas", "The schemas of the resource.", {
    type: "reference",
    multiValued: true,
    caseExact: true,
    returned: "always",
    required: true,
  }),
  attribute("id", "The identifier that this server gave the resource.", {
    caseExact: true,
    mutability: "readOnly",
    returned: "always",
    uniqueness: "server",
  }),
  attribute("externalId", "The identifier that the provisioning client gave it.", { caseExact: true }),
  attribute("meta", "What is known about the resource itself.", {
    type: "complex",
    mutability: "readOnly",
    subAttributes: [
      attribute("resourceType", "The name of its type.", { caseExact: true, mutability: "readOnly" }),
      attribute("created", "When it was made.", { type: "dateTime", mutability: "readOnly" }),
      attribute("lastModified", "When it was last changed.", { type: "dateTime", mutability: "readOnly" }),
      attribute("location", "Its address.", { type: "reference", caseExact: true, mutability: "readOnly" }),
      attribute("version", "Its entity tag.", { caseExact: true, mutability: "readOnly" }),
    ],
  }),
];

/** RFC 7643 §4.1. */
export const userSchema: Schema = {
  id: USER_SCHEMA,
  name: "User",
  description: "User account",
  attributes: [
    attribute("userName", "What the person signs in with; unique in the tenant.", {
      required: true,
      uniqueness: "server",
    }),
    attribute("name", "The parts of the person's name.", {
      type: "complex",
      subAttributes: [
        attribute("formatted", "The full name, ready to be shown."),
        attribute("familyName", "The family name."),
        attribute("givenName", "The given name."),
        attribute("middleName", "The middle names."),
        attribute("honorificPrefix", "What is put before the name."),
        attribute("honorificSuffix", "What is put after the name."),
      ],
    }),
    attribute("displayName", "The name to show."),
    attribute("nickName", "How the person is called casually."),
    attribute("profileUrl", "A page about the person.", {
      type: "reference",
      referenceTypes: ["external"],
      caseExact: true,
    }),
    attribute("title", "For example Vice President."),
    attribute("userType", "How organization and person are related."),
    attribute("preferredLanguage", "As an Accept-Language header has it."),
    attribute("locale", "For dates, numbers and currency: a language tag."),
    attribute("timezone", "An IANA time zone."),
    attribute("active", "Whether the person may sign in.", { type: "boolean" }),
    attribute("password", "Set and changed here, and never shown.", {
      caseExact: true,
      mutability: "writeOnly",
      returned: "never",
    }),
    multiValued("emails", "Addresses for mail.", elements("address", {}, ["work", "home", "other"])),
    multiValued(
      "phoneNumbers",
      "Numbers of telephones.",
      elements("number", {}, ["work", "home", "mobile", "fax", "pager", "other"]),
    ),
    multiValued("ims", "Addresses for instant messages.", elements("address")),
    multiValued(
      "photos",
      "Pictures of the person.",
      elements("picture's address", { type: "reference", referenceTypes: ["external"], caseExact: true }, [
        "photo",
        "thumbnail",
      ]),
    ),
    multiValued("addresses", "Postal addresses.", [
      attribute("formatted", "The address, ready to be shown."),
      attribute("streetAddress", "Street, number, post office box."),
      attribute("locality", "City."),
      attribute("region", "State or region."),
      attribute("postalCode", "Postal code."),
      attribute("country", "ISO 3166-1 alpha-2 code of the country."),
      attribute("type", "What it is for.", { canonicalValues: ["work", "home", "other"] }),
      attribute("primary", "Whether it is the preferred one; at most one is.", { type: "boolean" }),
    ]),
    multiValued(
      "groups",
      "The groups that the person is in; changed at the groups.",
      [
        attribute("value", "The group's id.", { caseExact: true, mutability: "readOnly" }),
        attribute("$ref", "The group's address.", {
          type: "reference",
          referenceTypes: ["Group"],
          caseExact: true,
          mutability: "readOnly",
        }),
        attribute("display", "The group's name.", { mutability: "readOnly" }),
        attribute("type", "Whether through another group.", {
          canonicalValues: ["direct", "indirect"],
          mutability: "readOnly",
        }),
      ],
      { mutability: "readOnly" },
    ),
    multiValued("entitlements", "What the person is entitled to.", elements("entitlement")),
    multiValued("roles", "The roles that the person has at the provisioning client.", elements("role")),
    multiValued(
      "x509Certificates",
      "Certificates.",
      elements("certificate", { type: "binary", caseExact: true }),
    ),
  ],
};

/** RFC 7643 §4.3. */
export const enterpriseUserSchema: Schema = {
  id: ENTERPRISE_USER_SCHEMA,
  name: "EnterpriseUser",
  description: "What enterprises know of a user",
  attributes: [
    attribute("employeeNumber", "The number that the organization gave the person."),
    attribute("costCenter", "The name of a cost center."),
    attribute("organization", "The name of an organization."),
    attribute("division", "The name of a division."),
    attribute("department", "The name of a department."),
    attribute("manager", "Who the person reports to.", {
      type: "complex",
      subAttributes: [
        attribute("value", "The manager's id.", { caseExact: true }),
        attribute("$ref", "The manager's address.", {
          type: "reference",
          referenceTypes: ["User"],
          caseExact: true,
        }),
        attribute("displayName", "The manager's name.", { mutability: "readOnly" }),
      ],
    }),
  ],
};

/** RFC 7643 §4.2. */
export const groupSchema: Schema = {
  id: GROUP_SCHEMA,
  name: "Group",
  description: "Group of users",
  attributes: [
    attribute("displayName", "The group's name.", { required: true }),
    multiValued("members", "Who is in the group.", [
      attribute("value", "The member's id.", { caseExact: true, mutability: "immutable" }),
      attribute("$ref", "The member's address.", {
        type: "reference",
        referenceTypes: ["User", "Group"],
        caseExact: true,
        mutability: "immutable",
      }),
      attribute("display", "The member's name.", { mutability: "readOnly" }),
      attribute("type", "What the member is.", {
        canonicalValues: ["User", "Group"],
        mutability: "immutable",
      }),
    ]),
  ],
};
