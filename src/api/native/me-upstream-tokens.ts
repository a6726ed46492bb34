/** What an application needs to call a provider's API for its user. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../deps.ts";
import { freshUpstreamTokens } from "../../domain/federation/fresh-tokens.ts";
import { bearerAuth, commonErrors, ErrorResponse } from "../../http/models.ts";
import { userScope } from "../../http/scope.ts";
import { requireOwnApplication } from "./me-access.ts";
import { noStore } from "./no-store.ts";

const UpstreamToken = t.Object({
  access_token: t.String(),
  token_type: t.Literal("Bearer"),
  scope: t.Optional(t.String()),
  expires_at: t.Optional(t.String({ format: "date-time" })),
});

export const meUpstreamTokenRoutes = (deps: Deps) =>
  new Elysia({ name: "native-me-upstream-tokens", detail: { tags: ["Account"], security: bearerAuth } })
    .use(userScope(deps))
    // Before the parameters are looked at.
    .derive(async ({ tenant, access }) => {
      await requireOwnApplication(deps, { tenant, access });
      return { user: access.user };
    })
    .get(
      "/me/external-accounts/:id/token",
      async ({ params: { id }, user, set }) => {
        Object.assign(set.headers, noStore);
        const { accessToken, scope, expiresAt } = await freshUpstreamTokens(deps, user, id);
        return {
          access_token: accessToken,
          token_type: "Bearer" as const,
          ...(scope === undefined ? {} : { scope }),
          ...(expiresAt ? { expires_at: expiresAt.toISOString() } : {}),
        };
      },
      {
        params: t.Object({ id: t.String() }),
        response: {
          200: UpstreamToken,
          401: ErrorResponse,
          403: ErrorResponse,
          502: ErrorResponse,
          ...commonErrors,
        },
        detail: {
          summary: "An access token of the provider",
          description:
            "Of a connection that keeps tokens (`keep_tokens`); one that has expired is refreshed first. 502 when the provider refuses.",
        },
      },
    );
