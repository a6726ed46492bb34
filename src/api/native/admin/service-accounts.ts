/** Service accounts, as administrators look after them. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import {
  createServiceAccount,
  deleteServiceAccount,
  findServiceAccount,
  listServiceAccounts,
  type ServiceAccount,
  updateServiceAccount,
} from "../../../domain/service-accounts/service.ts";
import { jsonBody } from "../../../http/json-body.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { listOf, listQuery, listResponse, readPage } from "../../../http/pagination.ts";
import { adminScope } from "../../../http/scope.ts";
import { adminErrors, Nothing } from "./models.ts";

const SORTS = ["created_at", "name"] as const;
const Moment = t.String({ format: "date-time" });
const Name = t.String({ minLength: 1, maxLength: 128 });
const Description = t.String({ maxLength: 500 });
const Roles = t.Array(t.String({ maxLength: 64 }), { maxItems: 100, description: "By name" });

const ServiceAccountRequest = t.Object({
  name: Name,
  description: t.Optional(Description),
  enabled: t.Optional(t.Boolean()),
  roles: t.Optional(Roles),
});

const ServiceAccountChangesRequest = t.Partial(ServiceAccountRequest);

const ServiceAccountResponse = t.Object(
  {
    id: t.String({ examples: ["sa_01JD2M9V7QX5T8Z4C6B3N0K1HF"] }),
    name: t.String(),
    description: t.String(),
    enabled: t.Boolean({ description: "Whether its keys are good for anything" }),
    roles: t.Array(t.String()),
    created_at: Moment,
    updated_at: Moment,
  },
  { description: "Who acts by API keys alone, and is no person" },
);

export const adminServiceAccountRoutes = (deps: Deps) =>
  new Elysia({
    name: "native-admin-service-accounts",
    detail: { tags: ["Service accounts"], security: bearerAuth },
  })
    .use(adminScope(deps))
    .get(
      "/api/v1/admin/service-accounts",
      async ({ tenant, query }) => {
        const page = readPage(query, SORTS, "serviceAccount");
        return listResponse(await listServiceAccounts(deps, tenant.id, page), page, "serviceAccount", {
          show: response,
          keyOf: (account) => ({
            value: page.sort === "name" ? account.name : account.createdAt.toISOString(),
            id: account.id,
          }),
        });
      },
      {
        query: listQuery(SORTS),
        response: { 200: listOf(ServiceAccountResponse), ...adminErrors },
        detail: { summary: "List service accounts", description: "`search` looks at name and description." },
      },
    )
    .post(
      "/api/v1/admin/service-accounts",
      async ({ tenant, body, by, status }) => {
        const { name, description = "", enabled = true, roles = [] } = body;
        const input = { name, description, enabled, roles };
        return status(201, response(await createServiceAccount(deps, tenant.id, input, by)));
      },
      {
        parse: jsonBody,
        body: ServiceAccountRequest,
        response: { 201: ServiceAccountResponse, 409: ErrorResponse, 422: ErrorResponse, ...adminErrors },
        detail: {
          summary: "Create a service account",
          description: "What it may do is said by its roles; it can do nothing until it has a key.",
        },
      },
    )
    .get(
      "/api/v1/admin/service-accounts/:id",
      async ({ tenant, params }) => response(await findServiceAccount(deps, tenant.id, params.id)),
      {
        response: { 200: ServiceAccountResponse, ...adminErrors },
        detail: { summary: "A service account" },
      },
    )
    .put(
      "/api/v1/admin/service-accounts/:id",
      async ({ tenant, params, body, by }) =>
        response(await updateServiceAccount(deps, tenant.id, params.id, body, by)),
      {
        parse: jsonBody,
        body: ServiceAccountChangesRequest,
        response: { 200: ServiceAccountResponse, 409: ErrorResponse, 422: ErrorResponse, ...adminErrors },
        detail: {
          summary: "Change a service account",
          description: "What is left out stays as it is. While it is disabled, its keys open nothing.",
        },
      },
    )
    .delete(
      "/api/v1/admin/service-accounts/:id",
      async ({ tenant, params, by, status }) => {
        await deleteServiceAccount(deps, tenant.id, params.id, by);
        return status(204, undefined);
      },
      {
        response: { 204: Nothing, ...adminErrors },
        detail: { summary: "Remove a service account", description: "With all its keys, at once." },
      },
    );

function response(account: ServiceAccount): typeof ServiceAccountResponse.static {
  return {
    id: account.id,
    name: account.name,
    description: account.description,
    enabled: account.enabled,
    roles: [...account.roles],
    created_at: account.createdAt.toISOString(),
    updated_at: account.updatedAt.toISOString(),
  };
}
