import { OAuthError } from "../../../lib/errors.ts";
import { type RequestParameters, requireParameter } from "../parameters.ts";
import { isScopeSubset, parseScope } from "../scope.ts";

/** RFC 8693 §2.1. */
export const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

/** RFC 8693 §3: the one type that we take, and issue. */
export const ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token";

/** Prior actors that a token may tell of (§4.1): longer chains are loops. */
const MAX_ACTORS = 5;

export interface TokenExchangeRequest {
  readonly subjectToken: string;
  readonly actorToken: string | undefined;
  readonly scope: readonly string[];
  /** `resource` and `audience` (§2.1), which name targets in two ways. */
  readonly targets: readonly string[];
}

/** An access token of ours that holds, and the key that this request has proven, as far as the decision goes. */
export interface ExchangedToken {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly clientId: string;
  readonly scope: readonly string[];
  readonly dpopJkt: string | undefined;
}

/** RFC 8693 §4.1. */
export interface ActClaim {
  readonly sub: string;
  readonly act?: Readonly<Record<string, unknown>>;
}

export interface TokenExchangeDecision {
  readonly subject: string;
  readonly scope: readonly string[];
  /** Empty: this server itself. */
  readonly audience: readonly string[];
  /** Who acts for the subject, and who did before; undefined where nobody appears but the subject. */
  readonly actor: Readonly<Record<string, unknown>> | undefined;
  /** NumericDate: the new token must not outlive the one it was made of. */
  readonly notAfter: number;
}

/** @throws OAuthError invalid_request or invalid_scope */
export function readTokenExchangeRequest(parameters: RequestParameters): TokenExchangeRequest {
  const subjectToken = requireParameter(parameters, "subject_token");
  requireAccessToken(requireParameter(parameters, "subject_token_type"), "subject_token_type");
  const actorToken = parameters.get("actor_token");
  const actorType = parameters.get("actor_token_type");
  if ((actorToken === undefined) !== (actorType === undefined))
    throw new OAuthError("invalid_request", "actor_token and actor_token_type go together.");
  if (actorType !== undefined) requireAccessToken(actorType, "actor_token_type");
  const requestedType = parameters.get("requested_token_type");
  if (requestedType !== undefined) requireAccessToken(requestedType, "requested_token_type");
  return {
    subjectToken,
    actorToken,
    scope: parseScope(parameters.get("scope")),
    targets: [...new Set([...parameters.getAll("resource"), ...parameters.getAll("audience")])],
  };
}

/**
 * Whether the client gets a token of the subject's, and which (RFC 8693 §2.1, §2.2, §5). What a client may do is its
 * registration: `impersonation` gives a token in which only the subject appears, `delegation` one that names the actor, who
 * is the owner of the actor token or else the client (§1.1).
 *
 * The subject token has to be the client's own, or meant for a resource that the client is registered for. A token that is
 * bound to a key comes with a proof of that key: exchanging must not wash a stolen one clean (RFC 9449 §7).
 * @param request.provenJkt thumbprint of the key of the request's DPoP proof
 * @throws OAuthError invalid_request for a token that cannot be used, as §2.2.2 has it; unauthorized_client, invalid_scope,
 *   invalid_target
 */
export function decideTokenExchange(
  tokens: { readonly subject: ExchangedToken | undefined; readonly actor: ExchangedToken | undefined },
  request: TokenExchangeRequest & { readonly provenJkt: string | undefined },
  client: {
    readonly clientId: string;
    readonly scopes: readonly string[];
    readonly tokenExchangeModes: readonly string[];
    /** The resources that it is registered for. */
    readonly resources: readonly string[];
  },
  issuer: string,
): TokenExchangeDecision {
  const { subject, actor } = tokens;
  if (!subject || !isPresentable(subject, client, request.provenJkt)) throw unusable("subject_token");
  const { sub, exp } = subject.claims;
  if (typeof sub !== "string" || typeof exp !== "number" || sub === subject.clientId)
    throw unusable("subject_token");
  if (
    request.actorToken !== undefined &&
    !(actor?.clientId === client.clientId && isProven(actor, request.provenJkt))
  )
    throw unusable("actor_token");
  const actorExp = actor?.claims["exp"];
  return {
    subject: sub,
    scope: exchangedScope(request.scope, subject.scope, client.scopes),
    audience: requireTargets(request.targets, [issuer, ...client.resources]),
    actor: actorOf(subject, actor, client),
    notAfter: typeof actorExp === "number" ? Math.min(exp, actorExp) : exp,
  };
}

