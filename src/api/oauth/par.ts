import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { pushAuthorizationRequest } from "../../domain/authorization/pushed-requests.ts";
import { commonErrors, ErrorResponse } from "../../http/models.ts";
import { formBody, PushedAuthorizationParameters } from "../../http/oauth-models.ts";
import { requestScope } from "../../http/scope.ts";
import { singleValued } from "../../protocol/oauth/parameters.ts";
import { tokenResponseHeaders } from "../../protocol/oauth/token-response.ts";
import { requireClient } from "./client-authentication.ts";
import { proveKey } from "./dpop.ts";
import { readForm } from "./form.ts";
import { backChannelSecurity, PushedAuthorizationResponse } from "./models.ts";

/** The pushed authorization request endpoint (RFC 9126 §2). */
export const pushedAuthorizationRoutes = (deps: Deps) =>
  new Elysia({ name: "oauth-par", detail: { tags: ["OAuth"] } }).use(requestScope(deps)).post(
    "/oauth/par",
    async ({ request, body, tenant, set }) => {
      const form = readForm(request, body);
      const parameters = singleValued(form);
      const proof = proveKey(deps, { tenant, request, set });
      const client = await requireClient(deps, { tenant, request, parameters });
      const provenJkt = await proof?.useOnce();
      const pushed = await pushAuthorizationRequest(deps, { tenant, client, form, provenJkt });
      Object.assign(set.headers, tokenResponseHeaders);
      set.status = 201;
      return pushed;
    },
    {
      parse: "text",
      response: { 201: PushedAuthorizationResponse, 401: ErrorResponse, ...commonErrors },
      detail: {
        summary: "Push an authorization request",
        description:
          "RFC 9126 §2. The browser is then sent to the authorization endpoint with client_id and request_uri alone; the request_uri works once. With a DPoP proof, the code is bound to its key (RFC 9449 §10.1).",
        security: backChannelSecurity,
        requestBody: formBody(PushedAuthorizationParameters),
      },
    },
  );
