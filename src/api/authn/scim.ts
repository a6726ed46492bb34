/** How an organization's directory is let in (the SCIM part of this surface). Times are Unix milliseconds here. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../deps.ts";
import {
  type Organization,
  requireOrganization,
  scimMappingOf,
  setScimMapping,
} from "../../domain/organizations/service.ts";
import {
  createScimToken,
  listScimTokens,
  revokeScimToken,
  type ScimToken,
} from "../../domain/scim-tokens/service.ts";
import { issuerOf } from "../../domain/tenants/service.ts";
import { jsonBody } from "../../http/json-body.ts";
import { bearerAuth, commonErrors, ErrorResponse } from "../../http/models.ts";
import { adminScope } from "../../http/scope.ts";
import { userSchemaOf } from "../../http/scim-schemas.ts";

const Milliseconds = t.Integer({ description: "Unix milliseconds" });

const ScimTokenResponse = t.Object(
  {
    object: t.Literal("scim_token"),
    id: t.String(),
    organization_id: t.String(),
    name: t.String(),
    created_at: Milliseconds,
    expires_at: t.Union([Milliseconds, t.Null()]),
    last_used_at: t.Union([Milliseconds, t.Null()]),
    revoked_at: t.Union([Milliseconds, t.Null()]),
  },
  { description: "A SCIM token of an organization" },
);

const NewScimTokenResponse = t.Composite([
  ScimTokenResponse,
  t.Object({ plaintext: t.String({ description: "The token itself, shown this once" }) }),
]);

const ScimTokenRequest = t.Object({
  name: t.String({ minLength: 1, maxLength: 128 }),
  expires_at: t.Optional(t.Union([Milliseconds, t.Null()])),
});

const Mapping = t.Record(t.String({ minLength: 1, maxLength: 512 }), t.String({ maxLength: 64 }), {
  description:
    "SCIM attribute paths, each with the field that it fills: first_name, last_name, locale, timezone",
});

const MappingResponse = t.Object({ organization_id: t.String(), mapping: Mapping });

const errors = { 401: ErrorResponse, 403: ErrorResponse, ...commonErrors };
const noStore = { "cache-control": "no-store" };

export const authnScimRoutes = (deps: Deps) =>
  new Elysia({ name: "authn-scim", detail: { tags: ["Organizations"], security: bearerAuth } })
    .use(adminScope(deps))
    .get(
      "/v1/organizations/:org_id/scim/endpoint",
      async ({ tenant, params }) => {
        await requireOrganization(deps, tenant.id, params.org_id);
        return { endpoint_url: `${issuerOf(tenant, deps.config.publicUrl)}/scim/v2` };
      },
      {
        response: { 200: t.Object({ endpoint_url: t.String() }), ...errors },
        detail: { summary: "Where an organization's directory provisions to" },
      },
    )
    .get(
      "/v1/organizations/:org_id/scim/tokens",
      async ({ tenant, params }) => {
        const { id: organizationId } = await requireOrganization(deps, tenant.id, params.org_id);
        const tokens = await listScimTokens(deps, { tenantId: tenant.id, organizationId });
        return { data: tokens.map(tokenResponse), total_count: tokens.length };
      },
      {
        response: {
          200: t.Object({ data: t.Array(ScimTokenResponse), total_count: t.Integer() }),
          ...errors,
        },
        detail: { summary: "List SCIM tokens", description: "Active and revoked ones, the newest first." },
      },
    )
    .post(
      "/v1/organizations/:org_id/scim/tokens",
      async ({ tenant, params, body, by, status, set }) => {
        const { id: organizationId } = await requireOrganization(deps, tenant.id, params.org_id);
        const expiresAt = typeof body.expires_at === "number" ? new Date(body.expires_at) : null;
        const input = { name: body.name, expiresAt };
        const made = await createScimToken(deps, { tenantId: tenant.id, organizationId }, input, by);
        Object.assign(set.headers, noStore);
        return status(201, { ...tokenResponse(made.record), plaintext: made.token });
      },
      {
        parse: jsonBody,
        body: ScimTokenRequest,
        response: { 201: NewScimTokenResponse, 422: ErrorResponse, ...errors },
        detail: { summary: "Issue a SCIM token", description: "The token is shown this once." },
      },
    )
    .post(
      "/v1/organizations/:org_id/scim/tokens/:id/revoke",
      async ({ tenant, params, by }) => {
        const { id: organizationId } = await requireOrganization(deps, tenant.id, params.org_id);
        return tokenResponse(
          await revokeScimToken(deps, { tenantId: tenant.id, organizationId }, params.id, by),
        );
      },
      {
        response: { 200: ScimTokenResponse, ...errors },
        detail: {
          summary: "Revoke a SCIM token",
          description: "Requests with it are answered 401 from then on.",
        },
      },
    )
    .get(
      "/v1/organizations/:org_id/scim/attribute-mappings",
      async ({ tenant, params }) =>
        mappingResponse(await requireOrganization(deps, tenant.id, params.org_id)),
      {
        response: { 200: MappingResponse, ...errors },
        detail: {
          summary: "Read an organization's SCIM attribute mapping",
          description: "The defaults, unless it has one of its own.",
        },
      },
    )
    .put(
      "/v1/organizations/:org_id/scim/attribute-mappings",
      async ({ tenant, params, body, by }) => {
        const of = { tenantId: tenant.id, id: params.org_id, schema: userSchemaOf(tenant) };
        return mappingResponse(await setScimMapping(deps, of, body.mapping, by));
      },
      {
        parse: jsonBody,
        body: t.Object({ mapping: Mapping }),
        response: { 200: MappingResponse, 422: ErrorResponse, ...errors },
        detail: {
          summary: "Replace an organization's SCIM attribute mapping",
          description:
            "An empty mapping goes back to the defaults; a field that it does not name keeps its default. It fills profiles whenever SCIM next changes them, and leaves what SCIM reads as it was written.",
        },
      },
    );

const milliseconds = (moment: Date | null) => moment?.getTime() ?? null;

function tokenResponse(token: ScimToken): typeof ScimTokenResponse.static {
  return {
    object: "scim_token",
    id: token.id,
    organization_id: token.organizationId ?? "",
    name: token.name,
    created_at: token.createdAt.getTime(),
    expires_at: milliseconds(token.expiresAt),
    last_used_at: milliseconds(token.lastUsedAt),
    revoked_at: milliseconds(token.revokedAt),
  };
}

const mappingResponse = (organization: Organization): typeof MappingResponse.static => ({
  organization_id: organization.id,
  mapping: { ...scimMappingOf(organization) },
});
