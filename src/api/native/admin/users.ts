/** Users, as administrators look after them. */
import { Elysia } from "elysia";
import type { Deps } from "../../../deps.ts";
import type { Tenant } from "../../../domain/tenants/service.ts";
import {
  createUser,
  deleteUser,
  findUser,
  listUsers,
  updateUser,
  type UserFilter,
  type UserSort,
} from "../../../domain/user-administration/service.ts";
import { jsonBody } from "../../../http/json-body.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { listOf, listResponse, readPage } from "../../../http/pagination.ts";
import { adminScope } from "../../../http/scope.ts";
import { usernameKey } from "../../../domain/users/service.ts";
import { badRequest } from "../../../lib/errors.ts";
import { isId } from "../../../lib/ids.ts";
import type { PageResult } from "../../../lib/page.ts";
import { adminErrors, Nothing } from "./models.ts";
import * as models from "./user-models.ts";

type Listed = Awaited<ReturnType<typeof listUsers>>["items"][number];

export const adminUserRoutes = (deps: Deps) =>
  new Elysia({ name: "native-admin-users", detail: { tags: ["Users"], security: bearerAuth } })
    .use(adminScope(deps))
    .get(
      "/api/v1/admin/users",
      async ({ tenant, query }) => {
        const page = readPage(query, models.SORTS, "user");
        const filter = readFilter(query, tenant);
        const found: PageResult<Listed> = filter
          ? await listUsers(deps, tenant.id, filter, page)
          : { items: [], hasMore: false, total: 0 };
        return listResponse(found, page, "user", {
          show: models.administeredUserResponse,
          keyOf: (user) => ({ value: keyOf(user, page.sort), id: user.id }),
        });
      },
      {
        query: models.UsersQuery,
        response: { 200: listOf(models.AdministeredUserResponse), ...adminErrors },
        detail: {
          summary: "List users",
          description:
            "`search` looks at usernames, email addresses and names; for one or two letters, at how these begin; for marks alone, at nothing. Of a search `total` counts at most 1000, of several filters at once at most 2000.",
        },
      },
    )
    .post(
      "/api/v1/admin/users",
      async ({ tenant, body, by, status }) => {
        const { username, email, password, email_verified: emailVerified = false } = body;
        const { enabled = true, roles = [] } = body;
        const profile = models.profileOf(body);
        const user = { username, email: email.trim(), emailVerified, password, enabled, roles, profile };
        return status(201, models.administeredUserResponse(await createUser(deps, tenant, user, by)));
      },
      {
        parse: jsonBody,
        body: models.NewUserRequest,
        response: {
          201: models.AdministeredUserResponse,
          409: ErrorResponse,
          422: ErrorResponse,
          ...adminErrors,
        },
        detail: {
          summary: "Create a user",
          description: "Without a password, the user is mailed a link by which they choose one.",
        },
      },
    )
    .get(
      "/api/v1/admin/users/:id",
      async ({ tenant, params }) =>
        models.administeredUserResponse(await findUser(deps, tenant.id, params.id)),
      {
        response: { 200: models.AdministeredUserResponse, ...adminErrors },
        detail: { summary: "A user" },
      },
    )
    .put(
      "/api/v1/admin/users/:id",
      async ({ tenant, params, body, by }) => {
        const { username, email, enabled, roles } = body;
        const changes = { ...models.profileOf(body), ...models.given({ username, email, enabled, roles }) };
        return models.administeredUserResponse(await updateUser(deps, tenant, params.id, changes, by));
      },
      {
        parse: jsonBody,
        body: models.UserChangesRequest,
        response: {
          200: models.AdministeredUserResponse,
          409: ErrorResponse,
          422: ErrorResponse,
          ...adminErrors,
        },
        detail: {
          summary: "Change a user",
          description:
            "What is left out stays as it is; null takes it away. A new address counts as verified, and both are told. `roles` are those of the user alone: what groups give stays.",
        },
      },
    )
    .delete(
      "/api/v1/admin/users/:id",
      async ({ tenant, params, by, status }) => {
        await deleteUser(deps, tenant.id, params.id, by);
        return status(204, undefined);
      },
      {
        response: { 204: Nothing, 409: ErrorResponse, ...adminErrors },
        detail: { summary: "Remove a user", description: "At once, with all that belongs to them." },
      },
    );

/** @returns undefined where nobody can match @throws AppError 400 */
function readFilter(query: typeof models.UsersQuery.static, tenant: Tenant): UserFilter | undefined {
  const { enabled, role, organization_id: organization } = query;
  const isOrganization = isId("organization", organization);
  // The reference's organizations are our tenants, and every user of this one is in it.
  if (organization !== undefined && organization !== tenant.id && !isOrganization) return undefined;
  return {
    enabled,
    role,
    organizationId: isOrganization ? organization : undefined,
    createdAfter: readMoment(query.created_after, "created_after"),
    createdBefore: readMoment(query.created_before, "created_before"),
  };
}

function readMoment(text: string | undefined, name: string): Date | undefined {
  if (text === undefined) return undefined;
  const moment = new Date(text);
  if (Number.isNaN(moment.getTime())) throw badRequest(`${name} must be a moment, as ISO 8601 writes it.`);
  return moment;
}

function keyOf(user: Listed, sort: UserSort): string {
  switch (sort) {
    case "created_at":
      return user.createdAt.toISOString();
    case "updated_at":
      return user.updatedAt.toISOString();
    case "last_login_at":
      return (user.lastLoginAt ?? new Date(0)).toISOString();
    case "username":
      return usernameKey(user.username);
    case "email":
      return user.emailKey;
  }
}
