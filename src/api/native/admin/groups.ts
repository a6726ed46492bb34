/** Groups of users and who is in them. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import {
  createGroup,
  deleteGroup,
  findGroup,
  type Group,
  listGroups,
  listMembers,
  renameGroup,
  setMember,
} from "../../../domain/groups/service.ts";
import { jsonBody } from "../../../http/json-body.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { listOf, listQuery, listResponse, readPage } from "../../../http/pagination.ts";
import { adminScope } from "../../../http/scope.ts";
import { adminErrors, Nothing } from "./models.ts";

const SORTS = ["created_at", "name"] as const;
const MEMBER_SORTS = ["username"] as const;

const Moment = t.String({ format: "date-time" });

const GroupRequest = t.Object({ name: t.String({ minLength: 1, maxLength: 128 }) });

const GroupResponse = t.Object(
  {
    id: t.String({ examples: ["group_01JD2M9V7QX5T8Z4C6B3N0K1HF"] }),
    name: t.String(),
    organization_id: t.Nullable(t.String({ description: "The customer company that it is of" })),
    roles: t.Array(t.String(), { description: "Roles that it gives to its members" }),
    created_at: Moment,
    updated_at: Moment,
  },
  { description: "A group of users" },
);

const MemberResponse = t.Object({ user_id: t.String(), username: t.String(), since: Moment });

export const adminGroupRoutes = (deps: Deps) =>
  new Elysia({ name: "native-admin-groups", detail: { tags: ["Groups"], security: bearerAuth } })
    .use(adminScope(deps))
    .get(
      "/api/v1/admin/groups",
      async ({ tenant, query }) => {
        const page = readPage(query, SORTS, "group");
        return listResponse(await listGroups(deps, tenant.id, page), page, "group", {
          show: response,
          keyOf: ({ id, displayName, createdAt }) => ({
            value: page.sort === "name" ? displayName : createdAt.toISOString(),
            id,
          }),
        });
      },
      {
        query: listQuery(SORTS),
        response: { 200: listOf(GroupResponse), ...adminErrors },
        detail: { summary: "List groups", description: "`search` looks at their names." },
      },
    )
    .post(
      "/api/v1/admin/groups",
      async ({ tenant, body, by, status }) =>
        status(201, response(await createGroup(deps, tenant.id, body.name, by))),
      {
        parse: jsonBody,
        body: GroupRequest,
        response: { 201: GroupResponse, 422: ErrorResponse, ...adminErrors },
        detail: { summary: "Make a group" },
      },
    )
    .get(
      "/api/v1/admin/groups/:id",
      async ({ tenant, params }) => response(await findGroup(deps, tenant.id, params.id)),
      { response: { 200: GroupResponse, ...adminErrors }, detail: { summary: "A group" } },
    )
    .put(
      "/api/v1/admin/groups/:id",
      async ({ tenant, params, body, by }) =>
        response(await renameGroup(deps, tenant.id, params.id, body.name, by)),
      {
        parse: jsonBody,
        body: GroupRequest,
        response: { 200: GroupResponse, 422: ErrorResponse, ...adminErrors },
        detail: { summary: "Rename a group" },
      },
    )
    .delete(
      "/api/v1/admin/groups/:id",
      async ({ tenant, params, by, status }) => {
        await deleteGroup(deps, tenant.id, params.id, by);
        return status(204, undefined);
      },
      {
        response: { 204: Nothing, 409: ErrorResponse, ...adminErrors },
        detail: { summary: "Remove a group", description: "Its members lose the roles that it gives." },
      },
    )
    .get(
      "/api/v1/admin/groups/:id/members",
      async ({ tenant, params, query }) => {
        const page = readPage(query, MEMBER_SORTS, "user");
        return listResponse(await listMembers(deps, tenant.id, params.id, page), page, "user", {
          show: ({ id, username, since }) => ({ user_id: id, username, since: since.toISOString() }),
          keyOf: ({ id, usernameKey }) => ({ value: usernameKey, id }),
        });
      },
      {
        query: listQuery(MEMBER_SORTS),
        response: { 200: listOf(MemberResponse), ...adminErrors },
        detail: {
          summary: "The users in a group",
          description: "Those of groups that are in it are not listed. `search` looks at usernames.",
        },
      },
    )
    .put(
      "/api/v1/admin/groups/:id/members/:user_id",
      async ({ tenant, params, by, status }) => {
        const of = { groupId: params.id, userId: params.user_id, isMember: true };
        await setMember(deps, tenant.id, of, by);
        return status(204, undefined);
      },
      {
        response: { 204: Nothing, 409: ErrorResponse, ...adminErrors },
        detail: { summary: "Put a user into a group" },
      },
    )
    .delete(
      "/api/v1/admin/groups/:id/members/:user_id",
      async ({ tenant, params, by, status }) => {
        const of = { groupId: params.id, userId: params.user_id, isMember: false };
        await setMember(deps, tenant.id, of, by);
        return status(204, undefined);
      },
      {
        response: { 204: Nothing, 409: ErrorResponse, ...adminErrors },
        detail: { summary: "Take a user out of a group" },
      },
    );

function response(group: Group): typeof GroupResponse.static {
  return {
    id: group.id,
    name: group.displayName,
    organization_id: group.organizationId,
    roles: [...group.roles],
    created_at: group.createdAt.toISOString(),
    updated_at: group.updatedAt.toISOString(),
  };
}
