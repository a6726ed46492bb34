import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import {
  createScimGroup,
  deleteScimGroup,
  findScimGroup,
  patchScimGroup,
  replaceScimGroup,
} from "../../domain/scim-groups/service.ts";
import type { Provisioning } from "../../domain/scim-users/service.ts";
import { jsonBody } from "../../http/json-body.ts";
import { Nothing } from "../../http/models.ts";
import { memberPageOf } from "../../protocol/scim/list.ts";
import { readPatchRequest } from "../../protocol/scim/patch-request.ts";
import {
  groupSchemaOf,
  ifMatchOf,
  projectionOf,
  readBody,
  respondWithResource,
  scimDetail,
  scimErrors,
  ScimBody,
  ScimErrorResponse,
  ScimResource,
} from "./codec.ts";
import { type ScimCaller, scimScope } from "./scope.ts";

export const groupsBy = (caller: ScimCaller): Provisioning => ({
  ...caller,
  schema: groupSchemaOf(),
});

const written = { 409: ScimErrorResponse, 412: ScimErrorResponse, ...scimErrors };

/** Groups (RFC 7644 §3.2); lists and searches are in `search.ts`. */
export const scimGroupRoutes = (deps: Deps) =>
  new Elysia({ name: "scim-groups" })
    .use(scimScope(deps))
    .post(
      "/scim/v2/Groups",
      async ({ caller, request, body }) => {
        const by = groupsBy(caller);
        const group = await createScimGroup(deps, by, readBody(request, body));
        return respondWithResource(request, by.schema, group, { status: 201 });
      },
      {
        parse: jsonBody,
        body: ScimBody,
        response: { 201: ScimResource, ...written },
        detail: scimDetail("Create a SCIM group", "RFC 7644 §3.3"),
      },
    )
    .get(
      "/scim/v2/Groups/:id",
      async ({ caller, request, params }) => {
        const by = groupsBy(caller);
        const projection = projectionOf(by.schema, request);
        const page = memberPageOf(new URL(request.url).searchParams);
        const group = await findScimGroup(deps, by, params.id, projection, page);
        return respondWithResource(request, by.schema, group, { projection });
      },
      {
        response: { 200: ScimResource, 304: Nothing, ...scimErrors },
        detail: scimDetail(
          "Get a SCIM group",
          "RFC 7644 §3.4.1. With startIndex or count, a page of its members; all of them otherwise.",
        ),
      },
    )
    .put(
      "/scim/v2/Groups/:id",
      async ({ caller, request, params, body }) => {
        const by = groupsBy(caller);
        const resource = readBody(request, body);
        const group = await replaceScimGroup(deps, by, params.id, resource, ifMatchOf(request));
        return respondWithResource(request, by.schema, group);
      },
      {
        parse: jsonBody,
        body: ScimBody,
        response: { 200: ScimResource, ...written },
        detail: scimDetail("Replace a SCIM group", "RFC 7644 §3.5.1"),
      },
    )
    .patch(
      "/scim/v2/Groups/:id",
      async ({ caller, request, params, body }) => {
        const by = groupsBy(caller);
        const operations = readPatchRequest(readBody(request, body));
        const group = await patchScimGroup(deps, by, params.id, operations, ifMatchOf(request));
        return respondWithResource(request, by.schema, group);
      },
      {
        parse: jsonBody,
        body: ScimBody,
        response: { 200: ScimResource, ...written },
        detail: scimDetail("Change a SCIM group", "RFC 7644 §3.5.2"),
      },
    )
    .delete(
      "/scim/v2/Groups/:id",
      async ({ caller, request, params, status }) => {
        await deleteScimGroup(deps, groupsBy(caller), params.id, ifMatchOf(request));
        return status(204, undefined);
      },
      {
        response: { 204: Nothing, 412: ScimErrorResponse, ...scimErrors },
        detail: scimDetail("Delete a SCIM group", "RFC 7644 §3.6"),
      },
    );
