import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { exchangeCode } from "../../domain/authorization/code-exchange.ts";
import { exchangeAssertion } from "../../domain/assertions/jwt-bearer.ts";
import { exchangeDeviceCode } from "../../domain/device/code-exchange.ts";
import { exchangeToken } from "../../domain/token-exchange/service.ts";
import type { Client } from "../../domain/clients/service.ts";
import type { RequestContext } from "../../domain/request-context.ts";
import type { Tenant } from "../../domain/tenants/service.ts";
import { issueClientToken } from "../../domain/access-tokens/client-credentials.ts";
import { exchangeRefreshToken } from "../../domain/tokens/refresh.ts";
import { commonErrors, ErrorResponse } from "../../http/models.ts";
import { formBody, TokenParameters } from "../../http/oauth-models.ts";
import { requestScope } from "../../http/scope.ts";
import { readAuthorizationCodeRequest } from "../../protocol/oauth/grants/authorization-code.ts";
import { decideClientCredentials } from "../../protocol/oauth/grants/client-credentials.ts";
import { DEVICE_CODE, readDeviceCode } from "../../protocol/oauth/grants/device-code.ts";
import { JWT_BEARER, readJwtBearerRequest } from "../../protocol/oauth/grants/jwt-bearer.ts";
import { readTokenExchangeRequest, TOKEN_EXCHANGE } from "../../protocol/oauth/grants/token-exchange.ts";
import { readRefreshTokenRequest } from "../../protocol/oauth/grants/refresh-token.ts";
import { tokenBinding } from "../../protocol/oauth/dpop-binding.ts";
import { type RequestParameters, singleValued } from "../../protocol/oauth/parameters.ts";
import { type GrantType, requestedGrantType } from "../../protocol/oauth/token-request.ts";
import { type TokenResponse as Tokens, tokenResponseHeaders } from "../../protocol/oauth/token-response.ts";
import { requestedResources, wellFormedResources } from "../../protocol/oauth/resource.ts";
import { requestableResources, requireClient } from "./client-authentication.ts";
import { proveKey } from "./dpop.ts";
import { readForm } from "./form.ts";
import { backChannelSecurity, TokenResponse } from "./models.ts";

interface GrantInput {
  tenant: Tenant;
  client: Client;
  parameters: RequestParameters;
  /** RFC 8707 §2.2. */
  resources: readonly string[];
  /** Thumbprint of the key that the request proved possession of (RFC 9449 §5). */
  provenJkt: string | undefined;
  context: RequestContext;
}

/** One entry a grant; the rules of each are in `protocol/oauth/grants`. */
const grants: Record<GrantType, (deps: Deps, input: GrantInput) => Promise<Tokens>> = {
  authorization_code: (deps, { parameters, ...input }) =>
    exchangeCode(deps, { ...input, request: readAuthorizationCodeRequest(parameters) }),
  refresh_token: (deps, { parameters, ...input }) =>
    exchangeRefreshToken(deps, { ...input, ...readRefreshTokenRequest(parameters) }),
  client_credentials: (deps, { parameters, ...input }) =>
    issueClientToken(deps, {
      ...input,
      ...decideClientCredentials(parameters, input.client),
      resources: requestedResources(parameters, requestableResources(deps, input.tenant, input.client)),
      dpopJkt: tokenBinding(input),
    }),
  [DEVICE_CODE]: (deps, { parameters, ...input }) =>
    exchangeDeviceCode(deps, { ...input, deviceCode: readDeviceCode(parameters) }),
  [TOKEN_EXCHANGE]: (deps, { parameters, ...input }) =>
    exchangeToken(deps, { ...input, request: readTokenExchangeRequest(parameters) }),
  [JWT_BEARER]: (deps, { parameters, ...input }) =>
    exchangeAssertion(deps, {
      ...input,
      request: readJwtBearerRequest(parameters),
      resources: requestedResources(parameters, requestableResources(deps, input.tenant, input.client)),
    }),
};

/** The token endpoint (RFC 6749 §3.2). */
export const tokenRoutes = (deps: Deps) =>
  new Elysia({ name: "oauth-token", detail: { tags: ["OAuth"] } }).use(requestScope(deps)).post(
    "/oauth/token",
    async ({ request, body, tenant, context, set }) => {
      const parameters = singleValued(readForm(request, body));
      const key = proveKey(deps, { tenant, request, set });
      const client = await requireClient(deps, { tenant, request, parameters });
      const provenJkt = await key?.useOnce();
      const grantType = requestedGrantType(parameters, client);
      const tokens = await grants[grantType](deps, {
        tenant,
        client,
        parameters,
        resources: wellFormedResources(parameters),
        provenJkt,
        context,
      });
      // As a whole answer: the framework would look through it once more, to write what is no JSON yet.
      return Response.json(tokens, { headers: tokenResponseHeaders });
    },
    {
      parse: "text",
      response: { 200: TokenResponse, 401: ErrorResponse, ...commonErrors },
      detail: {
        summary: "Exchange a grant for tokens",
        description:
          "RFC 6749 §3.2. Confidential clients authenticate by HTTP Basic, in the form or with an assertion that they signed.",
        security: backChannelSecurity,
        requestBody: formBody(TokenParameters),
      },
    },
  );
