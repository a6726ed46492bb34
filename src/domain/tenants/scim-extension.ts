import { type Static, Type } from "@sinclair/typebox";
import { attribute, type Schema } from "../../protocol/scim/attribute.ts";

/** Attributes that a tenant adds to its SCIM users, in a schema of its own (RFC 7643 §3.3). */
export const ScimUserExtension = Type.Object({
  id: Type.String({
    pattern: "^urn:[A-Za-z0-9][A-Za-z0-9-]{1,31}:[A-Za-z0-9:._-]{1,200}:2\\.0:User$",
    "x-message": "Must be a URN that ends with :2.0:User.",
  }),
  name: Type.String({ minLength: 1, maxLength: 64 }),
  attributes: Type.Array(
    Type.Object({
      name: Type.String({ pattern: "^[A-Za-z][A-Za-z0-9_-]{0,63}$" }),
      type: Type.Union(
        (["string", "boolean", "integer", "decimal", "dateTime", "reference"] as const).map((name) =>
          Type.Literal(name),
        ),
      ),
      multi_valued: Type.Boolean({ default: false }),
      required: Type.Boolean({ default: false }),
      case_exact: Type.Boolean({ default: false }),
      description: Type.String({ default: "", maxLength: 200 }),
    }),
    { maxItems: 50 },
  ),
});
export type ScimUserExtension = Static<typeof ScimUserExtension>;

/** The schema that the tenant's settings describe; undefined when it added nothing. */
export function scimUserExtension(settings: {
  scim_user_extension: ScimUserExtension | null;
}): Schema | undefined {
  const extension = settings.scim_user_extension;
  if (!extension) return undefined;
  return {
    id: extension.id,
    name: extension.name,
    description: "Attributes of this tenant",
    attributes: extension.attributes.map(({ name, description, type, required, ...rest }) =>
      attribute(name, description, {
        type,
        required,
        multiValued: rest.multi_valued,
        caseExact: rest.case_exact,
      }),
    ),
  };
}
