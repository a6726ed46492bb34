import { attribute, type Schema } from "../../../src/protocol/scim/attribute.ts";
import { ScimError } from "../../../src/protocol/scim/error.ts";
import type { ResourceSchema } from "../../../src/protocol/scim/resource-schema.ts";
import { enterpriseUserSchema, groupSchema, userSchema } from "../../../src/protocol/scim/schemas.ts";

/** Has an attribute of every type that the schemas of RFC 7643 do not have. */
export const customSchema: Schema = {
  id: "urn:example:params:scim:schemas:extension:badge:2.0:User",
  name: "Badge",
  description: "A tenant's own attributes",
  attributes: [
    attribute("level", "", { type: "integer" }),
    attribute("weight", "", { type: "decimal" }),
    attribute("hiredAt", "", { type: "dateTime" }),
    attribute("code", "", { caseExact: true, mutability: "immutable" }),
    attribute("tags", "", { multiValued: true }),
    attribute("secret", "", { returned: "request" }),
  ],
};

export const users: ResourceSchema = { core: userSchema, extensions: [enterpriseUserSchema, customSchema] };
export const groups: ResourceSchema = { core: groupSchema, extensions: [] };

/** The `scimType` that an action is refused with. */
export function scimType(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof ScimError) return error.scimType;
    throw error;
  }
  throw new Error("nothing was refused");
}
