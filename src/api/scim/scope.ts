import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import type { Actor } from "../../domain/audit/service.ts";
import type { ScimMapping } from "../../domain/organizations/service.ts";
import type { RequestContext } from "../../domain/request-context.ts";
import { findLiveScimToken } from "../../domain/scim-tokens/service.ts";
import { issuerOf, type Tenant } from "../../domain/tenants/service.ts";
import { requestInfo } from "../../http/request-info.ts";
import { requireAdminAccess } from "../../http/scope.ts";
import { resolveTenant } from "../../http/tenant.ts";
import type { Id } from "../../lib/ids.ts";
import { unauthorized } from "../../lib/errors.ts";

/** Who provisions, and for whom. */
export interface ScimCaller {
  readonly tenant: Tenant;
  readonly organizationId: Id<"organization"> | null;
  readonly actor: Actor;
  readonly superAdmin: boolean;
  /** Of an organization's profiles. */
  readonly mapping: ScimMapping;
  readonly context: RequestContext;
  /** Of this surface, in the tenant's own address, without a slash at its end. */
  readonly baseUrl: string;
}

/**
 * Gives the routes of the surface their `caller`: a SCIM token's organization or tenant, or an administrator.
 * @throws AppError 401, or 403 for who is no administrator, before the body is looked at
 */
export const scimScope = (deps: Deps) =>
  new Elysia({ name: "scim-scope" }).derive(
    { as: "scoped" },
    async ({ request, set }): Promise<{ caller: ScimCaller }> => {
      const info = requestInfo(request);
      const context: RequestContext = info;
      const tenant = await resolveTenant(deps, request, info);
      const baseUrl = `${issuerOf(tenant, deps.config.publicUrl)}/scim/v2`;
      const presented = scimTokenOf(request);
      const token = presented && (await findLiveScimToken(deps, tenant.id, presented));
      if (presented && !token)
        throw unauthorized("The SCIM token is invalid, expired or revoked.", challenge);
      if (token) {
        const { id, organizationId, mapping } = token;
        const actor = { type: "scim_token", id } as const;
        return { caller: { tenant, organizationId, actor, superAdmin: false, mapping, context, baseUrl } };
      }
      const { user } = await requireAdminAccess(deps, { tenant, request, set });
      const superAdmin = user.roles.includes("super_admin");
      const actor = { type: "user", id: user.id } as const;
      const caller: ScimCaller = {
        tenant,
        organizationId: null,
        actor,
        superAdmin,
        mapping: {},
        context,
        baseUrl,
      };
      return { caller };
    },
  );

const challenge = { headers: { "www-authenticate": 'Bearer realm="scim", error="invalid_token"' } };

/** Tells our SCIM tokens from access tokens by their prefix. */
function scimTokenOf(request: Request): string | undefined {
  return /^Bearer +(scim_\S+) *$/i.exec(request.headers.get("authorization") ?? "")?.[1];
}
