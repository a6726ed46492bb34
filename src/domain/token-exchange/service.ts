import type { Deps } from "../../deps.ts";
import { tokenBinding } from "../../protocol/oauth/dpop-binding.ts";
import {
  ACCESS_TOKEN_TYPE,
  decideTokenExchange,
  type TokenExchangeDecision,
  type TokenExchangeRequest,
} from "../../protocol/oauth/grants/token-exchange.ts";
import { ANY_AUDIENCE } from "../../protocol/jose/verify-jwt.ts";
import { type TokenResponse, tokenResponse } from "../../protocol/oauth/token-response.ts";
import { findLiveAccessToken, keepAccessToken, type LiveAccessToken } from "../access-tokens/access.ts";
import { accessTokenUser, mintAccessToken } from "../access-tokens/mint.ts";
import * as audit from "../audit/service.ts";
import { type Client, findClient } from "../clients/service.ts";
import type { RequestContext } from "../request-context.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";
import { authenticationOf, exchangedAudience } from "./subject-token.ts";

interface Exchange {
  readonly tenant: Tenant;
  readonly client: Client;
  readonly request: TokenExchangeRequest;
  readonly provenJkt: string | undefined;
  readonly context: RequestContext;
}

/**
 * Gives a client an access token of its own for the user of another one (RFC 8693 §2). The new token belongs to the same
 * family: what ends the user's sign-in with the first client, or revokes its grant, ends this one too. It never outlives
 * the token that it was made of, comes with no refresh token, and is not more than both the subject token and the client.
 * @throws OAuthError invalid_request for tokens that are no good, unauthorized_client, invalid_scope, invalid_target or
 *   invalid_dpop_proof
 */
export async function exchangeToken(deps: Deps, exchange: Exchange): Promise<TokenResponse> {
  const { tenant, client, request, provenJkt } = exchange;
  const [subject, actor] = await Promise.all([
    findLiveAccessToken(deps, tenant, request.subjectToken, ANY_AUDIENCE),
    request.actorToken === undefined
      ? undefined
      : findLiveAccessToken(deps, tenant, request.actorToken, ANY_AUDIENCE),
  ]);
  const issuer = issuerOf(tenant, deps.config.publicUrl);
  const decision = decideTokenExchange({ subject, actor }, { ...request, provenJkt }, client, issuer);
  if (!subject?.onBehalfOf) throw new Error("a token without a user was exchanged");
  const ours = (await findClient(deps, tenant.id, subject.clientId))?.firstParty === true;
  const audience = exchangedAudience(decision.audience, subject, { client, issuer, ours });
  const dpopJkt = tokenBinding({ client, provenJkt });
  return issue(deps, exchange, { subject, onBehalfOf: subject.onBehalfOf, decision, audience, dpopJkt });
}

async function issue(
  deps: Deps,
  { tenant, client, context }: Exchange,
  grant: {
    subject: LiveAccessToken;
    onBehalfOf: NonNullable<LiveAccessToken["onBehalfOf"]>;
    decision: TokenExchangeDecision;
    audience: readonly string[];
    dpopJkt: string | undefined;
  },
): Promise<TokenResponse> {
  const { subject, onBehalfOf, decision, audience, dpopJkt } = grant;
  const { user, familyId, sessionId } = onBehalfOf;
  const { scope, actor } = decision;
  const authentication = authenticationOf(subject, sessionId);
  const minted = await mintAccessToken(deps, {
    tenant,
    client,
    scope,
    audience,
    dpopJkt,
    user: accessTokenUser({ tenant, client, user, authentication, scope, familyId }),
    familyId,
    ...(actor ? { actor } : {}),
    notAfter: new Date(decision.notAfter * 1000),
  });
  await deps.db.transaction(async (tx) => {
    await keepAccessToken(tx, minted);
    await audit.record(tx, {
      tenantId: tenant.id,
      type: "token.exchanged",
      actor: { type: "client", id: client.id },
      target: { type: "user", id: user.id },
      details: {
        family: familyId,
        subject_token: subject.jwtId,
        jti: minted.jwtId,
        act: actor ?? null,
        audience,
        scope,
      },
      context,
      now: deps.clock.now(),
    });
  });
  return tokenResponse({
    accessToken: minted.accessToken,
    expiresInSeconds: minted.accessTokenLifetimeSeconds,
    scope,
    bound: dpopJkt !== undefined,
    issuedTokenType: ACCESS_TOKEN_TYPE,
  });
}
