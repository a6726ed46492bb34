/** Roles that groups give to their members. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import { listGroupRoles, setGroupRoles } from "../../../domain/group-roles/service.ts";
import { jsonBody } from "../../../http/json-body.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { adminScope } from "../../../http/scope.ts";
import { adminErrors } from "./models.ts";

const GroupRoles = t.Object(
  {
    roles: t.Array(t.String({ minLength: 1, maxLength: 128 }), {
      maxItems: 100,
      description: "Names of roles of the tenant",
    }),
  },
  { description: "The roles that a group gives" },
);

export const adminGroupRoleRoutes = (deps: Deps) =>
  new Elysia({ name: "native-admin-group-roles", detail: { tags: ["Groups"], security: bearerAuth } })
    .use(adminScope(deps))
    .get(
      "/api/v1/admin/groups/:id/roles",
      async ({ tenant, params }) => ({ roles: await listGroupRoles(deps, tenant.id, params.id) }),
      {
        response: { 200: GroupRoles, ...adminErrors },
        detail: { summary: "The roles that a group gives to its members" },
      },
    )
    .put(
      "/api/v1/admin/groups/:id/roles",
      async ({ tenant, params, body, by }) => ({
        roles: await setGroupRoles(deps, tenant.id, params.id, body.roles, by),
      }),
      {
        parse: jsonBody,
        body: GroupRoles,
        response: { 200: GroupRoles, 409: ErrorResponse, 422: ErrorResponse, ...adminErrors },
        detail: {
          summary: "Replace the roles that a group gives to its members",
          description:
            "They have them at once, those of nested groups too. Only a super_admin gives super_admin.",
        },
      },
    );
