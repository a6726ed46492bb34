/** Which SCIM attributes fill the profiles of an organization's people. */
import { type FieldError, validationError } from "../../lib/errors.ts";
import { ScimError } from "../../protocol/scim/error.ts";
import { parsePatchPath, type PatchPath } from "../../protocol/scim/patch-path.ts";
import type { ResourceSchema } from "../../protocol/scim/resource-schema.ts";

/** SCIM paths, each with the field that it fills. */
export type ScimMapping = Readonly<Record<string, string>>;

export const mappedFields = ["first_name", "last_name", "locale", "timezone"] as const;
export type MappedField = (typeof mappedFields)[number];

export const DEFAULT_SCIM_MAPPING: Readonly<Record<string, MappedField>> = {
  "name.givenName": "first_name",
  "name.familyName": "last_name",
  locale: "locale",
  timezone: "timezone",
};

/**
 * The path of each field: the organization's own, or the default one.
 * @param mapping as `checkScimMapping` let it through
 */
export function pathsOf(mapping: ScimMapping): ReadonlyMap<MappedField, string> {
  const paths = new Map<MappedField, string>();
  for (const [path, field] of [...Object.entries(DEFAULT_SCIM_MAPPING), ...Object.entries(mapping)]) {
    const known = mappedFields.find((name) => name === field);
    if (known) paths.set(known, path);
  }
  return paths;
}

/** @throws AppError 422 that names each path that is none, or is mapped to what is no field */
export function checkScimMapping(schema: ResourceSchema, mapping: ScimMapping): void {
  const seen = new Set<string>();
  const problems = Object.entries(mapping).flatMap(([path, field]): FieldError[] => {
    const name = `mapping.${path.slice(0, 128)}`;
    if (!mappedFields.some((known) => known === field))
      return [{ field: name, message: `Must be one of ${mappedFields.join(", ")}.` }];
    if (seen.has(field)) return [{ field: name, message: "Another path fills this field already." }];
    seen.add(field);
    return isTextPath(schema, path)
      ? []
      : [{ field: name, message: "Must be the path of a text attribute." }];
  });
  if (problems.length > 0) throw validationError(problems);
}

function isTextPath(schema: ResourceSchema, path: string): boolean {
  const target = readPath(schema, path);
  if (!target || target.kind === "extension") return false;
  const { attribute, subAttribute } = target.path;
  const leaf = (target.kind === "elements" ? target.subAttribute : subAttribute) ?? attribute;
  return (
    ["string", "reference"].includes(leaf.type) && leaf.returned !== "never" && attribute.name !== "schemas"
  );
}

function readPath(schema: ResourceSchema, path: string): PatchPath | undefined {
  try {
    return parsePatchPath(schema, path);
  } catch (error) {
    if (error instanceof ScimError) return undefined;
    throw error;
  }
}
