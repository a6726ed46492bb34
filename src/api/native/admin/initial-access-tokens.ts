/** What an administrator hands to somebody who may register clients (RFC 7591 §3). */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import {
  createInitialAccessToken,
  deleteInitialAccessToken,
  INITIAL_ACCESS_TOKEN_LIMITS as LIMITS,
  type InitialAccessToken,
  listInitialAccessTokens,
} from "../../../domain/client-registration/initial-access-tokens.ts";
import { optionalJsonBody } from "../../../http/json-body.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { listOf, listQuery, listResponse, readPage } from "../../../http/pagination.ts";
import { adminScope } from "../../../http/scope.ts";
import { notFound } from "../../../lib/errors.ts";
import { isId } from "../../../lib/ids.ts";
import { adminErrors, Nothing, noStore } from "./models.ts";

const SORTS = ["created_at"] as const;

const InitialAccessTokenRequest = t.Object({
  uses: t.Optional(t.Integer({ ...LIMITS.uses, description: "How many clients it can register" })),
  lifetime: t.Optional(t.Integer({ ...LIMITS.lifetimeSeconds, description: "Seconds" })),
});

const InitialAccessTokenResponse = t.Object(
  {
    id: t.String(),
    uses_left: t.Integer(),
    created_at: t.String({ format: "date-time" }),
    expires_at: t.String({ format: "date-time" }),
  },
  { description: "An initial access token" },
);

const NewInitialAccessTokenResponse = t.Composite([
  InitialAccessTokenResponse,
  t.Object({ token: t.String({ description: "Shown this once" }) }),
]);

export const adminInitialAccessTokenRoutes = (deps: Deps) =>
  new Elysia({
    name: "native-admin-initial-access-tokens",
    detail: { tags: ["Client registration"], security: bearerAuth },
  })
    .use(adminScope(deps))
    .get(
      "/api/v1/admin/initial-access-tokens",
      async ({ tenant, query }) => {
        const page = readPage(query, SORTS, "initialAccessToken");
        const tokens = await listInitialAccessTokens(deps, tenant.id, page);
        return listResponse(tokens, page, "initialAccessToken", {
          show: response,
          keyOf: ({ id, createdAt }) => ({ value: createdAt.toISOString(), id }),
        });
      },
      {
        query: listQuery(SORTS),
        response: { 200: listOf(InitialAccessTokenResponse), ...adminErrors },
        detail: { summary: "List initial access tokens" },
      },
    )
    .post(
      "/api/v1/admin/initial-access-tokens",
      async ({ tenant, body, by, status, set }) => {
        const wanted = {
          uses: body?.uses ?? LIMITS.uses.default,
          lifetimeSeconds: body?.lifetime ?? LIMITS.lifetimeSeconds.default,
        };
        const { token, ...made } = await createInitialAccessToken(deps, tenant.id, wanted, by);
        Object.assign(set.headers, noStore);
        return status(201, { ...response(made), token });
      },
      {
        parse: optionalJsonBody,
        body: t.Optional(InitialAccessTokenRequest),
        response: { 201: NewInitialAccessTokenResponse, 422: ErrorResponse, ...adminErrors },
        detail: { summary: "Let somebody register clients", description: "The token is shown this once." },
      },
    )
    .delete(
      "/api/v1/admin/initial-access-tokens/:id",
      async ({ tenant, params, by, status }) => {
        if (!isId("initialAccessToken", params.id)) throw notFound();
        await deleteInitialAccessToken(deps, tenant.id, params.id, by);
        return status(204, undefined);
      },
      {
        response: { 204: Nothing, ...adminErrors },
        detail: { summary: "End an initial access token" },
      },
    );

function response(token: InitialAccessToken): typeof InitialAccessTokenResponse.static {
  return {
    id: token.id,
    uses_left: token.usesLeft,
    created_at: token.createdAt.toISOString(),
    expires_at: token.expiresAt.toISOString(),
  };
}
