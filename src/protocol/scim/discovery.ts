/** What a server says of itself (RFC 7644 §4; RFC 7643 §5, §6, §7). */
import type { Attribute, Schema } from "./attribute.ts";
import { MOST_BULK_BYTES, MOST_BULK_OPERATIONS } from "./bulk.ts";
import { DEFAULT_COUNT, MOST_COUNT } from "./list.ts";
import type { ResourceSchema } from "./resource-schema.ts";
import type { JsonObject } from "./resource.ts";

export const SERVICE_PROVIDER_CONFIG_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
export const RESOURCE_TYPE_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
export const SCHEMA_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/** RFC 7643 §5, with `pagination` of RFC 9865 §4. */
export function serviceProviderConfig(baseUrl: string, documentationUri: string): JsonObject {
  return {
    schemas: [SERVICE_PROVIDER_CONFIG_SCHEMA],
    documentationUri,
    patch: { supported: true },
    bulk: { supported: true, maxOperations: MOST_BULK_OPERATIONS, maxPayloadSize: MOST_BULK_BYTES },
    filter: { supported: true, maxResults: MOST_COUNT },
    changePassword: { supported: true },
    sort: { supported: true },
    etag: { supported: true },
    pagination: {
      cursor: true,
      index: true,
      defaultPaginationMethod: "index",
      defaultPageSize: DEFAULT_COUNT,
      maxPageSize: MOST_COUNT,
    },
    authenticationSchemes: [
      {
        type: "oauthbearertoken",
        name: "Bearer token",
        description: "A SCIM token of the tenant or of an organization, or an administrator's access token",
        specUri: "https://www.rfc-editor.org/rfc/rfc6750",
        primary: true,
      },
    ],
    meta: { resourceType: "ServiceProviderConfig", location: `${baseUrl}/ServiceProviderConfig` },
  };
}

/** RFC 7643 §6. */
export function resourceTypes(
  baseUrl: string,
  schemas: { readonly users: ResourceSchema; readonly groups: ResourceSchema },
): JsonObject[] {
  return [
    resourceType(baseUrl, "User", "User Account", schemas.users),
    resourceType(baseUrl, "Group", "Group", schemas.groups),
  ];
}

function resourceType(
  baseUrl: string,
  id: "User" | "Group",
  description: string,
  { core, extensions }: ResourceSchema,
): JsonObject {
  return {
    schemas: [RESOURCE_TYPE_SCHEMA],
    id,
    name: id,
    description,
    endpoint: `/${id}s`,
    schema: core.id,
    schemaExtensions: extensions.map((extension) => ({
      schema: extension.id,
      required: false,
    })),
    meta: { resourceType: "ResourceType", location: `${baseUrl}/ResourceTypes/${id}` },
  };
}

/** RFC 7643 §7. */
export function schemaResource(baseUrl: string, schema: Schema): JsonObject {
  return {
    schemas: [SCHEMA_SCHEMA],
    id: schema.id,
    name: schema.name,
    description: schema.description,
    attributes: schema.attributes.map(attributeResource),
    meta: { resourceType: "Schema", location: `${baseUrl}/Schemas/${schema.id}` },
  };
}

function attributeResource(attribute: Attribute): JsonObject {
  const resource: JsonObject = {
    name: attribute.name,
    type: attribute.type,
    multiValued: attribute.multiValued,
    description: attribute.description,
    required: attribute.required,
    mutability: attribute.mutability,
    returned: attribute.returned,
  };
  // Neither says anything of complex attributes (RFC 7643 §7).
  if (attribute.type !== "complex") {
    resource["caseExact"] = attribute.caseExact;
    resource["uniqueness"] = attribute.uniqueness;
  }
  if (attribute.canonicalValues) resource["canonicalValues"] = [...attribute.canonicalValues];
  if (attribute.referenceTypes) resource["referenceTypes"] = [...attribute.referenceTypes];
  if (attribute.subAttributes) resource["subAttributes"] = attribute.subAttributes.map(attributeResource);
  return resource;
}
