/** The tenants, which the reference calls organizations. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import {
  addTenant,
  findTenantRecord,
  listTenants,
  removeTenant,
  type TenantRecord,
  updateTenant,
} from "../../../domain/tenants/administration.ts";
import { issuerOf } from "../../../domain/tenants/service.ts";
import { jsonBody } from "../../../http/json-body.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { listOf, listQuery, listResponse, readPage } from "../../../http/pagination.ts";
import { adminScope } from "../../../http/scope.ts";
import { adminErrors, Nothing } from "./models.ts";
import { given } from "./user-models.ts";

const SORTS = ["created_at", "name", "slug"] as const;

const Name = t.String({ minLength: 1, maxLength: 128 });
const Domains = t.Array(t.String({ minLength: 1, maxLength: 253 }), {
  maxItems: 50,
  description: "Host names that lead to it; the first is that of its issuer",
});

const NewOrganizationRequest = t.Object({
  slug: t.String({ minLength: 1, maxLength: 63, description: "Its name in paths; it cannot be changed" }),
  name: Name,
  domains: t.Optional(Domains),
});

const OrganizationChangesRequest = t.Object({ name: t.Optional(Name), domains: t.Optional(Domains) });

const OrganizationResponse = t.Object(
  {
    id: t.String({ examples: ["tenant_01JD2M9V7QX5T8Z4C6B3N0K1HF"] }),
    slug: t.String(),
    name: t.String(),
    is_default: t.Boolean({ description: "Whether requests that name no organization are for this one" }),
    domains: t.Array(t.String()),
    issuer: t.String({ format: "uri" }),
    created_at: t.String({ format: "date-time" }),
    updated_at: t.String({ format: "date-time" }),
  },
  { description: "An organization: an isolated pool of users with its own clients, keys and settings" },
);

export const adminOrganizationRoutes = (deps: Deps) =>
  new Elysia({
    name: "native-admin-organizations",
    detail: { tags: ["Organizations"], security: bearerAuth },
  })
    .use(adminScope(deps))
    .get(
      "/api/v1/admin/organizations",
      async ({ query, tenant, by }) => {
        const page = readPage(query, SORTS, "tenant");
        const found = await listTenants(deps, page, { ...by, tenantId: tenant.id });
        return listResponse(found, page, "tenant", {
          show: (one) => response(deps, one),
          keyOf: (one) => ({
            value: page.sort === "created_at" ? one.createdAt.toISOString() : one[page.sort],
            id: one.id,
          }),
        });
      },
      {
        query: listQuery(SORTS),
        response: { 200: listOf(OrganizationResponse), ...adminErrors },
        detail: {
          summary: "List organizations",
          description:
            "All of them for a super_admin, else the administrator's own. `search` looks at names and slugs.",
        },
      },
    )
    .post(
      "/api/v1/admin/organizations",
      async ({ body, tenant, by, status }) => {
        const { slug, name, domains = [] } = body;
        const made = await addTenant(deps, { slug, name, domains }, { ...by, tenantId: tenant.id });
        return status(201, response(deps, made));
      },
      {
        parse: jsonBody,
        body: NewOrganizationRequest,
        response: { 201: OrganizationResponse, 409: ErrorResponse, 422: ErrorResponse, ...adminErrors },
        detail: {
          summary: "Make an organization",
          description: "With roles, keys and all else that it needs. By a super_admin.",
        },
      },
    )
    .get(
      "/api/v1/admin/organizations/:id",
      async ({ params, tenant, by }) =>
        response(deps, await findTenantRecord(deps, params.id, { ...by, tenantId: tenant.id })),
      {
        response: { 200: OrganizationResponse, ...adminErrors },
        detail: { summary: "An organization" },
      },
    )
    .put(
      "/api/v1/admin/organizations/:id",
      async ({ params, body: { name, domains }, tenant, by }) => {
        const changes = given({ name, domains });
        return response(deps, await updateTenant(deps, params.id, changes, { ...by, tenantId: tenant.id }));
      },
      {
        parse: jsonBody,
        body: OrganizationChangesRequest,
        response: { 200: OrganizationResponse, 409: ErrorResponse, 422: ErrorResponse, ...adminErrors },
        detail: {
          summary: "Change an organization",
          description: "What is left out stays as it is. Domains are changed by a super_admin alone.",
        },
      },
    )
    .delete(
      "/api/v1/admin/organizations/:id",
      async ({ params, home, tenant, by, status }) => {
        await removeTenant(deps, params.id, home.id, { ...by, tenantId: tenant.id });
        return status(204, undefined);
      },
      {
        response: { 204: Nothing, 409: ErrorResponse, ...adminErrors },
        detail: {
          summary: "Remove an organization",
          description: "With its users and all else that belongs to it, at once. By a super_admin.",
        },
      },
    );

function response(deps: Deps, tenant: TenantRecord): typeof OrganizationResponse.static {
  return {
    id: tenant.id,
    slug: tenant.slug,
    name: tenant.name,
    is_default: tenant.isDefault,
    domains: [...tenant.domains],
    issuer: issuerOf(tenant, deps.config.publicUrl),
    created_at: tenant.createdAt.toISOString(),
    updated_at: tenant.updatedAt.toISOString(),
  };
}
