import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import {
  createScimUser,
  deleteScimUser,
  findScimUser,
  patchScimUser,
  type Provisioning,
  replaceScimUser,
} from "../../domain/scim-users/service.ts";
import { jsonBody } from "../../http/json-body.ts";
import { Nothing } from "../../http/models.ts";
import { readPatchRequest } from "../../protocol/scim/patch-request.ts";
import {
  ifMatchOf,
  readBody,
  respondWithResource,
  scimDetail,
  scimErrors,
  ScimBody,
  ScimErrorResponse,
  ScimResource,
  userSchemaOf,
} from "./codec.ts";
import { type ScimCaller, scimScope } from "./scope.ts";

export const usersBy = (caller: ScimCaller): Provisioning => ({
  ...caller,
  schema: userSchemaOf(caller.tenant),
});

const written = { 409: ScimErrorResponse, 412: ScimErrorResponse, ...scimErrors };

/** Users (RFC 7644 §3.2); lists and searches are in `search.ts`. */
export const scimUserRoutes = (deps: Deps) =>
  new Elysia({ name: "scim-users" })
    .use(scimScope(deps))
    .post(
      "/scim/v2/Users",
      async ({ caller, request, body }) => {
        const by = usersBy(caller);
        const user = await createScimUser(deps, by, readBody(request, body));
        return respondWithResource(request, by.schema, user, { status: 201 });
      },
      {
        parse: jsonBody,
        body: ScimBody,
        response: { 201: ScimResource, ...written },
        detail: scimDetail("Create a SCIM user", "RFC 7644 §3.3"),
      },
    )
    .get(
      "/scim/v2/Users/:id",
      async ({ caller, request, params }) => {
        const by = usersBy(caller);
        return respondWithResource(request, by.schema, await findScimUser(deps, by, params.id));
      },
      {
        response: { 200: ScimResource, 304: Nothing, ...scimErrors },
        detail: scimDetail("Get a SCIM user", "RFC 7644 §3.4.1"),
      },
    )
    .put(
      "/scim/v2/Users/:id",
      async ({ caller, request, params, body }) => {
        const by = usersBy(caller);
        const resource = readBody(request, body);
        const user = await replaceScimUser(deps, by, params.id, resource, ifMatchOf(request));
        return respondWithResource(request, by.schema, user);
      },
      {
        parse: jsonBody,
        body: ScimBody,
        response: { 200: ScimResource, ...written },
        detail: scimDetail("Replace a SCIM user", "RFC 7644 §3.5.1"),
      },
    )
    .patch(
      "/scim/v2/Users/:id",
      async ({ caller, request, params, body }) => {
        const by = usersBy(caller);
        const operations = readPatchRequest(readBody(request, body));
        const user = await patchScimUser(deps, by, params.id, operations, ifMatchOf(request));
        return respondWithResource(request, by.schema, user);
      },
      {
        parse: jsonBody,
        body: ScimBody,
        response: { 200: ScimResource, ...written },
        detail: scimDetail("Change a SCIM user", "RFC 7644 §3.5.2"),
      },
    )
    .delete(
      "/scim/v2/Users/:id",
      async ({ caller, request, params, status }) => {
        await deleteScimUser(deps, usersBy(caller), params.id, ifMatchOf(request));
        return status(204, undefined);
      },
      {
        response: { 204: Nothing, 412: ScimErrorResponse, ...scimErrors },
        detail: scimDetail("Delete a SCIM user", "RFC 7644 §3.6"),
      },
    );
