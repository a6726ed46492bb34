import { Elysia } from "elysia";
import type { Deps } from "../deps.ts";
import type { RequestContext } from "../domain/request-context.ts";
import { requireUserAccess } from "../domain/tokens/access.ts";
import { unauthorized } from "../lib/errors.ts";
import { extractBearerToken } from "../protocol/oauth/bearer.ts";
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
    return { tenant, context, access: await requireUserAccess(deps, tenant, token) };
  });
