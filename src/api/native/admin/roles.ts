/** Roles, what they allow, and the clients that have them. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import {
  createRole,
  deleteRole,
  findRole,
  listClientRoles,
  listRoles,
  setClientRoles,
  updateRole,
} from "../../../domain/roles/administration.ts";
import { isBuiltInRole, type Role } from "../../../domain/roles/service.ts";
import { jsonBody } from "../../../http/json-body.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { listOf, listQuery, listResponse, readPage } from "../../../http/pagination.ts";
import { adminScope } from "../../../http/scope.ts";
import { adminErrors, Nothing } from "./models.ts";

const SORTS = ["created_at", "name"] as const;

const RoleRequest = t.Object({
  name: t.String({ minLength: 1, maxLength: 64, examples: ["editor"] }),
  description: t.Optional(t.String({ maxLength: 500 })),
  permissions: t.Optional(
    t.Array(t.String({ minLength: 1, maxLength: 128 }), {
      maxItems: 1000,
      description: "What the role allows, in the words of your applications",
      examples: [["articles:write"]],
    }),
  ),
});

const RoleResponse = t.Object(
  {
    id: t.String({ examples: ["role_01JD2M9V7QX5T8Z4C6B3N0K1HF"] }),
    name: t.String(),
    description: t.String(),
    permissions: t.Array(t.String()),
    built_in: t.Boolean({ description: "Whether it is part of every tenant, and stays" }),
    created_at: t.String({ format: "date-time" }),
  },
  { description: "A role" },
);

const ClientRoles = t.Object({
  roles: t.Array(t.String({ minLength: 1, maxLength: 128 }), {
    maxItems: 100,
    description: "Names of roles of the tenant",
  }),
});

const describedRole = ({ name, description = "", permissions = [] }: typeof RoleRequest.static) => ({
  name,
  description,
  permissions,
});

export const adminRoleRoutes = (deps: Deps) =>
  new Elysia({ name: "native-admin-roles", detail: { tags: ["Roles"], security: bearerAuth } })
    .use(adminScope(deps))
    .get(
      "/api/v1/admin/roles",
      async ({ tenant, query }) => {
        const page = readPage(query, SORTS, "role");
        return listResponse(await listRoles(deps, tenant.id, page), page, "role", {
          show: response,
          keyOf: ({ id, name, createdAt }) => ({
            value: page.sort === "name" ? name : createdAt.toISOString(),
            id,
          }),
        });
      },
      {
        query: listQuery(SORTS),
        response: { 200: listOf(RoleResponse), ...adminErrors },
        detail: { summary: "List roles", description: "`search` looks at names and descriptions." },
      },
    )
    .post(
      "/api/v1/admin/roles",
      async ({ tenant, body, by, status }) =>
        status(201, response(await createRole(deps, tenant.id, describedRole(body), by))),
      {
        parse: jsonBody,
        body: RoleRequest,
        response: { 201: RoleResponse, 409: ErrorResponse, 422: ErrorResponse, ...adminErrors },
        detail: { summary: "Make a role" },
      },
    )
    .get(
      "/api/v1/admin/roles/:id",
      async ({ tenant, params }) => response(await findRole(deps, tenant.id, params.id)),
      { response: { 200: RoleResponse, ...adminErrors }, detail: { summary: "A role" } },
    )
    .put(
      "/api/v1/admin/roles/:id",
      async ({ tenant, params, body, by }) =>
        response(await updateRole(deps, tenant.id, params.id, describedRole(body), by)),
      {
        parse: jsonBody,
        body: RoleRequest,
        response: { 200: RoleResponse, 409: ErrorResponse, 422: ErrorResponse, ...adminErrors },
        detail: {
          summary: "Replace what is said of a role",
          description:
            "Whoever has it may do more, or less, from their next token on. Built-in roles keep their names.",
        },
      },
    )
    .delete(
      "/api/v1/admin/roles/:id",
      async ({ tenant, params, by, status }) => {
        await deleteRole(deps, tenant.id, params.id, by);
        return status(204, undefined);
      },
      {
        response: { 204: Nothing, 409: ErrorResponse, ...adminErrors },
        detail: { summary: "Remove a role", description: "From everybody who has it." },
      },
    )
    .get(
      "/api/v1/admin/clients/:id/roles",
      async ({ tenant, params }) => ({ roles: await listClientRoles(deps, tenant.id, params.id) }),
      {
        response: { 200: ClientRoles, ...adminErrors },
        detail: { summary: "The roles that a client has on its own behalf" },
      },
    )
    .put(
      "/api/v1/admin/clients/:id/roles",
      async ({ tenant, params, body, by }) => ({
        roles: await setClientRoles(deps, tenant.id, params.id, body.roles, by),
      }),
      {
        parse: jsonBody,
        body: ClientRoles,
        response: { 200: ClientRoles, 422: ErrorResponse, ...adminErrors },
        detail: {
          summary: "Replace the roles that a client has on its own behalf",
          description:
            "Tokens of the client credentials grant hold them as `roles`, and with the scope `permissions` what they allow. Roles that administer are for people.",
        },
      },
    );

function response({ id, name, description, permissions, createdAt }: Role): typeof RoleResponse.static {
  return {
    id,
    name,
    description,
    permissions: [...permissions],
    built_in: isBuiltInRole(name),
    created_at: createdAt.toISOString(),
  };
}
