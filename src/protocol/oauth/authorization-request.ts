import { OAuthError } from "../../lib/errors.ts";
import {
  type ClaimsParameter,
  formatClaimsParameter,
  parseClaimsParameter,
} from "../oidc/claims-parameter.ts";
import { registeredClaims } from "../oidc/claims.ts";
import { parseMaxAge, parsePrompt, type Prompt } from "../oidc/prompt.ts";
import {
  AuthorizationError,
  refuseTo,
  type ResponseMode,
  responseModes,
  type ResponseTarget,
} from "./authorization-error.ts";
import { type RequestParameters, refuseRepeated, requireParameter } from "./parameters.ts";
import { requireCodeChallenge } from "./pkce.ts";
import { type ApplicationType, isRegisteredRedirectUri } from "./redirect-uri.ts";
import { requestedResources } from "./resource.ts";
import { authorizableScope, parseScope } from "./scope.ts";

/** What the rules of this file need to know of a client. */
export interface AuthorizationClient {
  readonly clientId: string;
  readonly applicationType: ApplicationType;
  readonly redirectUris: readonly string[];
  readonly grantTypes: readonly string[];
  readonly scopes: readonly string[];
  /** RFC 8707 resource indicators that it may ask for. */
  readonly resources?: readonly string[];
  /** OpenID Connect Registration §2: what counts where a request says nothing. Seconds. */
  readonly defaultMaxAge?: number | null;
  readonly defaultAcrValues?: readonly string[];
  /** RFC 9126 §6. */
  readonly requirePushedAuthorizationRequests?: boolean;
  /** RFC 9101 §10.5. */
  readonly requireSignedRequestObject?: boolean;
}

/** How a request came. What is read here are its parameters, whatever they were packed in. */
export interface RequestDelivery {
  /** By the client itself, authenticated (RFC 9126). */
  readonly pushed: boolean;
  /** In a request object, whose signature holds (RFC 9101). */
  readonly signed: boolean;
}

const PLAIN: RequestDelivery = { pushed: false, signed: false };

/** A request that passed every check. Plain JSON, so that it can be kept while the person signs in. */
export interface AuthorizationRequest {
  readonly clientId: string;
  readonly responseType: "code";
  readonly responseMode: ResponseMode;
  readonly redirectUri: string;
  /** Not required (OAuth 2.1 §4.1.1): PKCE keeps out what it was there to keep out, and binds the answer too. */
  readonly state: string | undefined;
  /** What is asked for, and not more than the client may have. */
  readonly scope: readonly string[];
  readonly resources: readonly string[];
  readonly codeChallenge: string;
  readonly nonce: string | undefined;
  readonly prompt: readonly Prompt[];
  /** Seconds. */
  readonly maxAge: number | undefined;
  readonly acrValues: readonly string[];
  readonly loginHint: string | undefined;
  readonly idTokenHint: string | undefined;
  readonly uiLocales: readonly string[];
  /** What is asked for by single claims, as far as the client may have it. */
  readonly claims: ClaimsParameter | undefined;
  /** The same as a text: what is stored until it is answered. */
  readonly claimsParameter: string | undefined;
  /** Thumbprint of the key that the code is to be bound to (RFC 9449 §10). */
  readonly dpopJkt: string | undefined;
}

/**
 * The client_id by which to look the client up, before anything else is judged.
 * @throws AuthorizationError without a target: invalid_request
 */
export function authorizationClientId(parameters: RequestParameters): string {
  const clientId = parameters.get("client_id");
  if (clientId === undefined)
    throw new AuthorizationError("invalid_request", "client_id is missing or repeated.", undefined);
  return clientId;
}

/**
 * Validates an authorization request (OAuth 2.1 §4.1.1, OpenID Connect Core §3.1.2.2), in the order that decides
 * where an error may go: client and redirect_uri first, since RFC 6749 §4.1.2.1 and RFC 9700 §4.11 forbid a redirect
 * while they are in doubt; then how to answer (state, response_mode); then all the rest.
 * @param parameters read by `readParameters`, which leaves repeated ones to this function
 * @param client undefined when no client has the client_id of the request
 * @param delivery how the request came: some clients may send theirs in one way only
 * @throws AuthorizationError with or without a target
 */
export function validateAuthorizationRequest(
  parameters: RequestParameters,
  client: AuthorizationClient | undefined,
  delivery: RequestDelivery = PLAIN,
): AuthorizationRequest {
  if (!client || client.clientId !== authorizationClientId(parameters))
    throw new AuthorizationError("invalid_request", "No such client is registered.", undefined);
  const target = responseTarget(parameters, registeredRedirectUri(parameters, client));
  return refuseTo(target, () => {
    refuseRepeated(parameters);
    refuseReferences(parameters);
    requireDelivery(client, delivery);
    return {
      clientId: client.clientId,
      responseType: requireResponseType(parameters, client),
      responseMode: requireResponseMode(parameters),
      redirectUri: target.redirectUri,
      state: target.state,
      scope: authorizableScope(parseScope(parameters.get("scope")), client),
      resources: requestedResources(parameters, client.resources ?? []),
      codeChallenge: requireCodeChallenge(parameters),
      ...authenticationParameters(parameters, client),
    };
  });
}

