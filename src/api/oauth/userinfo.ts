import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import type { Access } from "../../domain/access-tokens/access.ts";
import { claimsSource, requireAlgorithm } from "../../domain/access-tokens/mint.ts";
import { subjectOf } from "../../domain/access-tokens/subject.ts";
import { findClient } from "../../domain/clients/service.ts";
import { signingKeyOf } from "../../domain/keys/service.ts";
import { issuerOf, type Tenant } from "../../domain/tenants/service.ts";
import { bearerAuth, commonErrors, ErrorResponse } from "../../http/models.ts";
import { BearerParameters, formBody } from "../../http/oauth-models.ts";
import { requireAccess } from "../../http/resource-access.ts";
import { requestScope } from "../../http/scope.ts";
import { textBody } from "../../http/text-body.ts";
import { signJwt } from "../../protocol/jose/sign-jwt.ts";
import { invalidToken } from "../../protocol/oauth/bearer.ts";
import { singleValued } from "../../protocol/oauth/parameters.ts";
import { userInfoResponse } from "../../protocol/oidc/userinfo.ts";
import { isForm } from "./form.ts";
import { UserInfoResponse } from "./models.ts";

const documentation = {
  response: { 200: UserInfoResponse, 401: ErrorResponse, 403: ErrorResponse, ...commonErrors },
  detail: {
    summary: "Claims about the signed-in user",
    description:
      "OpenID Connect Core §5.3. As a signed JWT (application/jwt) for a client that is registered for userinfo_signed_response_alg.",
  },
};

/** The UserInfo endpoint: GET and POST, the token in the header or in a form (RFC 6750 §2), as Bearer or DPoP. */
export const userinfoRoutes = (deps: Deps) =>
  new Elysia({ name: "oauth-userinfo", detail: { tags: ["OpenID Connect"], security: bearerAuth } })
    .use(requestScope(deps))
    .get(
      "/oauth/userinfo",
      async ({ request, tenant, set }) => {
        return answer(deps, tenant, await requireAccess(deps, { tenant, request, set }));
      },
      documentation,
    )
    .post(
      "/oauth/userinfo",
      async ({ request, body, tenant, set }) => {
        const form = isForm(request) ? singleValued(new URLSearchParams(textBody(body))) : undefined;
        return answer(deps, tenant, await requireAccess(deps, { tenant, request, set, form }));
      },
      {
        ...documentation,
        parse: "text",
        detail: { ...documentation.detail, requestBody: formBody(BearerParameters, { required: false }) },
      },
    );

/** The claims of the token's user, with the subject that its client knows (OpenID Connect Core §5.3.2, §8). */
async function answer(
  deps: Deps,
  tenant: Tenant,
  { user, clientId, scope, requestedClaims }: Access,
): Promise<Response> {
  const client = await findClient(deps, tenant.id, clientId);
  if (!client) throw invalidToken();
  const claims = userInfoResponse({
    subject: subjectOf(tenant, client, user.id),
    scope,
    user: claimsSource(user),
    ...(requestedClaims ? { requestedClaims: requestedClaims.userinfo } : {}),
  });
  const headers = { "cache-control": "no-store" };
  if (client.userinfoSignedResponseAlg === null) return Response.json(claims, { headers });
  // §5.3.2: signed, it also says who tells this and to whom.
  const key = await signingKeyOf(deps, tenant.id, requireAlgorithm(client.userinfoSignedResponseAlg));
  const iss = issuerOf(tenant, deps.config.publicUrl);
  const jwt = await signJwt({ ...claims, iss, aud: client.clientId }, { typ: "JWT", key });
  return new Response(jwt, { headers: { ...headers, "content-type": "application/jwt" } });
}
