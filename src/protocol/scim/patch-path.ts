import { type Attribute, findAttribute } from "./attribute.ts";
import { ScimError } from "./error.ts";
import { type Filter, parseElementFilter, printable } from "./filter.ts";
import { type AttributePath, type ResourceSchema, resolvePath, schemaUrn } from "./resource-schema.ts";

/** What a PATCH operation is about (RFC 7644 §3.5.2, figure 7). */
export type PatchPath =
  /** All attributes of an extension. */
  | { readonly kind: "extension"; readonly urn: string }
  | { readonly kind: "attribute"; readonly path: AttributePath }
  /** The elements that fulfil a filter, or a sub-attribute of each. */
  | {
      readonly kind: "elements";
      readonly path: AttributePath;
      readonly filter: Filter;
      readonly subAttribute: Attribute | undefined;
    };

const VALUE_PATH = /^([^[\]]+)\[([\s\S]*)\](?:\.([A-Za-z$][\w$-]*))?$/;

/** @returns undefined for an attribute that no schema of the resource has. @throws ScimError invalidPath, invalidFilter */
export function parsePatchPath(schema: ResourceSchema, text: string): PatchPath | undefined {
  const trimmed = text.trim();
  const urn = schemaUrn(schema, trimmed);
  if (urn !== undefined && urn !== schema.core.id) return { kind: "extension", urn };
  const [, name, filterText, subName] = VALUE_PATH.exec(trimmed) ?? [];
  if (name === undefined || filterText === undefined) {
    const path = resolvePath(schema, trimmed);
    return path && { kind: "attribute", path };
  }
  const path = resolvePath(schema, name);
  if (!path) return undefined;
  if (path.subAttribute || !path.attribute.multiValued)
    throw invalidPath(`${path.attribute.name} has no elements to choose from.`);
  const subAttribute =
    subName === undefined ? undefined : findAttribute(path.attribute.subAttributes, subName);
  if (subName !== undefined && !subAttribute) return undefined;
  return { kind: "elements", path, filter: parseElementFilter(filterText, path), subAttribute };
}

export function invalidPath(detail: string): ScimError {
  return new ScimError(400, "invalidPath", detail);
}

export function unknownPath(text: string): ScimError {
  return invalidPath(`There is no attribute ${printable(text)}.`);
}
