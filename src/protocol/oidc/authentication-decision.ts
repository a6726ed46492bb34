import { AuthorizationError, type ResponseTarget } from "../oauth/authorization-error.ts";
import type { AuthorizationRequest } from "../oauth/authorization-request.ts";
import { isScopeSubset } from "../oauth/scope.ts";

/** Why the person has to sign in, now or again. */
export type LoginReason = "no_session" | "prompt" | "max_age" | "id_token_hint";

/** What comes next for a valid authorization request. */
export type AuthenticationDecision =
  | { readonly kind: "login"; readonly reason: LoginReason }
  | { readonly kind: "register" }
  /** Ask for all of `scopes`; `added` are those that the client does not have from this person yet. */
  | { readonly kind: "consent"; readonly scopes: readonly string[]; readonly added: readonly string[] }
  | { readonly kind: "proceed" };

export interface AuthenticationInput {
  readonly request: AuthorizationRequest;
  readonly client: { readonly firstParty: boolean };
  /** The browser's session, if it has a live one. */
  readonly session: { readonly userId: string; readonly authTime: Date } | undefined;
  /** What the person granted the client before; `grantedAt` is when they last agreed. */
  readonly consent: { readonly scopes: readonly string[]; readonly grantedAt: Date } | undefined;
  /** The subject of a verified id_token_hint. */
  readonly hintedUserId?: string;
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
 * @throws AuthorizationError login_required or consent_required, for the client: with prompt=none nobody may be
 *   asked anything (§3.1.2.6), and an answer must not be about another person than the id_token_hint names
 */
export function decideAuthentication(input: AuthenticationInput): AuthenticationDecision {
  const { request } = input;
  const silent = request.prompt.includes("none");
  const login = neededLogin(input);
  if (login) {
    if (silent) throw refuse(request, "login_required", "The person has to sign in.");
    return login;
  }
  const consent = neededConsent(input);
  if (consent) {
    if (silent) throw refuse(request, "consent_required", "The person has to agree.");
    return consent;
  }
  return { kind: "proceed" };
}

type NeededLogin = Extract<AuthenticationDecision, { kind: "login" | "register" }>;

/**
 * A sign-in since the request arrived satisfies login, select_account, create and every max_age, 0 included: asked
 * for literally, max_age would send a person who reads the consent page slowly back to the sign-in page.
 */
function neededLogin({
  request,
  session,
  hintedUserId,
  requestedAt,
  now,
}: AuthenticationInput): NeededLogin | undefined {
  const fresh = session !== undefined && session.authTime >= requestedAt;
  if (!fresh && request.prompt.includes("create")) return { kind: "register" };
  if (!session) return { kind: "login", reason: "no_session" };
  if (hintedUserId !== undefined && hintedUserId !== session.userId) {
    if (fresh) throw refuse(request, "login_required", "Another person signed in than id_token_hint names.");
    return { kind: "login", reason: "id_token_hint" };
  }
  if (fresh) return undefined;
  if (request.prompt.includes("login") || request.prompt.includes("select_account"))
    return { kind: "login", reason: "prompt" };
  const ageMilliseconds = now.getTime() - session.authTime.getTime();
  if (request.maxAge !== undefined && ageMilliseconds > request.maxAge * 1000)
    return { kind: "login", reason: "max_age" };
  return undefined;
}

/** A first-party client is ours to trust and asks nobody, unless it wants to (prompt=consent). */
function neededConsent(input: AuthenticationInput): AuthenticationDecision | undefined {
  const { request, client, consent, requestedAt } = input;
  const granted = consent?.scopes ?? [];
  const asked = request.prompt.includes("consent") && !(consent && consent.grantedAt >= requestedAt);
  if (!asked && (client.firstParty || (consent && isScopeSubset(request.scope, granted)))) return undefined;
  const added = request.scope.filter((token) => !granted.includes(token));
  return { kind: "consent", scopes: request.scope, added };
}

/** The person said no, on the sign-in or the consent page (RFC 6749 §4.1.2.1). */
export function accessDenied(target: ResponseTarget): AuthorizationError {
  return refuse(target, "access_denied", "The person refused the request.");
}

function refuse(target: ResponseTarget, code: string, description: string): AuthorizationError {
  const { redirectUri, responseMode, state } = target;
  return new AuthorizationError(code, description, { redirectUri, responseMode, state });
}
