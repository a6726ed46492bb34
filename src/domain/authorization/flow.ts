import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import {
  authorizationClientId,
  type AuthorizationRequest,
  validateAuthorizationRequest,
} from "../../protocol/oauth/authorization-request.ts";
import { codeAnswer } from "../../protocol/oauth/authorization-response.ts";
import { readParameters } from "../../protocol/oauth/parameters.ts";
import {
  accessDenied,
  type AuthenticationDecision,
  decideAuthentication,
} from "../../protocol/oidc/authentication-decision.ts";
import { consentScope } from "../../protocol/oidc/requested-claims.ts";
import { subjectOf } from "../access-tokens/subject.ts";
import { type Client, findClient } from "../clients/service.ts";
import { denyConsent, findConsent, grantConsent } from "../grants/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Session } from "../sessions/service.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";
import { authorizationClient } from "./client.ts";
import { findHintedSubject } from "./id-token-hint.ts";
import type { Interaction } from "./interaction.ts";
import { usePushedRequest } from "./pushed-requests.ts";
import { type Answered, answeringErrors, sendAnswer } from "./respond.ts";
import { issueCode } from "./service.ts";

/** An authorization request that passed every check, with the client that made it. */
export interface PendingAuthorization {
  readonly request: AuthorizationRequest;
  readonly client: Client;
}

/** What the person is asked before the request is answered. */
export type AuthorizationPage = Exclude<AuthenticationDecision, { kind: "proceed" }>;

/** What the authorization endpoint does next. */
export type AuthorizationOutcome =
  | Answered
  | ({
      readonly kind: "page";
      readonly page: AuthorizationPage;
      readonly interaction: Interaction;
    } & PendingAuthorization);

/** One visit of a browser at the authorization endpoint or at one of its pages. */
export interface AuthorizationVisit {
  readonly tenant: Tenant;
  readonly interaction: Interaction;
  readonly session: Session | undefined;
  readonly context: RequestContext;
}

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
  const request = validateAuthorizationRequest(
    parameters,
    client && authorizationClient(deps, tenant, client),
    interaction.delivery,
  );
  if (!client) throw new Error("a request without a client was accepted");
  return { request, client };
}

/**
 * The authorization endpoint, called anew after each of its pages: it asks for what is still missing, or answers.
 * @throws AuthorizationError only when it must be shown instead of sent to the client
 */
export function continueAuthorization(deps: Deps, visit: AuthorizationVisit): Promise<AuthorizationOutcome> {
  const { tenant, interaction } = visit;
  return answeringErrors(deps, { tenant, search: interaction.search }, async () => {
    const pending = await readAuthorization(deps, tenant, interaction);
    const page = await neededPage(deps, visit, pending);
    return page
      ? { kind: "page", page, interaction, ...pending }
      : await respondWithCode(deps, visit, pending);
  });
}

/** The step that the person still has to go through, if any. */
async function neededPage(
  deps: Deps,
  { tenant, interaction, session }: AuthorizationVisit,
  { request, client }: PendingAuthorization,
): Promise<AuthorizationPage | undefined> {
  const asksConsent = !client.firstParty || request.prompt.includes("consent");
  const decision = decideAuthentication({
    request,
    client,
    session: session && {
      subject: subjectOf(tenant, client, session.user.id),
      authTime: session.authTime,
      acr: session.acr,
      selected: interaction.selected === session.id,
      agreed: interaction.agreed === session.id,
    },
    consent: session && asksConsent ? await findConsent(deps, session.user, client) : undefined,
    hintedSubject: await findHintedSubject(deps, tenant, { request, client }),
    registration: tenant.settings.self_registration_enabled,
    requestedAt: interaction.requestedAt,
    now: deps.clock.now(),
  });
  return decision.kind === "proceed" ? undefined : decision;
}

async function respondWithCode(
  deps: Deps,
  { tenant, interaction, session, context }: AuthorizationVisit,
  { request, client }: PendingAuthorization,
): Promise<Answered> {
  if (!session) throw new Error("an authorization proceeded without a session");
  await useUp(deps, tenant, interaction);
  const code = await issueCode(deps, { tenant, client, session, request, context });
  const answer = codeAnswer(request, code, issuerOf(tenant, deps.config.publicUrl));
  return sendAnswer(deps, tenant, client, answer);
}

/** Before the answer, so that of two that race one is given. */
async function useUp(deps: Deps, tenant: Tenant, { pushedRequest }: Interaction): Promise<void> {
  if (pushedRequest !== undefined) await usePushedRequest(deps, tenant, pushedRequest);
}

/**
 * What the user decided on the consent page.
 * @throws AuthorizationError only when it must be shown instead of sent to the client
 */
export function decideConsent(
  deps: Deps,
  visit: AuthorizationVisit & { readonly session: Session },
  allowed: boolean,
): Promise<AuthorizationOutcome> {
  const { tenant, interaction, session, context } = visit;
  return answeringErrors(deps, { tenant, search: interaction.search }, async () => {
    const { request, client } = await readAuthorization(deps, tenant, interaction);
    const { resources } = request;
    const consent = { user: session.user, client, scopes: consentScope(request), resources, context };
    if (!allowed) {
      await useUp(deps, tenant, interaction);
      await denyConsent(deps, consent);
      throw accessDenied(request);
    }
    await grantConsent(deps, consent);
    return continueAuthorization(deps, { ...visit, interaction: { ...interaction, agreed: session.id } });
  });
}

/** Goes on with the session's account, which the person chose where prompt=select_account asked. */
export function selectAccount(
  deps: Deps,
  visit: AuthorizationVisit & { readonly session: Session },
): Promise<AuthorizationOutcome> {
  const selected: Id<"session"> = visit.session.id;
  return continueAuthorization(deps, { ...visit, interaction: { ...visit.interaction, selected } });
}
