import { Elysia } from "elysia";
import type { Deps } from "../deps.ts";
import { type Access, findLiveAccessToken } from "../domain/access-tokens/access.ts";
import { administers } from "../domain/administrators/service.ts";
import { ACCOUNT_SCOPE, scopesFor } from "../domain/api-keys/scopes.ts";
import { findLiveApiKey, type LiveApiKey } from "../domain/api-keys/service.ts";
import { findClient, NATIVE_CLIENT_ID } from "../domain/clients/service.ts";
import type { RequestContext } from "../domain/request-context.ts";
import { issuerOf, type Tenant } from "../domain/tenants/service.ts";
import type { User } from "../domain/users/service.ts";
import { forbidden, OAuthError, unauthorized } from "../lib/errors.ts";
import type { Id } from "../lib/ids.ts";
import { insufficientScope } from "../protocol/oauth/bearer.ts";
import { apiKeyOf, requireApiKey } from "./api-key.ts";
import { answeredBefore } from "./idempotency.ts";
import { requireReadable } from "./json-body.ts";
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
  new Elysia({ name: "user-scope" })
    .derive({ as: "scoped" }, async ({ request, set }) => {
      const info = requestInfo(request);
      const context: RequestContext = info;
      const tenant = await resolveTenant(deps, request, info);
      return { tenant, context, access: await requireProfileAccess(deps, { tenant, request, set }) };
    })
    .onBeforeHandle({ as: "scoped" }, ({ request, tenant, access }) => {
      requireReadable(request);
      return answeredBefore(deps, request, {
        tenantId: tenant.id,
        // An application that acts for the user is not told what another one was.
        principal: `${access.user.id} ${access.clientId}`,
      });
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

/**
 * For routes that a user also calls by one of their API keys, if it is for the account: gives them `user`.
 * @throws AppError 401 before the body is looked at
 */
export const profileScope = (deps: Deps) =>
  new Elysia({ name: "profile-scope" }).derive({ as: "scoped" }, async ({ request, set }) => {
    const info = requestInfo(request);
    const tenant = await resolveTenant(deps, request, info);
    return { tenant, user: await profileUser(deps, { tenant, request, set }) };
  });

async function profileUser(deps: Deps, asked: Parameters<typeof requireAccess>[1]): Promise<User> {
  const presented = apiKeyOf(asked.request);
  if (presented === undefined) return (await requireProfileAccess(deps, asked)).user;
  const { owner } = await requireApiKey(deps, asked.tenant, presented, [ACCOUNT_SCOPE]);
  if (owner.type !== "user") throw forbidden("A service account has no profile.");
  return owner.user;
}

/** Who administers: a person by a token of theirs, or whoever has a key. */
interface AdminCaller {
  readonly actor:
    | { readonly type: "user"; readonly id: Id<"user"> }
    | { readonly type: "service_account"; readonly id: Id<"serviceAccount"> };
  readonly roles: readonly string[];
  readonly apiKeyId: Id<"apiKey"> | undefined;
  /** Of a person who signed in; a key belongs to none. */
  readonly access: Access | undefined;
}

/**
 * For what administrators do: also gives `by`, whom the audit trail names. Their role alone is not enough: a token that
 * an ordinary application got is for what its user let it do, and nobody lets an application administer a tenant.
 * An API key needs a scope for the route beside its owner's role, which is that of now.
 * `tenant` is the one that is administered: for a super_admin that of `X-Org-Context`. `home` is the caller's own.
 * @throws AppError 401, or 403 for whoever is no administrator or comes by another application, before the body is read
 */
export const adminScope = (deps: Deps) =>
  new Elysia({ name: "admin-scope" })
    .derive({ as: "scoped" }, async ({ request, set }) => {
      const info = requestInfo(request);
      const home = await resolveTenant(deps, request, info);
      const { actor, roles, apiKeyId, access } = await adminCaller(deps, { tenant: home, request, set });
      const context: RequestContext = apiKeyId === undefined ? info : { ...info, apiKeyId };
      const superAdmin = roles.includes("super_admin");
      return {
        tenant: await administeredTenant(deps, request, info, { home, superAdmin }),
        home,
        context,
        access,
        by: { actor, context, superAdmin },
      };
    })
    .onBeforeHandle({ as: "scoped" }, ({ request, tenant, by: { actor, context } }) => {
      requireReadable(request);
      return answeredBefore(deps, request, {
        tenantId: tenant.id,
        principal: `${actor.id} ${context.apiKeyId ?? ""}`,
      });
    });

async function adminCaller(deps: Deps, asked: Parameters<typeof requireAccess>[1]): Promise<AdminCaller> {
  const { request, tenant } = asked;
  const presented = apiKeyOf(request);
  if (presented === undefined) {
    const access = await requireAdminAccess(deps, asked);
    const { id, roles } = access.user;
    return { actor: { type: "user", id }, roles, apiKeyId: undefined, access };
  }
  const key = await requireApiKey(deps, tenant, presented, scopesOf(request));
  if (!administers(key.owner.roles)) throw forbidden();
  return { actor: actorOf(key), roles: key.owner.roles, apiKeyId: key.id, access: undefined };
}

const scopesOf = (request: Request) => scopesFor(request.method, new URL(request.url).pathname);

function actorOf({ owner }: LiveApiKey): AdminCaller["actor"] {
  return owner.type === "user" ? { type: "user", id: owner.id } : { type: owner.type, id: owner.id };
}

/** What `adminScope` gives, for a scope that also takes something else than an access token. */
export async function requireAdminAccess(
  deps: Deps,
  request: Parameters<typeof requireAccess>[1],
): Promise<Access> {
  const access = await accessOf(deps, request);
  if (!administers(access.user.roles)) throw forbidden();
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
  { tenant, home, request }: { tenant: Tenant; home: Tenant; request: Request },
): Promise<boolean> {
  const roles = await rolesOfNow(deps, home, request);
  return home.id === tenant.id ? administers(roles) : roles.includes("super_admin");
}

async function rolesOfNow(deps: Deps, home: Tenant, request: Request): Promise<readonly string[]> {
  const key = apiKeyOf(request);
  if (key !== undefined) return (await findLiveApiKey(deps, home.id, key))?.owner.roles ?? [];
  const token = request.headers.get("authorization")?.split(" ").at(-1);
  if (!token) return [];
  const live = await findLiveAccessToken(deps, home, token, issuerOf(home, deps.config.publicUrl));
  return live?.onBehalfOf?.user.roles ?? [];
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
