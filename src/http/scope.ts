import { Elysia } from "elysia";
import type { Deps } from "../deps.ts";
import type { RequestContext } from "../domain/request-context.ts";
import { findTenantById, issuerOf, type Tenant } from "../domain/tenants/service.ts";
import { type Access, findLiveAccessToken } from "../domain/access-tokens/access.ts";
import { forbidden, OAuthError, unauthorized } from "../lib/errors.ts";
import { findClient, NATIVE_CLIENT_ID } from "../domain/clients/service.ts";
import { insufficientScope } from "../protocol/oauth/bearer.ts";
import { requestInfo } from "./request-info.ts";
import { requireAccess } from "./resource-access.ts";
import { administeredTenant, resolveTenant } from "./tenant.ts";

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
 * The same, for routes that a signed-in user calls with an access token: also gives them `access`. It is a plugin, not
 * a route option, so that no route of a surface that uses it can forget it.
 * @throws AppError 401 before the body is looked at
 */
export const userScope = (deps: Deps) =>
  new Elysia({ name: "user-scope" }).derive({ as: "scoped" }, async ({ request, set }) => {
    const info = requestInfo(request);
    const context: RequestContext = info;
    const tenant = await resolveTenant(deps, request, info);
    return { tenant, context, access: await requireProfileAccess(deps, { tenant, request, set }) };
  });

/** What `userScope` gives, for a scope that also takes something else than an access token. */
export async function requireProfileAccess(
  deps: Deps,
  request: Parameters<typeof requireAccess>[1],
): Promise<Access> {
  const access = await accessOf(deps, request);
  requireWholeProfile(access);
  await requirePublicSubject(deps, request.tenant, access);
  return access;
}

/** Roles that administer a tenant: `super_admin` is that of who administers all of them. */
const ADMINISTRATORS = ["admin", "super_admin"];

/**
 * For what administrators do: also gives `by`, whom the audit trail names. Their role alone is not enough: a token that
 * an ordinary application got is for what its user let it do, and nobody lets an application administer a tenant.
 * `tenant` is the one that is administered: for a super_admin that of `X-Org-Context`.
 * @throws AppError 401, or 403 for whoever is no administrator or comes by another application, before the body is read
 */
export const adminScope = (deps: Deps) =>
  new Elysia({ name: "admin-scope" }).derive({ as: "scoped" }, async ({ request, set }) => {
    const info = requestInfo(request);
    const context: RequestContext = info;
    const tenant = await resolveTenant(deps, request, info);
    const access = await requireAdminAccess(deps, { tenant, request, set });
    const superAdmin = access.user.roles.includes("super_admin");
    return {
      tenant: await administeredTenant(deps, request, info, { home: tenant, superAdmin }),
      context,
      access,
      by: { actor: { type: "user", id: access.user.id } as const, context, superAdmin },
    };
  });

/** What `adminScope` gives, for a scope that also takes something else than an access token. */
export async function requireAdminAccess(
  deps: Deps,
  request: Parameters<typeof requireAccess>[1],
): Promise<Access> {
  const access = await accessOf(deps, request);
  if (!access.user.roles.some((role) => ADMINISTRATORS.includes(role))) throw forbidden();
  // Who acts for an administrator was given less than to be one; and where nobody signed in (RFC 7523 §2.1), all there is
  // is an issuer's word, which is believed for the scopes that it may vouch for.
  if (
    access.delegated ||
    access.sessionId === null ||
    !(await isOwnApplication(deps, request.tenant, access))
  )
    throw forbidden("Administration needs a token of this server's own sign-in or of a first-party client.");
  return access;
}

/**
 * For an answer that goes on for long: whether the token that opened it still lives and its owner still administers the
 * tenant. A proof of possession is good once; that the token was proven at the start is enough.
 */
export async function stillAdministers(
  deps: Deps,
  { tenant, access, request }: { tenant: Tenant; access: Access; request: Request },
): Promise<boolean> {
  const home = await findTenantById(deps, access.user.tenantId);
  const token = request.headers.get("authorization")?.split(" ").at(-1);
  if (!home || !token) return false;
  const live = await findLiveAccessToken(deps, home, token, issuerOf(home, deps.config.publicUrl));
  const roles = live?.onBehalfOf?.user.roles ?? [];
  return home.id === tenant.id
    ? roles.some((role) => ADMINISTRATORS.includes(role))
    : roles.includes("super_admin");
}

async function isOwnApplication(deps: Deps, tenant: Tenant, { clientId }: Access): Promise<boolean> {
  return clientId === NATIVE_CLIENT_ID || (await findClient(deps, tenant.id, clientId))?.firstParty === true;
}

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

/**
 * These routes name a user by the id that all know them by. An application that is to know them by one of its own
 * (OpenID Connect Core §8.1) would learn from them who its user is elsewhere.
 */
async function requirePublicSubject(deps: Deps, tenant: Tenant, { clientId }: Access): Promise<void> {
  if (clientId === NATIVE_CLIENT_ID) return;
  const client = await findClient(deps, tenant.id, clientId);
  if (client?.subjectType === "pairwise" && !client.firstParty)
    throw forbidden("An application with pairwise subjects learns of its user at /oauth/userinfo.");
}

/** The native surface says `unauthorized` where OAuth says `invalid_token`; the challenge header is the same. */
async function accessOf(deps: Deps, request: Parameters<typeof requireAccess>[1]): Promise<Access> {
  try {
    return await requireAccess(deps, request);
  } catch (error) {
    if (!(error instanceof OAuthError) || error.status !== 401) throw error;
    throw unauthorized("The access token is invalid or has expired.", {
      cause: error,
      headers: error.headers,
    });
  }
}
