import { AuthorizationError, type ResponseTarget } from "../oauth/authorization-error.ts";
import type { AuthorizationRequest } from "../oauth/authorization-request.ts";
import { isScopeSubset } from "../oauth/scope.ts";
import { satisfiesAcr } from "./acr.ts";
import { consentScope, requestedAcr, requestedSubjects } from "./requested-claims.ts";

/** Why the person has to sign in, now or again. */
export type LoginReason = "no_session" | "prompt" | "max_age" | "other_subject";

/** What comes next for a valid authorization request. */
export type AuthenticationDecision =
  | { readonly kind: "login"; readonly reason: LoginReason }
  | { readonly kind: "register" }
  /** Ask which account it is to be: the one of the session, or another. */
  | { readonly kind: "select_account" }
  /** The session has to become one of a class of `acrValues`. */
  | { readonly kind: "step_up"; readonly acrValues: readonly string[] }
  /** Ask for all of `scopes` and `resources`; `added` are scopes that the client does not have from this person yet. */
  | {
      readonly kind: "consent";
      readonly scopes: readonly string[];
      readonly resources: readonly string[];
      readonly added: readonly string[];
    }
  | { readonly kind: "proceed" };

export interface AuthenticationInput {
  readonly request: AuthorizationRequest;
  readonly client: { readonly firstParty: boolean; readonly tokenEndpointAuthMethod: string };
  /** The browser's session, if it has a live one. */
  readonly session:
    | {
        /** What the client knows its person as. */
        readonly subject: string;
        readonly authTime: Date;
        readonly acr: string;
        /** Whether the person chose it for this very request. */
        readonly selected: boolean;
        /** Whether the person agreed to this very request in it. */
        readonly agreed: boolean;
      }
    | undefined;
  /** What the person granted the client, for this request or an earlier one. */
  readonly consent: { readonly scopes: readonly string[]; readonly resources: readonly string[] } | undefined;
  /** The subject of a verified id_token_hint. */
  readonly hintedSubject?: string | undefined;
  /** Whether people may register themselves; otherwise prompt=create is a sign-in. */
  readonly registration: boolean;
  /**
   * When this request first arrived, before any of its pages was shown, as the server wrote it down: a sign-in
   * since then is what prompt=login asks for. It must not be a value that the browser can choose.
   */
  readonly requestedAt: Date;
  readonly now: Date;
}

/**
 * Decides whether to authenticate the person, to ask for their consent, or to answer (OpenID Connect Core §3.1.2.3,
 * §3.1.2.4). Called anew after each page, with the session and consent that the page has led to.
 * @throws AuthorizationError login_required or consent_required, for the client: with prompt=none
 *   nobody may be asked anything (§3.1.2.6), and an answer must not be about another person than the
 *   request names; unmet_authentication_requirements where no sign-in here would do (RFC 9470 §5)
 */
export function decideAuthentication(input: AuthenticationInput): AuthenticationDecision {
  const { request } = input;
  requireReachable(request);
  const decision = neededLogin(input) ?? neededStepUp(input) ?? neededConsent(input);
  if (!decision) return { kind: "proceed" };
  if (request.prompt.includes("none")) throw interactionRequired(request, decision);
  return decision;
}

type Needed<K extends AuthenticationDecision["kind"]> = Extract<AuthenticationDecision, { kind: K }>;

/**
 * A sign-in since the request arrived satisfies login, select_account, create and every max_age, 0 included: asked
 * for literally, max_age would send a person who reads the consent page slowly back to the sign-in page.
 */
