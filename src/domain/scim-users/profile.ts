/** A user's profile out of what SCIM says of them, by the organization's mapping. */
import { elementMatches } from "../../protocol/scim/evaluate.ts";
import { parsePatchPath } from "../../protocol/scim/patch-path.ts";
import type { ResourceSchema } from "../../protocol/scim/resource-schema.ts";
import { type JsonObject, type JsonValue, memberOf, valuesOf } from "../../protocol/scim/resource.ts";
import { type MappedField, pathsOf, type ScimMapping } from "../organizations/service.ts";

export interface Profile {
  readonly givenName: string | null;
  readonly familyName: string | null;
  readonly locale: string | null;
  readonly zoneinfo: string | null;
}

const columns = {
  first_name: "givenName",
  last_name: "familyName",
  locale: "locale",
  timezone: "zoneinfo",
} as const satisfies Record<MappedField, keyof Profile>;

/** @param resource in our spelling (`normalizeResource`) */
export function profileOf(schema: ResourceSchema, resource: JsonObject, mapping: ScimMapping): Profile {
  const profile: Record<keyof Profile, string | null> = {
    givenName: null,
    familyName: null,
    locale: null,
    zoneinfo: null,
  };
  for (const [field, path] of pathsOf(mapping)) profile[columns[field]] = textAt(schema, resource, path);
  return profile;
}

/** Of several values the primary one, or the first. */
function textAt(schema: ResourceSchema, resource: JsonObject, path: string): string | null {
  const target = parsePatchPath(schema, path);
  if (!target || target.kind === "extension") return null;
  const { attribute, extension } = target.path;
  const holder = extension === undefined ? resource : memberOf(resource, extension);
  const values = valuesOf(memberOf(holder, attribute.name));
  const chosen =
    target.kind === "elements" ? values.filter((value) => elementMatches(target.filter, value)) : values;
  const sub = target.kind === "elements" ? target.subAttribute : target.path.subAttribute;
  const texts = primaryFirst(chosen).map((value) => text(memberOf(value, sub?.name ?? "value") ?? value));
  return texts.find((found) => found !== null) ?? null;
}

const primaryFirst = (values: readonly JsonValue[]) =>
  values.toSorted(
    (a, b) => Number(memberOf(b, "primary") === true) - Number(memberOf(a, "primary") === true),
  );

const text = (value: JsonValue | undefined): string | null =>
  typeof value === "string" && value !== "" ? value : null;
