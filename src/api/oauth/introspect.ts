import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { requireAlgorithm } from "../../domain/access-tokens/mint.ts";
import type { Client } from "../../domain/clients/service.ts";
import { signingKeyOf } from "../../domain/keys/service.ts";
import { issuerOf, type Tenant } from "../../domain/tenants/service.ts";
import { introspectToken } from "../../domain/tokens/introspection.ts";
import { commonErrors, ErrorResponse } from "../../http/models.ts";
import { formBody, PresentedTokenParameters } from "../../http/oauth-models.ts";
import { requestScope } from "../../http/scope.ts";
import { toEpochSeconds } from "../../lib/clock.ts";
import { OAuthError } from "../../lib/errors.ts";
import { signJwt } from "../../protocol/jose/sign-jwt.ts";
import type { IntrospectionResponse } from "../../protocol/oauth/introspection.ts";
import { singleValued } from "../../protocol/oauth/parameters.ts";
import { readTokenParameters } from "../../protocol/oauth/token-parameters.ts";
import { requireClient } from "./client-authentication.ts";
import { readForm } from "./form.ts";
import { backChannelSecurity, IntrospectionAnswer } from "./models.ts";

/** RFC 9701 §4: `typ` of a signed answer, and its media type after `application/`. */
const SIGNED_TYP = "token-introspection+jwt";

const documentation = {
  parse: "text" as const,
  response: { 200: IntrospectionAnswer, 401: ErrorResponse, ...commonErrors },
  detail: {
    summary: "What a token is good for",
    description:
      "RFC 7662. For confidential clients, about tokens that were issued to them or are meant for them; a first-party client may ask about every token of the tenant. Whatever else is presented is answered as not active. With `Accept: application/token-introspection+jwt` the answer is signed (RFC 9701).",
    security: backChannelSecurity,
    requestBody: formBody(PresentedTokenParameters),
  },
};

/** The introspection endpoint, at both its paths. */
export const introspectionRoutes = (deps: Deps) =>
  new Elysia({ name: "oauth-introspect", detail: { tags: ["OAuth"] } })
    .use(requestScope(deps))
    .post(
      "/oauth/introspect",
      ({ request, body, tenant }) => introspect(deps, { request, body, tenant }),
      documentation,
    )
    .post(
      "/oauth/token_info",
      ({ request, body, tenant }) => introspect(deps, { request, body, tenant }),
      documentation,
    );

async function introspect(
  deps: Deps,
  { request, body, tenant }: { request: Request; body: unknown; tenant: Tenant },
): Promise<Response> {
  const parameters = singleValued(readForm(request, body));
  const client = await requireClient(deps, { tenant, request, parameters });
  // RFC 7662 §2.1: otherwise whoever scans for tokens could ask (§4).
  if (client.tokenEndpointAuthMethod === "none") {
    throw new OAuthError("invalid_client", "A client without credentials may not introspect tokens.");
  }
  const { token } = readTokenParameters(parameters);
  const answer = await introspectToken(deps, { tenant, client, token });
  const headers = { "cache-control": "no-store" };
  if (!wantsSigned(request)) return Response.json(answer, { headers });
  return new Response(await signed(deps, tenant, client, answer), {
    headers: { ...headers, "content-type": `application/${SIGNED_TYP}` },
  });
}

function wantsSigned(request: Request): boolean {
  return request.headers.get("accept")?.toLowerCase().includes(`application/${SIGNED_TYP}`) ?? false;
}

/** RFC 9701 §5: the answer in a claim of its own, so that nobody can take it for the token it tells of. */
async function signed(
  deps: Deps,
  tenant: Tenant,
  client: Client,
  answer: IntrospectionResponse,
): Promise<string> {
  const now = deps.clock.now();
  const claims = {
    iss: issuerOf(tenant, deps.config.publicUrl),
    aud: client.clientId,
    iat: toEpochSeconds(now),
    token_introspection: answer,
  };
  const alg = requireAlgorithm(client.idTokenSignedResponseAlg);
  return signJwt(claims, { typ: SIGNED_TYP, key: await signingKeyOf(deps, tenant.id, alg) });
}