function neededLogin(
  input: AuthenticationInput,
): Needed<"login" | "register" | "select_account"> | undefined {
  const { request, session, requestedAt, now } = input;
  const fresh = session !== undefined && session.authTime >= requestedAt;
  if (!fresh && input.registration && request.prompt.includes("create")) return { kind: "register" };
  if (!session) return { kind: "login", reason: "no_session" };
  if (!isNamed(input, session.subject)) {
    if (fresh) throw refuse(request, "login_required", "Another person signed in than the request names.");
    return { kind: "login", reason: "other_subject" };
  }
  if (fresh) return undefined;
  if (request.prompt.includes("login") || request.prompt.includes("create"))
    return { kind: "login", reason: "prompt" };
  const ageMilliseconds = now.getTime() - session.authTime.getTime();
  if (request.maxAge !== undefined && ageMilliseconds > request.maxAge * 1000)
    return { kind: "login", reason: "max_age" };
  return request.prompt.includes("select_account") && !session.selected
    ? { kind: "select_account" }
    : undefined;
}

/** By id_token_hint (OpenID Connect Core §3.1.2.1) and by a request for the claim sub (§3.1.2.2, §5.5.1). */
function isNamed({ request, hintedSubject }: AuthenticationInput, subject: string): boolean {
  const hinted = hintedSubject === undefined || hintedSubject === subject;
  return hinted && requestedSubjects(request.claims).every((subjects) => subjects.includes(subject));
}

/** A claim acr that is essential has to be met (OpenID Connect Core §5.5.1.1): no page is shown in vain. */
function requireReachable(request: AuthorizationRequest): void {
  const { essential, reachable } = requestedAcr(request);
  if (essential && reachable.length === 0)
    throw refuse(
      request,
      "unmet_authentication_requirements",
      "No sign-in here is of the authentication context class that was asked for.",
    );
}

/**
 * acr_values are a wish (OpenID Connect Core §3.1.2.1): a class that nobody here can reach stays unmet, and the ID token
 * says what was done instead. One that can be reached is, by whoever signs in (RFC 9470 §5).
 */
function neededStepUp({ request, session }: AuthenticationInput): Needed<"step_up"> | undefined {
  const { reachable } = requestedAcr(request);
  if (!session || reachable.length === 0 || satisfiesAcr(session.acr, reachable)) return undefined;
  return { kind: "step_up", acrValues: reachable };
}

/**
 * A first-party client is ours to trust and asks nobody, unless it wants to (prompt=consent). Where the person is to be
 * asked each time, only their answer to this very request counts: one given meanwhile to another request of the client
 * may have been given to another program.
 */
function neededConsent(input: AuthenticationInput): Needed<"consent"> | undefined {
  const { request, client, consent, session } = input;
  const { resources } = request;
  const scope = consentScope(request);
  const granted = consent?.scopes ?? [];
  const asked = request.prompt.includes("consent") || (!client.firstParty && mayBeImpersonated(input));
  const covered =
    consent !== undefined &&
    isScopeSubset(scope, granted) &&
    resources.every((resource) => consent.resources.includes(resource));
  if (asked ? session?.agreed && covered : client.firstParty || covered) return undefined;
  return {
    kind: "consent",
    scopes: scope,
    resources,
    added: scope.filter((token) => !granted.includes(token)),
  };
}

/**
 * Whether any other program on the person's device could have made the request: it knows the client_id, and the answer
 * goes to whoever listens at the port or claims the scheme. A consent of before says nothing about it
 * (RFC 6749 §10.2, RFC 8252 §8.6).
 */
function mayBeImpersonated({ request, client }: AuthenticationInput): boolean {
  return client.tokenEndpointAuthMethod === "none" && !request.redirectUri.startsWith("https:");
}

/** The person said no, on the sign-in or the consent page (RFC 6749 §4.1.2.1). */
export function accessDenied(target: ResponseTarget): AuthorizationError {
  return refuse(target, "access_denied", "The person refused the request.");
}

/** OpenID Connect Core §3.1.2.6: which of the pages it is that prompt=none forbids. */
function interactionRequired(
  request: AuthorizationRequest,
  { kind }: AuthenticationDecision,
): AuthorizationError {
  if (kind === "consent") return refuse(request, "consent_required", "The person has to agree.");
  return refuse(request, "login_required", "The person has to sign in.");
}

function refuse(target: ResponseTarget, code: string, description: string): AuthorizationError {
  const { redirectUri, responseMode, state } = target;
  return new AuthorizationError(code, description, { redirectUri, responseMode, state });
}
