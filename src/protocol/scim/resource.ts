/** Resources as JSON, with the names and types that their schemas give them (RFC 7643 §2). */
import { type Attribute, findAttribute } from "./attribute.ts";
import { ScimError } from "./error.ts";
import { type ResourceSchema, schemaUrn } from "./resource-schema.ts";
import { commonAttributes } from "./schemas.ts";

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [name: string]: JsonValue;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function memberOf(holder: JsonValue | undefined, name: string): JsonValue | undefined {
  return isObject(holder) && Object.hasOwn(holder, name) ? holder[name] : undefined;
}

/** A multi-valued attribute's elements, a single value as one, none for what is unassigned. */
export function valuesOf(value: JsonValue | undefined): JsonValue[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** Null, an empty list and an empty object are no values (RFC 7643 §2.5); nor, for `pr`, is an empty string. */
export function isPresent(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === "") return false;
  if (Array.isArray(value)) return value.some(isPresent);
  return isObject(value) ? Object.values(value).some(isPresent) : true;
}

/**
 * A resource as a client sent it, in our spelling: names as the schemas write them, values of the types that they
 * say. What the client may not set is left out, and so is what no schema knows: RFC 7644 §3.3 and §3.5.1 have a
 * server ignore readOnly attributes, and clients send attributes of their own all the time.
 * @throws ScimError invalidValue, with the attribute's name
 */
export function normalizeResource(schema: ResourceSchema, input: unknown): JsonObject {
  if (!isObject(input)) throw new ScimError(400, "invalidSyntax", "The resource is no JSON object.");
  const resource = normalizeMembers([...schema.core.attributes, ...commonAttributes], input);
  for (const [name, value] of Object.entries(input)) {
    const urn = schemaUrn(schema, name);
    const extension = schema.extensions.find(({ id }) => id === urn);
    if (!extension || value === null) continue;
    if (!isObject(value)) throw invalidValue(extension.name, "must be an object");
    const members = normalizeMembers(extension.attributes, value);
    if (isPresent(members)) resource[extension.id] = members;
  }
  delete resource["schemas"];
  return resource;
}

function normalizeMembers(attributes: readonly Attribute[], input: JsonObject): JsonObject {
  const members: JsonObject = {};
  for (const [name, value] of Object.entries(input)) {
    const attribute = findAttribute(attributes, name);
    if (!attribute || attribute.mutability === "readOnly") continue;
    const normalized = normalizeValue(attribute, value);
    if (normalized !== undefined) members[attribute.name] = normalized;
  }
  return members;
}

/**
 * The value of an attribute in its type; undefined for what is unassigned (RFC 7643 §2.5).
 * @throws ScimError invalidValue
 */
export function normalizeValue(attribute: Attribute, value: JsonValue): JsonValue | undefined {
  if (value === null) return undefined;
  if (!attribute.multiValued) return normalizeSingle(attribute, unwrapped(value));
  const elements = valuesOf(value).flatMap((element) => normalizeSingle(attribute, element) ?? []);
  return elements.length > 0 ? onePrimary(attribute, elements) : undefined;
}

/** Some clients send a list of one where the schema has a single value. */
function unwrapped(value: JsonValue): JsonValue {
  return Array.isArray(value) && value.length === 1 && value[0] !== undefined ? value[0] : value;
}

function normalizeSingle(attribute: Attribute, value: JsonValue): JsonValue | undefined {
  if (value === null) return undefined;
  switch (attribute.type) {
    case "complex":
      return normalizeComplex(attribute, value);
    case "boolean":
      return toBoolean(attribute, value);
    case "integer":
    case "decimal":
      return toNumber(attribute, value);
    case "dateTime": {
      const moment = toMoment(value);
      if (moment === undefined) throw invalidValue(attribute.name, "must be a date and time (RFC 3339)");
      return moment;
    }
    default:
      return toText(attribute, value);
  }
}

const DATE_TIME = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d)?$/;
/** What the database can hold, in the form that sorts as the moments do. */
const STORABLE = /^(?!0000)\d{4}-/;

/** A moment in the one form that we write it in (UTC, milliseconds); undefined for what is none (RFC 3339). */
export function toMoment(value: JsonValue): string | undefined {
  if (typeof value !== "string" || !DATE_TIME.test(value)) return undefined;
  // Without an offset it would mean the server's own time zone.
  const moment = Date.parse(/[Zz]$|[+-]\d\d:\d\d$/.test(value) ? value : `${value}Z`);
  if (Number.isNaN(moment)) return undefined;
  const text = new Date(moment).toISOString();
  return STORABLE.test(text) ? text : undefined;
}

/** A scalar for a complex attribute is its `value`: Entra ID sends a manager so, and plain lists of members. */
function normalizeComplex(attribute: Attribute, value: JsonValue): JsonValue | undefined {
  const given = isObject(value) ? value : { value };
  if (!isObject(value) && !findAttribute(attribute.subAttributes, "value"))
    throw invalidValue(attribute.name, "must be an object");
  const members = normalizeMembers(attribute.subAttributes ?? [], given);
  return Object.keys(members).length > 0 ? members : undefined;
}

/** Entra ID writes "True" and "False". */
function toBoolean(attribute: Attribute, value: JsonValue): boolean {
  const text = typeof value === "string" ? value.toLowerCase() : value;
  if (text === true || text === "true") return true;
  if (text === false || text === "false") return false;
  throw invalidValue(attribute.name, "must be true or false");
}

function toNumber(attribute: Attribute, value: JsonValue): number {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isFinite(number))
    throw invalidValue(attribute.name, "must be a number");
  if (attribute.type === "integer" && !Number.isSafeInteger(number))
    throw invalidValue(attribute.name, "must be an integer");
  return number;
}

const LONGEST_TEXT = 16_384;

function toText(attribute: Attribute, value: JsonValue): string | undefined {
  const text = typeof value === "number" || typeof value === "boolean" ? String(value) : value;
  if (typeof text !== "string") throw invalidValue(attribute.name, "must be a string");
  if (text.length > LONGEST_TEXT) throw invalidValue(attribute.name, "is too long");
  // The database cannot hold them, and lone surrogates are no text.
  if (text.includes("\0") || !text.isWellFormed()) throw invalidValue(attribute.name, "is not text");
  return text;
}

/** `primary: true` stands at one element at most (RFC 7643 §2.4): at the last one that says so. */
function onePrimary(attribute: Attribute, elements: JsonValue[]): JsonValue[] {
  if (!findAttribute(attribute.subAttributes, "primary")) return elements;
  const last = elements.findLastIndex((element) => memberOf(element, "primary") === true);
  return elements.map((element, index) =>
    isObject(element) && element["primary"] === true && index !== last
      ? { ...element, primary: false }
      : element,
  );
}

/**
 * What a resource needs before it can be made or replaced (RFC 7643 §2.2, `required`).
 * @throws ScimError invalidValue
 */
export function requireRequired(schema: ResourceSchema, resource: JsonObject): void {
  for (const attribute of schema.core.attributes) {
    if (attribute.required && !isPresent(resource[attribute.name]))
      throw invalidValue(attribute.name, "is required");
  }
  for (const extension of schema.extensions) {
    const members = resource[extension.id];
    if (members === undefined) continue;
    for (const attribute of extension.attributes) {
      if (attribute.required && !isPresent(memberOf(members, attribute.name)))
        throw invalidValue(attribute.name, "is required");
    }
  }
}

export function invalidValue(name: string, problem: string): ScimError {
  return new ScimError(400, "invalidValue", `The attribute ${name} ${problem}.`);
}
