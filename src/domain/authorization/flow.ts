import type { Deps } from "../../deps.ts";
import { OAuthError } from "../../lib/errors.ts";
import { verifyJwt } from "../../protocol/jose/verify-jwt.ts";
import { AuthorizationError } from "../../protocol/oauth/authorization-error.ts";
import {
  authorizationClientId,
  type AuthorizationRequest,
  validateAuthorizationRequest,
} from "../../protocol/oauth/authorization-request.ts";
import {
  type AuthorizationResponse,
  codeResponse,
  errorResponse,
} from "../../protocol/oauth/authorization-response.ts";
import { readParameters } from "../../protocol/oauth/parameters.ts";
import {
  accessDenied,
  type AuthenticationDecision,
  decideAuthentication,
} from "../../protocol/oidc/authentication-decision.ts";
import { type Client, findClient } from "../clients/service.ts";
import { denyConsent, findConsent, grantConsent } from "../grants/service.ts";
import { keyRingOf } from "../keys/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Session } from "../sessions/service.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";
import type { Interaction } from "./interaction.ts";
import { issueCode } from "./service.ts";

/** An authorization request that passed every check, with the client that made it. */
export interface PendingAuthorization {
  readonly request: AuthorizationRequest;
  readonly client: Client;
}

/** What the authorization endpoint does next. */
export type AuthorizationOutcome =
  | { readonly kind: "respond"; readonly response: AuthorizationResponse }
  | ({
      readonly kind: "page";
      readonly page: Exclude<AuthenticationDecision, { kind: "proceed" }>;
    } & PendingAuthorization);

/**
 * Reads and checks the request of an interaction (OAuth 2.1 §4.1.1).
 * @throws AuthorizationError
 */
export async function readAuthorization(
  deps: Deps,
  tenant: Tenant,
  interaction: Interaction,
): Promise<PendingAuthorization> {
  const parameters = readParameters(new URLSearchParams(interaction.search));
  const client = await findClient(deps, tenant.id, authorizationClientId(parameters));
  const request = validateAuthorizationRequest(parameters, client);
  if (!client) throw new Error("a request without a client was accepted");
  return { request, client };
}

/**
 * One step of the authorization endpoint, called anew after each page: asks for what is still missing, or answers.
 * @throws AuthorizationError only when it must be shown instead of sent to the client
 */
export function continueAuthorization(
  deps: Deps,
  input: { tenant: Tenant; interaction: Interaction; session: Session | undefined; context: RequestContext },
): Promise<AuthorizationOutcome> {
  const { tenant, interaction, session, context } = input;
  return answeringErrors(deps, tenant, async () => {
    const { request, client } = await readAuthorization(deps, tenant, interaction);
    const decision = decideAuthentication({
      request,
      client,
      session: session && { userId: session.user.id, authTime: session.authTime },
      consent: session && !client.firstParty ? await findConsent(deps, session.user, client) : undefined,
      hintedUserId: await hintedUser(deps, tenant, { request, client }),
      requestedAt: interaction.requestedAt,
      now: deps.clock.now(),
    });
    if (decision.kind !== "proceed") return { kind: "page", page: decision, request, client };
    if (!session) throw new Error("an authorization proceeded without a session");
    const code = await issueCode(deps, { tenant, client, session, request, context });
    return {
      kind: "respond",
      response: codeResponse(request, code, issuerOf(tenant, deps.config.publicUrl)),
    };
  });
}

/**
 * What the user decided on the consent page.
 * @throws AuthorizationError only when it must be shown instead of sent to the client
 */
export function decideConsent(
  deps: Deps,
  input: {
    tenant: Tenant;
    interaction: Interaction;
    session: Session;
    allowed: boolean;
    context: RequestContext;
  },
): Promise<AuthorizationOutcome> {
  const { tenant, interaction, session, allowed, context } = input;
  return answeringErrors(deps, tenant, async () => {
    const { request, client } = await readAuthorization(deps, tenant, interaction);
    const consent = { user: session.user, client, scopes: request.scope, context };
    if (!allowed) {
      await denyConsent(deps, consent);
      throw accessDenied(request);
    }
    await grantConsent(deps, consent);
    return continueAuthorization(deps, input);
  });
}

async function answeringErrors(
  deps: Deps,
  tenant: Tenant,
  step: () => Promise<AuthorizationOutcome>,
): Promise<AuthorizationOutcome> {
  try {
    return await step();
  } catch (error) {
    const issuer = issuerOf(tenant, deps.config.publicUrl);
    const response = error instanceof AuthorizationError ? errorResponse(error, issuer) : undefined;
    if (!response) throw error;
    return { kind: "respond", response };
  }
}

/** The subject of an id_token_hint: an ID token that we gave this client, however old (OpenID Connect Core §3.1.2.1). */
async function hintedUser(
  deps: Deps,
  tenant: Tenant,
  { request, client }: PendingAuthorization,
): Promise<string | undefined> {
  if (request.idTokenHint === undefined) return undefined;
  const ring = await keyRingOf(deps, tenant.id);
  const verified = verifyJwt(request.idTokenHint, {
    keyOf: (kid) => ring.verificationKey(kid),
    issuer: issuerOf(tenant, deps.config.publicUrl),
    audience: client.clientId,
    typ: "JWT",
    now: deps.clock.now(),
    acceptExpired: true,
  });
  const subject = verified.ok ? verified.claims["sub"] : undefined;
  if (typeof subject !== "string") {
    const { code, message } = new OAuthError(
      "invalid_request",
      "The id_token_hint is not an ID token of this client.",
    );
    throw new AuthorizationError(code, message, request);
  }
  return subject;
}
