/** Keys by which programs act for the signed-in user. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../deps.ts";
import { createApiKey, listApiKeys, revokeApiKey } from "../../domain/api-keys/service.ts";
import {
  ApiKeyRequest,
  apiKeyResponse,
  ApiKeysResponse,
  defaultDays,
  NewApiKeyResponse,
} from "../../http/api-key-models.ts";
import { jsonBody } from "../../http/json-body.ts";
import { bearerAuth, commonErrors, ErrorResponse } from "../../http/models.ts";
import { userScope } from "../../http/scope.ts";
import { requireOwnApplication } from "./me-access.ts";
import { requireFresh } from "./me-account.ts";
import { Nothing } from "./models.ts";
import { noStore } from "./no-store.ts";

const errors = { 401: ErrorResponse, 403: ErrorResponse, ...commonErrors };

export const meApiKeyRoutes = (deps: Deps) =>
  new Elysia({ name: "native-me-api-keys", detail: { tags: ["Account"], security: bearerAuth } })
    .use(userScope(deps))
    // Before the parameters are looked at, and for every route below.
    .derive(async ({ tenant, access, context }) => {
      await requireOwnApplication(deps, { tenant, access });
      const { user } = access;
      const owner = { tenantId: tenant.id, userId: user.id, roles: user.roles };
      return { owner, by: { actor: { type: "user", id: user.id } as const, context } };
    })
    .get(
      "/me/api-keys",
      async ({ owner }) => ({ data: (await listApiKeys(deps, owner)).map(apiKeyResponse) }),
      {
        response: { 200: ApiKeysResponse, ...errors },
        detail: {
          summary: "The user's API keys",
          description: "Revoked and expired ones too, the newest first.",
        },
      },
    )
    .post(
      "/me/api-keys",
      async ({ tenant, owner, access, body, by, status, set }) => {
        await requireFresh(deps, tenant, access);
        const { name, scopes } = body;
        const expiresInDays = body.expires_in_days ?? defaultDays(tenant.settings.api_key_max_days);
        const made = await createApiKey(deps, tenant, owner, { name, scopes, expiresInDays }, by);
        Object.assign(set.headers, noStore);
        return status(201, { ...apiKeyResponse(made.record), token: made.token });
      },
      {
        parse: jsonBody,
        body: ApiKeyRequest,
        response: { 201: NewApiKeyResponse, 409: ErrorResponse, 422: ErrorResponse, ...errors },
        detail: {
          summary: "Make an API key",
          description:
            "It is shown this once, and never opens more than its owner may at that moment. Needs a recent proof of who acts: 401 `insufficient_user_authentication` says what would do.",
        },
      },
    )
    .delete(
      "/me/api-keys/:id",
      async ({ owner, params, by, status }) => {
        await revokeApiKey(deps, owner, params.id, by);
        return status(204, undefined);
      },
      {
        params: t.Object({ id: t.String() }),
        response: { 204: Nothing, ...errors },
        detail: { summary: "Revoke an API key", description: "At once. It stays in the list, as revoked." },
      },
    );
