import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { exchangeCode } from "../../domain/authorization/service.ts";
import { type Client, findClient, validSecretHashes } from "../../domain/clients/service.ts";
import type { RequestContext } from "../../domain/request-context.ts";
import type { Tenant } from "../../domain/tenants/service.ts";
import { issueClientToken } from "../../domain/tokens/client-credentials.ts";
import { exchangeRefreshToken } from "../../domain/tokens/refresh.ts";
import { commonErrors, ErrorResponse } from "../../http/models.ts";
import { formBody, TokenParameters } from "../../http/oauth-models.ts";
import { requestScope } from "../../http/scope.ts";
import { authenticateClient, readClientCredentials } from "../../protocol/oauth/client-authentication.ts";
import { readAuthorizationCodeRequest } from "../../protocol/oauth/grants/authorization-code.ts";
import { decideClientCredentials } from "../../protocol/oauth/grants/client-credentials.ts";
import { readRefreshTokenRequest } from "../../protocol/oauth/grants/refresh-token.ts";
import { type RequestParameters, singleValued } from "../../protocol/oauth/parameters.ts";
import { type GrantType, requestedGrantType } from "../../protocol/oauth/token-request.ts";
import { type TokenResponse as Tokens, tokenResponseHeaders } from "../../protocol/oauth/token-response.ts";
import { readForm } from "./form.ts";
import { TokenResponse } from "./models.ts";

interface GrantInput {
  tenant: Tenant;
  client: Client;
  parameters: RequestParameters;
  context: RequestContext;
}

/** One entry a grant; the rules of each are in `protocol/oauth/grants`. */
const grants: Record<GrantType, (deps: Deps, input: GrantInput) => Promise<Tokens>> = {
  authorization_code: (deps, { parameters, ...input }) =>
    exchangeCode(deps, { ...input, request: readAuthorizationCodeRequest(parameters) }),
  refresh_token: (deps, { parameters, ...input }) =>
    exchangeRefreshToken(deps, { ...input, ...readRefreshTokenRequest(parameters) }),
  client_credentials: (deps, { parameters, ...input }) =>
    issueClientToken(deps, { ...input, ...decideClientCredentials(parameters, input.client) }),
};

/** The token endpoint (RFC 6749 §3.2). */
export const tokenRoutes = (deps: Deps) =>
  new Elysia({ name: "oauth-token", detail: { tags: ["OAuth"] } }).use(requestScope(deps)).post(
    "/oauth/token",
    async ({ request, body, tenant, context, set }) => {
      const parameters = singleValued(readForm(request, body));
      const client = await requireClient(deps, tenant, request, parameters);
      const grantType = requestedGrantType(parameters, client);
      const tokens = await grants[grantType](deps, { tenant, client, parameters, context });
      Object.assign(set.headers, tokenResponseHeaders);
      return tokens;
    },
    {
      parse: "text",
      response: { 200: TokenResponse, 401: ErrorResponse, ...commonErrors },
      detail: {
        summary: "Exchange a grant for tokens",
        description: "RFC 6749 §3.2. Confidential clients authenticate by HTTP Basic or in the form.",
        security: [{ clientSecretBasic: [] }, {}],
        requestBody: formBody(TokenParameters),
      },
    },
  );

/** @throws OAuthError invalid_client, the same for a client that does not exist (RFC 6749 §5.2) */
async function requireClient(
  deps: Deps,
  tenant: Tenant,
  request: Request,
  parameters: RequestParameters,
): Promise<Client> {
  const credentials = readClientCredentials(request.headers.get("authorization"), parameters);
  const client = await findClient(deps, tenant.id, credentials.clientId);
  const secretHashes = client ? validSecretHashes(client, deps.clock.now()) : [];
  return authenticateClient(credentials, client && { ...client, secretHashes });
}
