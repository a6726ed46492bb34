/** Which attributes an answer holds (RFC 7644 §3.9; RFC 7643 §7, `returned`). */
import type { Attribute } from "./attribute.ts";
import { ScimError } from "./error.ts";
import { type ResourceSchema, resolvePath, schemaUrn } from "./resource-schema.ts";
import { isObject, type JsonObject, type JsonValue } from "./resource.ts";
import { commonAttributes } from "./schemas.ts";

/** A choice of attributes: `<urn or "">/<attribute>[.<sub-attribute>]`, in lower case. */
export interface Projection {
  readonly only: ReadonlySet<string> | undefined;
  readonly without: ReadonlySet<string>;
}

/**
 * Reads `attributes` and `excludedAttributes`: lists of paths, separated by commas. Unknown ones name nothing.
 * @throws ScimError invalidValue when both are there (RFC 7644 §3.9)
 */
export function readProjection(
  schema: ResourceSchema,
  attributes: string | undefined,
  excludedAttributes: string | undefined,
): Projection {
  if (attributes && excludedAttributes)
    throw new ScimError(400, "invalidValue", "Use either attributes or excludedAttributes.");
  return {
    only: attributes ? keysOf(schema, attributes) : undefined,
    without: keysOf(schema, excludedAttributes ?? ""),
  };
}

function keysOf(schema: ResourceSchema, list: string): ReadonlySet<string> {
  const keys = list.split(",").flatMap((text) => {
    const urn = schemaUrn(schema, text.trim());
    if (urn !== undefined) return urn === schema.core.id ? [] : [`${urn.toLowerCase()}/`];
    const path = resolvePath(schema, text.trim());
    return path ? [keyOf(path.extension, path.attribute.name, path.subAttribute?.name)] : [];
  });
  return new Set(keys);
}

function keyOf(extension: string | undefined, name: string, subName?: string): string {
  return `${extension ?? ""}/${name}${subName === undefined ? "" : `.${subName}`}`.toLowerCase();
}

/** The resource as far as the request wants to see it. `schemas`, `id` and what is always returned stay. */
export function project(schema: ResourceSchema, resource: JsonObject, projection: Projection): JsonObject {
  const shown = projectMembers(
    [...commonAttributes, ...schema.core.attributes],
    undefined,
    resource,
    projection,
  );
  for (const extension of schema.extensions) {
    const members = resource[extension.id];
    if (!isObject(members)) continue;
    const projected = projectMembers(extension.attributes, extension.id, members, projection);
    if (Object.keys(projected).length > 0) shown[extension.id] = projected;
  }
  return shown;
}

function projectMembers(
  attributes: readonly Attribute[],
  extension: string | undefined,
  members: JsonObject,
  projection: Projection,
): JsonObject {
  const shown: JsonObject = {};
  for (const attribute of attributes) {
    const value = members[attribute.name];
    if (value === undefined) continue;
    const projected = projectValue(attribute, extension, value, projection);
    if (projected !== undefined) shown[attribute.name] = projected;
  }
  return shown;
}

function projectValue(
  attribute: Attribute,
  extension: string | undefined,
  value: JsonValue,
  { only, without }: Projection,
): JsonValue | undefined {
  if (attribute.returned === "never") return undefined;
  if (attribute.returned === "always") return value;
  const key = keyOf(extension, attribute.name);
  const wholeExtension = `${extension ?? ""}/`.toLowerCase();
  const subKeys = (attribute.subAttributes ?? []).map(({ name }) => ({
    name,
    key: keyOf(extension, attribute.name, name),
  }));
  if (only) {
    if (only.has(key) || (extension !== undefined && only.has(wholeExtension))) return value;
    const wanted = subKeys.filter((sub) => only.has(sub.key)).map(({ name }) => name);
    return wanted.length > 0 ? pick(value, (name) => wanted.includes(name)) : undefined;
  }
  if (attribute.returned === "request" || without.has(key)) return undefined;
  if (extension !== undefined && without.has(wholeExtension)) return undefined;
  const unwanted = subKeys.filter((sub) => without.has(sub.key)).map(({ name }) => name);
  return unwanted.length > 0 ? pick(value, (name) => !unwanted.includes(name)) : value;
}

function pick(value: JsonValue, wanted: (name: string) => boolean): JsonValue {
  if (Array.isArray(value)) return value.map((element) => pick(element, wanted));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => wanted(name)));
}
