/** The schemas of SCIM resources, as a tenant has them. */
import { scimUserExtension } from "../domain/tenants/scim-extension.ts";
import type { Tenant } from "../domain/tenants/service.ts";
import type { ResourceSchema } from "../protocol/scim/resource-schema.ts";
import { enterpriseUserSchema, groupSchema, userSchema } from "../protocol/scim/schemas.ts";

/** Users of a tenant, with the attributes that it added itself. */
export function userSchemaOf(tenant: Tenant): ResourceSchema {
  const own = scimUserExtension(tenant.settings);
  return { core: userSchema, extensions: own ? [enterpriseUserSchema, own] : [enterpriseUserSchema] };
}

export const groupSchemaOf = (): ResourceSchema => ({ core: groupSchema, extensions: [] });
