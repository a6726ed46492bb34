import { Elysia, t } from "elysia";
import type { Deps } from "../../deps.ts";
import { revokeToken } from "../../domain/tokens/revoke.ts";
import { commonErrors, ErrorResponse } from "../../http/models.ts";
import { formBody, PresentedTokenParameters } from "../../http/oauth-models.ts";
import { requestScope } from "../../http/scope.ts";
import { singleValued } from "../../protocol/oauth/parameters.ts";
import { readTokenParameters } from "../../protocol/oauth/token-parameters.ts";
import { requireClient } from "./client-authentication.ts";
import { readForm } from "./form.ts";
import { backChannelSecurity } from "./models.ts";

/** The revocation endpoint (RFC 7009 §2). Public clients may use it too, for their own tokens. */
export const revocationRoutes = (deps: Deps) =>
  new Elysia({ name: "oauth-revoke", detail: { tags: ["OAuth"] } }).use(requestScope(deps)).post(
    "/oauth/revoke",
    async ({ request, body, tenant, context }) => {
      const parameters = singleValued(readForm(request, body));
      const client = await requireClient(deps, { tenant, request, parameters });
      const { token } = readTokenParameters(parameters);
      await revokeToken(deps, { tenant, client, token, context });
      return new Response(null, { headers: { "cache-control": "no-store" } });
    },
    {
      parse: "text",
      response: {
        200: t.Void({ description: "Also for a token that is unknown or over" }),
        401: ErrorResponse,
        ...commonErrors,
      },
      detail: {
        summary: "End a token that is needed no more",
        description:
          "RFC 7009. A refresh token ends all tokens of the same authorization, an access token itself alone.",
        security: backChannelSecurity,
        requestBody: formBody(PresentedTokenParameters),
      },
    },
  );
