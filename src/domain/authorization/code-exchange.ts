import type { Deps } from "../../deps.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { matchesHash, parseSecretToken } from "../../lib/secret-token.ts";
import { tokenBinding } from "../../protocol/oauth/dpop-binding.ts";
import {
  type AuthorizationCodeRequest,
  decideAuthorizationCode,
  invalidCode,
} from "../../protocol/oauth/grants/authorization-code.ts";
import { narrowedResources } from "../../protocol/oauth/resource.ts";
import type { TokenResponse } from "../../protocol/oauth/token-response.ts";
import { parseClaimsParameter } from "../../protocol/oidc/claims-parameter.ts";
import type { Client } from "../clients/service.ts";
import type { UserIssuance } from "../access-tokens/mint.ts";
import { findStandingImpersonation } from "../impersonation/standing.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import { issueToUser } from "../tokens/issue.ts";
import { revokeFamily } from "../tokens/revocation.ts";
import * as repo from "./repo.ts";

/**
 * Exchanges a code for tokens (RFC 6749 §4.1.3). A code that comes a second time ends what the first time issued
 * (§4.1.2): somebody else has it too.
 * @throws OAuthError invalid_grant, invalid_target or invalid_dpop_proof
 */
export async function exchangeCode(
  deps: Deps,
  input: {
    tenant: Tenant;
    client: Client;
    request: AuthorizationCodeRequest;
    /** Of the token request (RFC 8707 §2.2). */
    resources: readonly string[];
    provenJkt: string | undefined;
    context: RequestContext;
  },
): Promise<TokenResponse> {
  const { tenant, client, request, provenJkt, context } = input;
  const now = deps.clock.now();
  const presented = parseSecretToken("authorizationCode", request.code);
  const found = presented && (await repo.findCode(deps.db, tenant.id, presented.id));
  if (!found || !matchesHash(presented.secret, found.code.hash)) throw invalidCode();
  const { code, user } = found;
  const decision = decideAuthorizationCode({ ...code, clientId: found.clientId }, request, {
    clientId: client.clientId,
    now,
  });
  if (decision.kind === "replayed") return refuseReplay(deps, input, code);
  // Disabled, signed out everywhere or given a new password within the last minute.
  if (!user.enabled || found.sessionRevokedAt) throw invalidCode();
  const impersonation = await impersonationOf(deps, found);
  const dpopJkt = tokenBinding({ client, provenJkt, boundJkt: code.dpopJkt });
  const familyId = newId("tokenFamily");
  const issued = await issueToUser(
    deps,
    {
      tenant,
      client,
      user,
      authentication: code,
      familyId,
      scope: code.scope,
      resources: narrowedResources(input.resources, code.resources),
      grantedResources: code.resources,
      claims: parseClaimsParameter(code.claims ?? undefined),
      claimsParameter: code.claims,
      dpopJkt: dpopJkt ?? null,
      nonce: code.nonce,
      impersonation,
    },
    {
      grantType: "authorization_code",
      context,
      consumption: repo.codeConsumption(tenant.id, code.id, familyId, now),
    },
  );
  if (issued) return issued;
  const again = await repo.findCode(deps.db, tenant.id, code.id);
  return refuseReplay(deps, input, again?.code ?? code);
}

async function refuseReplay(
  deps: Deps,
  { tenant, client, context }: { tenant: Tenant; client: Client; context: RequestContext },
  code: { familyId: Id<"tokenFamily"> | null },
): Promise<never> {
  if (code.familyId) {
    await revokeFamily(deps, { tenantId: tenant.id, id: code.familyId }, "code_replayed", {
      type: "token.code_replayed",
      actor: { type: "client", id: client.id },
      context,
    });
  }
  throw invalidCode();
}

/** Who is signed in as the user, if somebody is. @throws OAuthError invalid_grant when they may not be any more */
async function impersonationOf(
  deps: Deps,
  found: NonNullable<Awaited<ReturnType<typeof repo.findCode>>>,
): Promise<UserIssuance["impersonation"]> {
  const { impersonationId, sessionExpiresAt: notAfter, code, user } = found;
  if (!impersonationId) return undefined;
  const standing = await findStandingImpersonation(deps, code.tenantId, impersonationId, user);
  if (!standing) throw invalidCode();
  return { impersonatorId: standing.impersonator.id, notAfter };
}
