import type { Deps } from "../../deps.ts";
import { type TokenResponse, tokenResponse } from "../../protocol/oauth/token-response.ts";
import { toRow } from "../audit/service.ts";
import type { Client } from "../clients/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import { mintAccessToken } from "./mint.ts";
import { insertLoneAccessToken } from "./repo.ts";

/** A token for a client that acts for itself (RFC 6749 §4.4.3). No refresh token: it can always ask again. */
export async function issueClientToken(
  deps: Deps,
  input: {
    tenant: Tenant;
    client: Client;
    scope: readonly string[];
    resources: readonly string[];
    dpopJkt: string | undefined;
    context: RequestContext;
  },
): Promise<TokenResponse> {
  const { tenant, client, scope, context } = input;
  const minted = await mintAccessToken(deps, { ...input, audience: input.resources });
  if (minted.record) await insertLoneAccessToken(deps.db, minted.record);
  deps.auditBuffer.add(
    toRow({
      tenantId: tenant.id,
      type: "token.issued",
      actor: { type: "client", id: client.id },
      target: { type: "client", id: client.id },
      details: { grant_type: "client_credentials", jti: minted.jwtId, scope },
      context,
      now: deps.clock.now(),
    }),
  );
  return tokenResponse({
    accessToken: minted.accessToken,
    expiresInSeconds: minted.accessTokenLifetimeSeconds,
    scope,
    bound: input.dpopJkt !== undefined,
  });
}
