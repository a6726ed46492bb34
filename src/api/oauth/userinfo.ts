import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { type Access, requireUserAccess } from "../../domain/tokens/access.ts";
import { claimsSource } from "../../domain/tokens/mint.ts";
import type { Tenant } from "../../domain/tenants/service.ts";
import { bearerAuth, commonErrors, ErrorResponse } from "../../http/models.ts";
import { BearerParameters, formBody } from "../../http/oauth-models.ts";
import { requestScope } from "../../http/scope.ts";
import { textBody } from "../../http/text-body.ts";
import { unauthorized } from "../../lib/errors.ts";
import { extractBearerToken } from "../../protocol/oauth/bearer.ts";
import { singleValued } from "../../protocol/oauth/parameters.ts";
import { userInfoResponse } from "../../protocol/oidc/userinfo.ts";
import { UserInfoResponse } from "./models.ts";

const documentation = {
  response: { 200: UserInfoResponse, 401: ErrorResponse, 403: ErrorResponse, ...commonErrors },
  detail: { summary: "Claims about the signed-in user", description: "OpenID Connect Core §5.3" },
};

/** The UserInfo endpoint: GET and POST, the token in the header or in a form (RFC 6750 §2). */
export const userinfoRoutes = (deps: Deps) =>
  new Elysia({ name: "oauth-userinfo", detail: { tags: ["OpenID Connect"], security: bearerAuth } })
    .use(requestScope(deps))
    .get(
      "/oauth/userinfo",
      async ({ request, tenant, set }) => {
        set.headers["cache-control"] = "no-store";
        return claimsOf(
          await accessOf(deps, tenant, extractBearerToken(request.headers.get("authorization"))),
        );
      },
      documentation,
    )
    .post(
      "/oauth/userinfo",
      async ({ request, body, tenant, set }) => {
        const isForm = request.headers.get("content-type")?.startsWith("application/x-www-form-urlencoded");
        const form = isForm ? singleValued(new URLSearchParams(textBody(body))) : undefined;
        set.headers["cache-control"] = "no-store";
        return claimsOf(
          await accessOf(deps, tenant, extractBearerToken(request.headers.get("authorization"), form)),
        );
      },
      {
        ...documentation,
        parse: "text",
        detail: { ...documentation.detail, requestBody: formBody(BearerParameters, { required: false }) },
      },
    );

function accessOf(deps: Deps, tenant: Tenant, token: string | undefined): Promise<Access> {
  if (token === undefined) throw unauthorized();
  return requireUserAccess(deps, tenant, token);
}

function claimsOf({ user, scope }: Access): { sub: string } & Record<string, unknown> {
  return { ...userInfoResponse({ subject: user.id, scope, user: claimsSource(user) }), sub: user.id };
}
