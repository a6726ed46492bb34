/** Which applications the signed-in user let in. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../deps.ts";
import { type GrantRow, listGrants, revokeGrant } from "../../domain/grants/service.ts";
import { bearerAuth, commonErrors, ErrorResponse } from "../../http/models.ts";
import { userScope } from "../../http/scope.ts";
import { notFound } from "../../lib/errors.ts";
import { isId } from "../../lib/ids.ts";
import { requireOwnApplication } from "./me-access.ts";
import { Nothing } from "./models.ts";

const GrantResponse = t.Object({
  id: t.String({ examples: ["grant_01JD2M9V7QX5T8Z4C6B3N0K1HF"] }),
  client: t.Object({
    name: t.String(),
    logo_uri: t.Nullable(t.String()),
    client_uri: t.Nullable(t.String()),
  }),
  scopes: t.Array(t.String(), { examples: [["openid", "profile"]] }),
  created_at: t.String({ format: "date-time" }),
  last_used_at: t.Nullable(
    t.String({ format: "date-time", description: "When the application last got a token" }),
  ),
});

const GrantsResponse = t.Object({ grants: t.Array(GrantResponse) });

const errors = { 401: ErrorResponse, 403: ErrorResponse, ...commonErrors };

export const meGrantRoutes = (deps: Deps) =>
  new Elysia({ name: "native-me-grants", detail: { tags: ["Account"], security: bearerAuth } })
    .use(userScope(deps))
    // Before the parameters are looked at, and for every route below.
    .derive(async ({ tenant, access }) => {
      await requireOwnApplication(deps, { tenant, access });
      return { user: access.user };
    })
    .get("/me/grants", async ({ user }) => ({ grants: (await listGrants(deps, user)).map(toResponse) }), {
      response: { 200: GrantsResponse, ...errors },
      detail: {
        summary: "Applications that the user let in",
        description:
          "The latest first. Applications of the service itself ask nobody and are not among them.",
      },
    })
    .delete(
      "/me/grants/:id",
      async ({ params, user, context, status }) => {
        if (!isId("grant", params.id)) throw notFound("You have granted no such access.");
        await revokeGrant(deps, { user, grantId: params.id, context });
        return status(204, undefined);
      },
      {
        params: t.Object({ id: t.String() }),
        response: { 204: Nothing, ...errors },
        detail: {
          summary: "Take access back from an application",
          description: "Ends all its tokens at once. It has to ask the user again.",
        },
      },
    );

function toResponse(grant: GrantRow): typeof GrantResponse.static {
  return {
    id: grant.id,
    client: { name: grant.clientName, logo_uri: grant.logoUri, client_uri: grant.clientUri },
    scopes: [...grant.scopes],
    created_at: grant.createdAt.toISOString(),
    last_used_at: grant.lastUsedAt?.toISOString() ?? null,
  };
}
