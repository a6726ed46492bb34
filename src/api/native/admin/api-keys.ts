/** API keys, as administrators look after them: those of service accounts, and what keys users have. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import { createApiKey, listApiKeys, revokeApiKey } from "../../../domain/api-keys/service.ts";
import { findManageableAccount, findServiceAccount } from "../../../domain/service-accounts/service.ts";
import { findManageableUser, findUser } from "../../../domain/user-administration/service.ts";
import {
  apiKeyResponse,
  ApiKeysResponse,
  defaultDays,
  NewApiKeyResponse,
  ServiceAccountKeyRequest,
} from "../../../http/api-key-models.ts";
import { jsonBody } from "../../../http/json-body.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { adminScope } from "../../../http/scope.ts";
import { forbidden } from "../../../lib/errors.ts";
import { requireFresh } from "../me-account.ts";
import { adminErrors, Nothing, noStore } from "./models.ts";

const params = t.Object({ id: t.String(), key_id: t.String() });
const revoked = "At once. It stays in the list, as revoked.";

export const adminApiKeyRoutes = (deps: Deps) =>
  new Elysia({ name: "native-admin-api-keys" }).use(ofServiceAccounts(deps)).use(ofUsers(deps));

const ofServiceAccounts = (deps: Deps) =>
  new Elysia({
    name: "native-admin-service-account-keys",
    detail: { tags: ["Service accounts"], security: bearerAuth },
  })
    .use(adminScope(deps))
    .get(
      "/api/v1/admin/service-accounts/:id/api-keys",
      async ({ tenant, params: { id } }) => {
        const account = await findServiceAccount(deps, tenant.id, id);
        const keys = await listApiKeys(deps, { tenantId: tenant.id, serviceAccountId: account.id });
        return { data: keys.map(apiKeyResponse) };
      },
      {
        response: { 200: ApiKeysResponse, ...adminErrors },
        detail: {
          summary: "A service account's API keys",
          description: "Revoked and expired ones too, the newest first.",
        },
      },
    )
    .post(
      "/api/v1/admin/service-accounts/:id/api-keys",
      async ({ tenant, home, access, params: { id }, body, by, status, set }) => {
        if (!access) throw forbidden();
        await requireFresh(deps, home, access);
        const account = await findManageableAccount(deps, tenant.id, id, by);
        const owner = { tenantId: tenant.id, serviceAccountId: account.id, roles: account.roles };
        const { name, scopes, expires_in_days: days } = body;
        const expiresInDays = days === undefined ? defaultDays(tenant.settings.api_key_max_days) : days;
        const made = await createApiKey(deps, tenant, owner, { name, scopes, expiresInDays }, by);
        Object.assign(set.headers, noStore);
        return status(201, { ...apiKeyResponse(made.record), token: made.token });
      },
      {
        parse: jsonBody,
        body: ServiceAccountKeyRequest,
        response: { 201: NewApiKeyResponse, 409: ErrorResponse, 422: ErrorResponse, ...adminErrors },
        detail: {
          summary: "Make an API key of a service account",
          description:
            "It is shown this once. Needs a recent proof of who acts: 401 `insufficient_user_authentication` says what would do.",
        },
      },
    )
    .delete(
      "/api/v1/admin/service-accounts/:id/api-keys/:key_id",
      async ({ tenant, params: { id, key_id: keyId }, by, status }) => {
        const account = await findManageableAccount(deps, tenant.id, id, by);
        await revokeApiKey(deps, { tenantId: tenant.id, serviceAccountId: account.id }, keyId, by);
        return status(204, undefined);
      },
      {
        params,
        response: { 204: Nothing, ...adminErrors },
        detail: { summary: "Revoke an API key of a service account", description: revoked },
      },
    );

const ofUsers = (deps: Deps) =>
  new Elysia({ name: "native-admin-user-keys", detail: { tags: ["Users"], security: bearerAuth } })
    .use(adminScope(deps))
    .get(
      "/api/v1/admin/users/:id/api-keys",
      async ({ tenant, params: { id } }) => {
        const user = await findUser(deps, tenant.id, id);
        const keys = await listApiKeys(deps, { tenantId: tenant.id, userId: user.id });
        return { data: keys.map(apiKeyResponse) };
      },
      {
        response: { 200: ApiKeysResponse, ...adminErrors },
        detail: {
          summary: "A user's API keys",
          description: "Revoked and expired ones too, the newest first. Only the user makes them.",
        },
      },
    )
    .delete(
      "/api/v1/admin/users/:id/api-keys/:key_id",
      async ({ tenant, params: { id, key_id: keyId }, by, status }) => {
        const user = await findManageableUser(deps, tenant.id, id, by);
        await revokeApiKey(deps, { tenantId: tenant.id, userId: user.id }, keyId, by);
        return status(204, undefined);
      },
      {
        params,
        response: { 204: Nothing, ...adminErrors },
        detail: { summary: "Revoke a user's API key", description: revoked },
      },
    );
