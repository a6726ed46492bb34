import type { Deps } from "../../deps.ts";
import { sha256 } from "../../lib/crypto.ts";
import { newId } from "../../lib/ids.ts";
import { parseSecretToken } from "../../lib/secret-token.ts";
import { tokenBinding } from "../../protocol/oauth/dpop-binding.ts";
import { decideDeviceCode, DEVICE_CODE, invalidDeviceCode } from "../../protocol/oauth/grants/device-code.ts";
import { narrowedResources } from "../../protocol/oauth/resource.ts";
import type { TokenResponse } from "../../protocol/oauth/token-response.ts";
import type { Client } from "../clients/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import { issueToUser } from "../tokens/issue.ts";
import * as repo from "./repo.ts";

/**
 * Answers a poll (RFC 8628 §3.4): with tokens, once, when somebody approved what the device asked for. They hang on the
 * session of whoever did.
 * @throws OAuthError authorization_pending, slow_down, access_denied, expired_token, invalid_grant, invalid_target or
 *   invalid_dpop_proof
 */
export async function exchangeDeviceCode(
  deps: Deps,
  input: {
    tenant: Tenant;
    client: Client;
    deviceCode: string;
    /** Of the token request (RFC 8707 §2.2). */
    resources: readonly string[];
    provenJkt: string | undefined;
    context: RequestContext;
  },
): Promise<TokenResponse> {
  const { tenant, client, provenJkt, context } = input;
  const now = deps.clock.now();
  const presented = parseSecretToken("deviceAuthorization", input.deviceCode);
  if (!presented) throw invalidDeviceCode();
  const { id, secret } = presented;
  const polled = await repo.poll(deps.db, {
    tenantId: tenant.id,
    id,
    clientId: client.id,
    hash: sha256(secret),
    now,
  });
  decideDeviceCode(polled, now);
  const approval = await repo.findApproval(deps.db, tenant.id, id);
  if (!approval || !approval.user.enabled || approval.session.revokedAt) throw invalidDeviceCode();
  const dpopJkt = tokenBinding({ client, provenJkt, boundJkt: approval.dpopJkt });
  const familyId = newId("tokenFamily");
  const issued = await issueToUser(
    deps,
    {
      tenant,
      client,
      user: approval.user,
      authentication: approval.session,
      familyId,
      scope: approval.scope,
      resources: narrowedResources(input.resources, approval.resources),
      grantedResources: approval.resources,
      dpopJkt: dpopJkt ?? null,
    },
    {
      grantType: DEVICE_CODE,
      context,
      consumption: repo.consumption(tenant.id, id, familyId, now),
    },
  );
  if (!issued) throw invalidDeviceCode();
  return issued;
}
