import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { newId } from "../../lib/ids.ts";
import { newSecretToken } from "../../lib/secret-token.ts";
import type { AuthorizationRequest } from "../../protocol/oauth/authorization-request.ts";
import type { Client } from "../clients/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Session } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import * as repo from "./repo.ts";

/** OAuth 2.1 §4.1.2 recommends ten minutes at most; a code travels through one redirect. */
export const CODE_LIFETIME_SECONDS = 60;

/** Issues the code of a granted request. The code is bound to all that its exchange must repeat or prove. */
export async function issueCode(
  deps: Deps,
  input: {
    tenant: Tenant;
    client: Client;
    session: Session;
    request: AuthorizationRequest;
    context: RequestContext;
  },
): Promise<string> {
  const { tenant, client, session, request, context } = input;
  const now = deps.clock.now();
  const id = newId("authorizationCode");
  const { token, hash } = newSecretToken(id);
  await repo.insertCode(deps.db, {
    tenantId: tenant.id,
    id,
    hash,
    clientId: client.id,
    userId: session.user.id,
    sessionId: session.id,
    redirectUri: request.redirectUri,
    scope: [...request.scope],
    resources: [...request.resources],
    claims: request.claimsParameter ?? null,
    dpopJkt: request.dpopJkt ?? null,
    nonce: request.nonce ?? null,
    codeChallenge: request.codeChallenge,
    authTime: session.authTime,
    acr: session.acr,
    amr: [...session.amr],
    maxAge: request.maxAge ?? null,
    createdAt: now,
    expiresAt: addSeconds(now, CODE_LIFETIME_SECONDS),
  });
  deps.log.debug({ requestId: context.requestId, client: client.id }, "authorization code issued");
  return token;
}