/** That a token is meant for this server itself says nothing: almost every one is. */
function isPresentable(
  token: ExchangedToken,
  client: { readonly clientId: string; readonly resources: readonly string[] },
  provenJkt: string | undefined,
): boolean {
  const { aud } = token.claims;
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const isReceiver = audiences.some((one) => typeof one === "string" && client.resources.includes(one));
  return (token.clientId === client.clientId || isReceiver) && isProven(token, provenJkt);
}

function isProven(token: ExchangedToken, provenJkt: string | undefined): boolean {
  return token.dpopJkt === undefined || token.dpopJkt === provenJkt;
}

/** Impersonation keeps the actors that the subject token already tells of: nobody gets out of a chain (§4.1). */
function actorOf(
  subject: ExchangedToken,
  actor: ExchangedToken | undefined,
  client: { readonly clientId: string; readonly tokenExchangeModes: readonly string[] },
): Readonly<Record<string, unknown>> | undefined {
  const prior = subject.claims["act"];
  const impersonates = !actor && client.tokenExchangeModes.includes("impersonation");
  if (!impersonates && !client.tokenExchangeModes.includes("delegation"))
    throw new OAuthError("unauthorized_client", "The client may not exchange tokens in this way.");
  const actorSubject = actor ? actor.claims["sub"] : client.clientId;
  if (typeof actorSubject !== "string") throw unusable("actor_token");
  requireMayAct(subject.claims["may_act"], actorSubject, actor?.claims["iss"] ?? subject.claims["iss"]);
  if (impersonates) return isObject(prior) ? prior : undefined;
  if (depthOf(prior) >= MAX_ACTORS)
    throw new OAuthError("invalid_request", "The subject_token has been through too many hands.");
  return { sub: actorSubject, ...(isObject(prior) ? { act: prior } : {}) };
}

/** A subject token that says who may act for its subject is for nobody else (§4.4). */
function requireMayAct(mayAct: unknown, actor: string, issuer: unknown): void {
  if (mayAct === undefined) return;
  const fits =
    isObject(mayAct) && mayAct["sub"] === actor && (mayAct["iss"] === undefined || mayAct["iss"] === issuer);
  if (!fits) throw unusable("subject_token");
}

/** Never more than the subject token has, nor than the client may; no ID and no refresh token come of it. */
function exchangedScope(
  requested: readonly string[],
  ofSubject: readonly string[],
  ofClient: readonly string[],
) {
  const allowed = ofSubject.filter(
    (scope) => ofClient.includes(scope) && scope !== "openid" && scope !== "offline_access",
  );
  if (requested.length === 0) return allowed;
  if (!isScopeSubset(requested, allowed))
    throw new OAuthError(
      "invalid_scope",
      "The requested scope exceeds that of the subject_token or the client.",
    );
  return requested;
}

function requireTargets(requested: readonly string[], allowed: readonly string[]): readonly string[] {
  if (requested.some((target) => !allowed.includes(target)))
    throw new OAuthError("invalid_target", "The client may not get tokens for a requested target.");
  return requested;
}

function depthOf(act: unknown): number {
  return isObject(act) ? 1 + depthOf(act["act"]) : 0;
}

function requireAccessToken(type: string, name: string): void {
  if (type !== ACCESS_TOKEN_TYPE)
    throw new OAuthError("invalid_request", `${name} must be ${ACCESS_TOKEN_TYPE}.`);
}

/** §2.2.2 has it invalid_request. Why it cannot be used is not told: the client may have stolen it. */
function unusable(name: "subject_token" | "actor_token"): OAuthError {
  return new OAuthError("invalid_request", `The ${name} is invalid, or the client may not use it.`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
