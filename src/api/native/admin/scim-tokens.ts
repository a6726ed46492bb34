/** SCIM tokens of the tenant as a whole, for the directory of all its people. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import {
  createScimToken,
  listScimTokens,
  revokeScimToken,
  type ScimToken,
} from "../../../domain/scim-tokens/service.ts";
import { jsonBody } from "../../../http/json-body.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { adminScope } from "../../../http/scope.ts";
import { adminErrors, Nothing, noStore } from "./models.ts";

const Moment = t.String({ format: "date-time" });

const ScimTokenRequest = t.Object({
  name: t.String({ minLength: 1, maxLength: 128 }),
  expires_at: t.Optional(Moment),
});

const ScimTokenResponse = t.Object(
  {
    id: t.String(),
    name: t.String(),
    created_at: Moment,
    expires_at: t.Union([Moment, t.Null()]),
    last_used_at: t.Union([Moment, t.Null()]),
    revoked_at: t.Union([Moment, t.Null()]),
  },
  { description: "A SCIM token of the tenant" },
);

const NewScimTokenResponse = t.Composite([
  ScimTokenResponse,
  t.Object({ token: t.String({ description: "Shown this once" }) }),
]);

export const adminScimTokenRoutes = (deps: Deps) =>
  new Elysia({ name: "native-admin-scim-tokens", detail: { tags: ["SCIM"], security: bearerAuth } })
    .use(adminScope(deps))
    .get(
      "/api/v1/admin/scim-tokens",
      async ({ tenant }) => {
        const tokens = await listScimTokens(deps, { tenantId: tenant.id, organizationId: null });
        return { data: tokens.map(response) };
      },
      {
        response: { 200: t.Object({ data: t.Array(ScimTokenResponse) }), ...adminErrors },
        detail: {
          summary: "List the tenant's SCIM tokens",
          description: "Revoked ones too, the newest first.",
        },
      },
    )
    .post(
      "/api/v1/admin/scim-tokens",
      async ({ tenant, body, by, status, set }) => {
        const input = { name: body.name, expiresAt: body.expires_at ? new Date(body.expires_at) : null };
        const made = await createScimToken(deps, { tenantId: tenant.id, organizationId: null }, input, by);
        Object.assign(set.headers, noStore);
        return status(201, { ...response(made.record), token: made.token });
      },
      {
        parse: jsonBody,
        body: ScimTokenRequest,
        response: { 201: NewScimTokenResponse, 422: ErrorResponse, ...adminErrors },
        detail: { summary: "Issue a SCIM token of the tenant", description: "The token is shown this once." },
      },
    )
    .delete(
      "/api/v1/admin/scim-tokens/:id",
      async ({ tenant, params, by, status }) => {
        await revokeScimToken(deps, { tenantId: tenant.id, organizationId: null }, params.id, by);
        return status(204, undefined);
      },
      {
        response: { 204: Nothing, ...adminErrors },
        detail: {
          summary: "Revoke a SCIM token of the tenant",
          description: "It stays in the list, as revoked.",
        },
      },
    );

function response(token: ScimToken): typeof ScimTokenResponse.static {
  return {
    id: token.id,
    name: token.name,
    created_at: token.createdAt.toISOString(),
    expires_at: token.expiresAt?.toISOString() ?? null,
    last_used_at: token.lastUsedAt?.toISOString() ?? null,
    revoked_at: token.revokedAt?.toISOString() ?? null,
  };
}
