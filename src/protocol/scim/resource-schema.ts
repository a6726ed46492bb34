import { type Attribute, findAttribute, type Schema } from "./attribute.ts";
import { commonAttributes } from "./schemas.ts";

/** The schema of a type of resources and those that extend it (RFC 7643 §3.3, §6). */
export interface ResourceSchema {
  readonly core: Schema;
  readonly extensions: readonly Schema[];
}

/** An attribute of a resource, or a sub-attribute of one, as a path names it (RFC 7644 §3.10). */
export interface AttributePath {
  /** URN of the extension that it belongs to; undefined: the core schema's or a common one. */
  readonly extension: string | undefined;
  readonly attribute: Attribute;
  readonly subAttribute: Attribute | undefined;
}

const NAME = /^(\$?[A-Za-z][\w$-]*)(?:\.(\$?[A-Za-z][\w$-]*))?$/;

/** @returns undefined for what is no attribute of a resource of this schema. */
export function resolvePath(schema: ResourceSchema, text: string): AttributePath | undefined {
  const { urn, rest } = splitUrn(schema, text);
  const [, name, subName] = NAME.exec(rest) ?? [];
  if (name === undefined) return undefined;
  const extension = urn !== undefined && !sameUrn(urn, schema.core.id) ? urn : undefined;
  const attributes =
    extension === undefined
      ? [...schema.core.attributes, ...commonAttributes]
      : schema.extensions.find(({ id }) => sameUrn(id, extension))?.attributes;
  const attribute = findAttribute(attributes, name);
  if (!attribute) return undefined;
  const subAttribute = subName === undefined ? undefined : findAttribute(attribute.subAttributes, subName);
  if (subName !== undefined && !subAttribute) return undefined;
  return { extension: canonicalUrn(schema, extension), attribute, subAttribute };
}

/** Whether the text is the URN of one of the schemas, and nothing more. @returns the URN as the schema writes it. */
export function schemaUrn(schema: ResourceSchema, text: string): string | undefined {
  return [schema.core, ...schema.extensions].find(({ id }) => sameUrn(id, text))?.id;
}

export function splitUrn(schema: ResourceSchema, text: string): { urn: string | undefined; rest: string } {
  for (const { id } of [schema.core, ...schema.extensions]) {
    if (text.length > id.length && text[id.length] === ":" && sameUrn(text.slice(0, id.length), id))
      return { urn: id, rest: text.slice(id.length + 1) };
  }
  return { urn: undefined, rest: text };
}

/** URNs are compared without case (RFC 7643 §2.1). */
function sameUrn(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function canonicalUrn(schema: ResourceSchema, urn: string | undefined): string | undefined {
  return urn === undefined ? undefined : schemaUrn(schema, urn);
}
