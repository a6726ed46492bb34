/** Users' accounts at connections, in the hands of administrators. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import {
  listExternalAccountsOf,
  unlinkExternalAccountOf,
} from "../../../domain/external-accounts/service.ts";
import { bearerAuth } from "../../../http/models.ts";
import { adminScope } from "../../../http/scope.ts";
import { ExternalAccountResponse, externalAccountResponse } from "../external-account-models.ts";
import { adminErrors, Nothing } from "./models.ts";

export const adminUserExternalAccountRoutes = (deps: Deps) =>
  new Elysia({
    name: "native-admin-user-external-accounts",
    detail: { tags: ["Users"], security: bearerAuth },
  })
    .use(adminScope(deps))
    .get(
      "/api/v1/admin/users/:id/external-accounts",
      async ({ tenant, params }) => ({
        data: (await listExternalAccountsOf(deps, tenant.id, params.id)).map(externalAccountResponse),
      }),
      {
        response: { 200: t.Object({ data: t.Array(ExternalAccountResponse) }), ...adminErrors },
        detail: { summary: "A user's external accounts", description: "The oldest first." },
      },
    )
    .delete(
      "/api/v1/admin/users/:id/external-accounts/:account_id",
      async ({ tenant, params, by, status }) => {
        await unlinkExternalAccountOf(deps, tenant.id, params.id, params.account_id, by);
        return status(204, undefined);
      },
      {
        response: { 204: Nothing, ...adminErrors },
        detail: {
          summary: "Unlink a user's external account",
          description: "The last way in too: whoever has none is let in by a password that is reset.",
        },
      },
    );