/** @throws OAuthError invalid_request (RFC 9126 §6, RFC 9101 §10.5) */
function requireDelivery(client: AuthorizationClient, { pushed, signed }: RequestDelivery): void {
  if (client.requirePushedAuthorizationRequests && !pushed)
    throw new OAuthError("invalid_request", "The client has to push its authorization requests (RFC 9126).");
  if (client.requireSignedRequestObject && !signed)
    throw new OAuthError("invalid_request", "The client has to send signed request objects (RFC 9101).");
}

/** OpenID Connect Core §3.1.2.1. */
function authenticationParameters(parameters: RequestParameters, client: AuthorizationClient) {
  const asked = parseClaimsParameter(parameters.get("claims"));
  const claims = asked && registeredClaims(asked, client.scopes);
  // A request for the claim acr says more than the client's default does (OpenID Connect Registration §2).
  const defaultAcrValues = claims?.idToken["acr"] ? [] : (client.defaultAcrValues ?? []);
  return {
    nonce: parameters.get("nonce"),
    prompt: parsePrompt(parameters.get("prompt")),
    maxAge: parseMaxAge(parameters.get("max_age")) ?? client.defaultMaxAge ?? undefined,
    acrValues: spaceSeparated(parameters.get("acr_values") ?? defaultAcrValues.join(" ")),
    loginHint: parameters.get("login_hint"),
    idTokenHint: parameters.get("id_token_hint"),
    uiLocales: spaceSeparated(parameters.get("ui_locales")).filter((tag) => LANGUAGE_TAG.test(tag)),
    claims,
    claimsParameter: claims && formatClaimsParameter(claims),
    dpopJkt: parseThumbprint(parameters.get("dpop_jkt")),
  };
}

/** The shape of a BCP 47 tag: what is no tag names no language, and a preference that fails is no error. */
const LANGUAGE_TAG = /^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*$/;

/** redirect_uri is required, as in OpenID Connect Core §3.1.2.1, also of a client that has only one. */
function registeredRedirectUri(parameters: RequestParameters, client: AuthorizationClient): string {
  const redirectUri = parameters.get("redirect_uri");
  if (redirectUri === undefined)
    throw new AuthorizationError("invalid_request", "redirect_uri is missing or repeated.", undefined);
  if (!isRegisteredRedirectUri(redirectUri, client))
    throw new AuthorizationError(
      "invalid_request",
      "redirect_uri is not registered for the client.",
      undefined,
    );
  return redirectUri;
}

/**
 * Where to answer a request whose other parameters cannot be read.
 * @returns undefined while its redirect_uri is in doubt
 */
export function findResponseTarget(
  parameters: RequestParameters,
  client: AuthorizationClient,
): ResponseTarget | undefined {
  const redirectUri = parameters.get("redirect_uri");
  return redirectUri !== undefined && isRegisteredRedirectUri(redirectUri, client)
    ? responseTarget(parameters, redirectUri)
    : undefined;
}

/** An unknown response_mode is answered, as an error, in the default mode of `code`. */
function responseTarget(parameters: RequestParameters, redirectUri: string): ResponseTarget {
  const responseMode = responseModes.find((mode) => mode === parameters.get("response_mode")) ?? "query";
  return { redirectUri, responseMode, state: parameters.get("state") };
}

function requireResponseMode(parameters: RequestParameters): ResponseMode {
  const requested = parameters.get("response_mode") ?? "query";
  const responseMode = responseModes.find((mode) => mode === requested);
  if (!responseMode) throw new OAuthError("invalid_request", "The response_mode is not supported.");
  return responseMode;
}

/** RFC 6749 §4.1.2.1. The implicit types are gone from OAuth 2.1 (§10.1). */
function requireResponseType(parameters: RequestParameters, client: AuthorizationClient): "code" {
  if (requireParameter(parameters, "response_type") !== "code")
    throw new OAuthError("unsupported_response_type", "The server supports the response_type code only.");
  if (!client.grantTypes.includes("authorization_code"))
    throw new OAuthError("unauthorized_client", "The client may not use the authorization code grant.");
  return "code";
}

/** OpenID Connect Core §6.2, §7.2.1: what is not supported is refused, since ignoring it would change the request. */
function refuseReferences(parameters: RequestParameters): void {
  if (parameters.get("request_uri") !== undefined)
    throw new OAuthError(
      "request_uri_not_supported",
      "A request_uri is supported for pushed requests only (RFC 9126).",
    );
  if (parameters.get("registration") !== undefined)
    throw new OAuthError("registration_not_supported", "The parameter registration is not supported.");
}

/** @throws OAuthError invalid_request on what is no SHA-256 in base64url (RFC 9449 §10, RFC 7638) */
function parseThumbprint(value: string | undefined): string | undefined {
  if (value !== undefined && !/^[\w-]{43}$/.test(value))
    throw new OAuthError("invalid_request", "dpop_jkt is not a JWK thumbprint.");
  return value;
}

function spaceSeparated(value: string | undefined): string[] {
  return (value ?? "").split(" ").filter((part) => part !== "");
}
