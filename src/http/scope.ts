import { Elysia } from "elysia";
import type { Deps } from "../deps.ts";
import type { RequestContext } from "../domain/request-context.ts";
import type { Tenant } from "../domain/tenants/service.ts";
import { type Access, requireUserAccess } from "../domain/tokens/access.ts";
import { OAuthError, unauthorized } from "../lib/errors.ts";
import { NATIVE_CLIENT_ID } from "../domain/clients/service.ts";
import { extractBearerToken, insufficientScope } from "../protocol/oauth/bearer.ts";
import { requestInfo } from "./request-info.ts";
import { resolveTenant } from "./tenant.ts";

/**
 * Gives the routes of the surface that uses it their `tenant` and `context`. Both are found before the body is
 * validated, so an unknown tenant is told before a wrong field.
 */
export const requestScope = (deps: Deps) =>
  new Elysia({ name: "request-scope" }).derive({ as: "scoped" }, async ({ request }) => {
    const info = requestInfo(request);
    const context: RequestContext = info;
    return { tenant: await resolveTenant(deps, request, info), context };
  });

/**
 * The same, for routes that a signed-in user calls with a Bearer token: also gives them `access`. It is a plugin, not
 * a route option, so that no route of a surface that uses it can forget it.
 * @throws AppError 401 before the body is looked at
 */
export const userScope = (deps: Deps) =>
  new Elysia({ name: "user-scope" }).derive({ as: "scoped" }, async ({ request }) => {
    const info = requestInfo(request);
    const context: RequestContext = info;
    const tenant = await resolveTenant(deps, request, info);
    const token = extractBearerToken(request.headers.get("authorization"));
    if (token === undefined) throw unauthorized();
    const access = await accessOf(deps, tenant, token);
    requireWholeProfile(access);
    return { tenant, context, access };
  });

/**
 * These routes tell and change all of a profile. A token of the native sign-in may; an application's may when the user
 * let it see as much, and one that was let see less uses /oauth/userinfo.
 */
function requireWholeProfile({ clientId, scope }: Access): void {
  const needed = ["profile", "email"];
  if (clientId !== NATIVE_CLIENT_ID && !needed.every((name) => scope.includes(name))) {
    throw insufficientScope(needed);
  }
}

/** The native surface says `unauthorized` where OAuth says `invalid_token`; the challenge header is the same. */
async function accessOf(deps: Deps, tenant: Tenant, token: string): Promise<Access> {
  try {
    return await requireUserAccess(deps, tenant, token);
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    throw unauthorized("The Bearer token is invalid or has expired.", {
      cause: error,
      headers: error.headers,
    });
  }
}
