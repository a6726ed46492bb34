/**
 * What a connection says of somebody, in our words: one Liquid template an attribute.
 */
import type { UpstreamIdentity } from "../federation/identity.ts";
import { evaluateTemplate } from "../templates/liquid.ts";
import type { Connection, ConnectionKind, MappedAttribute } from "./model.ts";

/** Of one value: longer than any identifier or name, and shorter than what a column or a page would suffer from. */
const VALUE_LENGTH = 1024;
const MAX_GROUPS = 500;
/** Neither control characters nor half a surrogate pair, which PostgreSQL stores in no JSON. */
const PRINTABLE = /^[^\p{Cc}\p{Cs}]+$/u;

/** A template that fails on what a connection said of somebody. */
export class AttributeMappingError extends Error {
  override readonly name = "AttributeMappingError";

  constructor(
    readonly attribute: string,
    options?: ErrorOptions,
  ) {
    super(`the mapping of ${attribute} failed`, options);
  }
}

/** What is taken when nothing is said: the standard claims (OpenID Connect Core §5.1). */
const STANDARD_CLAIMS: Readonly<Record<MappedAttribute, string>> = {
  subject: "{{ sub }}",
  email: "{{ email }}",
  email_verified: "{{ email_verified }}",
  username: "{{ preferred_username }}",
  given_name: "{{ given_name }}",
  family_name: "{{ family_name }}",
  picture: "{{ picture }}",
  locale: "{{ locale }}",
  groups: "{{ groups }}",
  external_id: "",
};
const DEFAULTS: Readonly<Record<ConnectionKind, Readonly<Partial<Record<MappedAttribute, string>>>>> = {
  oidc: STANDARD_CLAIMS,
  oauth2: { ...STANDARD_CLAIMS, subject: "{{ sub | default: id }}" },
  // The adapters of these say it in the words of the standard claims, whatever their attributes are called.
  saml: STANDARD_CLAIMS,
  ldap: STANDARD_CLAIMS,
};

/**
 * Somebody as a connection knows them. Templates see each claim by its name, and all of them as `claims`, for names
 * that are no identifiers: `{{ claims["urn:oid:0.9.2342.19200300.100.1.3"] }}`.
 * @throws AttributeMappingError when there is no subject, or a template fails or makes too much
 */
export function mapAttributes(
  connection: Pick<Connection, "kind" | "attributeMapping">,
  claims: Readonly<Record<string, unknown>>,
): UpstreamIdentity {
  const templates = { ...DEFAULTS[connection.kind], ...connection.attributeMapping };
  const value = (attribute: MappedAttribute) => evaluate(attribute, templates[attribute] ?? "", claims);
  const text = (attribute: MappedAttribute) => textOf(value(attribute));
  const subject = text("subject");
  if (subject === undefined)
    throw new AttributeMappingError("subject", { cause: new Error("there is no subject") });
  return {
    subject,
    email: text("email"),
    emailVerified: isTrue(value("email_verified")),
    username: text("username"),
    givenName: text("given_name"),
    familyName: text("family_name"),
    picture: text("picture"),
    locale: text("locale"),
    groups: listOf(value("groups")),
    externalId: text("external_id"),
    claims: { ...claims },
    amr: Array.isArray(claims["amr"]) ? listOf(claims["amr"]) : undefined,
  };
}

function evaluate(
  attribute: MappedAttribute,
  template: string,
  claims: Readonly<Record<string, unknown>>,
): unknown {
  try {
    return evaluateTemplate(template, { ...claims, claims });
  } catch (cause) {
    throw new AttributeMappingError(attribute, { cause });
  }
}

/**
 * SAML and LDAP know lists alone: the first one is meant. Numbers are how some name their users; one that was rounded could be
 * the name of several.
 */
function textOf(value: unknown): string | undefined {
  const single: unknown = Array.isArray(value) ? value[0] : value;
  const isRounded = Number.isInteger(single) && !Number.isSafeInteger(single);
  if ((typeof single === "number" && !isRounded) || typeof single === "bigint") return String(single);
  if (typeof single !== "string") return undefined;
  const text = single.trim();
  return text === "" || text.length > VALUE_LENGTH || !PRINTABLE.test(text) ? undefined : text;
}

/** A list, or what a template wrote: one group a line. */
function listOf(value: unknown): string[] | undefined {
  const items: unknown[] = typeof value === "string" ? value.split("\n") : Array.isArray(value) ? value : [];
  const texts = items.flatMap((item) => textOf(item) ?? []);
  return texts.length === 0 ? undefined : [...new Set(texts)].slice(0, MAX_GROUPS);
}

/** Some say it in JSON, some in words, one (Microsoft's `xms_edov`) in a number. */
const isTrue = (value: unknown) => value === true || ["true", "1"].includes(textOf(value) ?? "");
