import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { ScimError } from "../../protocol/scim/error.ts";
import { resourceTypes, schemaResource, serviceProviderConfig } from "../../protocol/scim/discovery.ts";
import { listResponse } from "../../protocol/scim/list.ts";
import type { JsonObject } from "../../protocol/scim/resource.ts";
import { groupSchemaOf, respond, scimDetail, scimErrors, ScimResource, userSchemaOf } from "./codec.ts";
import { type ScimCaller, scimScope } from "./scope.ts";

const documented = (summary: string, description: string) => ({
  response: { 200: ScimResource, ...scimErrors },
  detail: scimDetail(summary, description),
});

/** What a provisioning client asks first (RFC 7644 §4). */
export const scimDiscoveryRoutes = (deps: Deps) =>
  new Elysia({ name: "scim-discovery" })
    .use(scimScope(deps))
    .get(
      "/scim/v2/ServiceProviderConfig",
      ({ caller }) => respond(serviceProviderConfig(caller.baseUrl, `${deps.config.publicUrl}/docs`)),
      documented("SCIM service provider configuration", "RFC 7643 §5"),
    )
    .get(
      "/scim/v2/ResourceTypes",
      ({ caller, request }) => list(request, typesOf(caller)),
      documented("SCIM resource types", "RFC 7643 §6"),
    )
    .get(
      "/scim/v2/ResourceTypes/:id",
      ({ caller, params }) => one(typesOf(caller), params.id),
      documented("One SCIM resource type", "RFC 7643 §6"),
    )
    .get(
      "/scim/v2/Schemas",
      ({ caller, request }) => list(request, schemasOf(caller)),
      documented("SCIM schemas", "RFC 7643 §7"),
    )
    .get(
      "/scim/v2/Schemas/:id",
      ({ caller, params }) => one(schemasOf(caller), params.id),
      documented("One SCIM schema", "RFC 7643 §7"),
    );

const typesOf = ({ baseUrl, tenant }: ScimCaller): JsonObject[] =>
  resourceTypes(baseUrl, { users: userSchemaOf(tenant), groups: groupSchemaOf() });

function schemasOf({ baseUrl, tenant }: ScimCaller): JsonObject[] {
  const users = userSchemaOf(tenant);
  const schemas = [users.core, ...users.extensions, groupSchemaOf().core];
  return schemas.map((schema) => schemaResource(baseUrl, schema));
}

/** These lists take no filter, and say so instead of ignoring one (RFC 7644 §4). */
function list(request: Request, resources: JsonObject[]): Response {
  if (new URL(request.url).searchParams.has("filter"))
    throw new ScimError(403, undefined, "This list cannot be filtered.");
  return respond(listResponse({ totalResults: resources.length, resources, startIndex: 1 }));
}

function one(resources: JsonObject[], id: string): Response {
  const found = resources.find((resource) => String(resource["id"]).toLowerCase() === id.toLowerCase());
  if (!found) throw new ScimError(404, undefined, "There is nothing of this name.");
  return respond(found);
}
