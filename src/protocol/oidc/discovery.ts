import type { SigningAlgorithm } from "../jose/algorithms.ts";
import { responseModes } from "../oauth/authorization-error.ts";
import { grantTypes } from "../oauth/token-request.ts";
import { prompts } from "./prompt.ts";

/** Absolute URLs. An endpoint that is not served is left out, and so is all metadata about it. */
export interface ProviderEndpoints {
  readonly authorization: string;
  readonly token: string;
  readonly userinfo: string;
  readonly jwks: string;
  readonly revocation?: string;
  readonly introspection?: string;
  readonly endSession?: string;
  readonly registration?: string;
  /** RFC 9126 §5. */
  readonly pushedAuthorizationRequest?: string;
  /** RFC 8628 §4. */
  readonly deviceAuthorization?: string;
}

/** What others sign, and with what they may: left out is what is not served. */
export interface AcceptedSignatures {
  /** private_key_jwt (RFC 8414 §2). */
  readonly clientAssertion?: readonly string[];
  /** RFC 9449 §5.1. */
  readonly dpopProof?: readonly string[];
  /** RFC 9101 §10.5, OpenID Connect Discovery §3. */
  readonly requestObject?: readonly string[];
}

export interface ProviderMetadataInput {
  readonly issuer: string;
  readonly endpoints: ProviderEndpoints;
  readonly scopes: readonly string[];
  readonly acrValues: readonly string[];
  readonly clientAuthenticationMethods: readonly string[];
  /** Those that the tenant has keys for. */
  readonly idTokenSigningAlgorithms: readonly SigningAlgorithm[];
  readonly acceptedSignatures?: AcceptedSignatures;
  readonly subjectTypes?: readonly string[];
  /** Whether relying parties are told when a session ends (OpenID Connect Back-Channel Logout §2.1). */
  readonly backchannelLogout?: boolean;
  /** Whether a URL may be a client_id (OAuth Client ID Metadata Document §5). */
  readonly clientIdMetadataDocuments?: boolean;
  /** Whether all clients have to push their requests (RFC 9126 §5). */
  readonly requirePushedAuthorizationRequests?: boolean;
  /** Whether people may register themselves (Initiating User Registration §3: prompt=create). */
  readonly registration: boolean;
  /** Names of the claims about a person that there can be values for. */
  readonly userClaims: readonly string[];
  /** Whether the `claims` parameter reaches UserInfo and the ID token. */
  readonly claimsParameter: boolean;
  readonly uiLocales?: readonly string[];
  readonly documentation?: string;
}

/** Metadata of an authorization server (RFC 8414 §2; `iss` in responses: RFC 9207 §3). */
export function authorizationServerMetadata(input: ProviderMetadataInput): Record<string, unknown> {
  const { endpoints, clientAuthenticationMethods, acceptedSignatures = {} } = input;
  const confidentialMethods = clientAuthenticationMethods.filter((method) => method !== "none");
  return withoutUndefined({
    issuer: input.issuer,
    authorization_endpoint: endpoints.authorization,
    token_endpoint: endpoints.token,
    jwks_uri: endpoints.jwks,
    registration_endpoint: endpoints.registration,
    revocation_endpoint: endpoints.revocation,
    revocation_endpoint_auth_methods_supported: endpoints.revocation && clientAuthenticationMethods,
    revocation_endpoint_auth_signing_alg_values_supported:
      endpoints.revocation && acceptedSignatures.clientAssertion,
    introspection_endpoint: endpoints.introspection,
    introspection_endpoint_auth_methods_supported: endpoints.introspection && confidentialMethods,
    introspection_endpoint_auth_signing_alg_values_supported:
      endpoints.introspection && acceptedSignatures.clientAssertion,
    // RFC 9701 §7.
    introspection_signing_alg_values_supported: endpoints.introspection && input.idTokenSigningAlgorithms,
    pushed_authorization_request_endpoint: endpoints.pushedAuthorizationRequest,
    require_pushed_authorization_requests:
      endpoints.pushedAuthorizationRequest && (input.requirePushedAuthorizationRequests ?? false),
    device_authorization_endpoint: endpoints.deviceAuthorization,
    scopes_supported: input.scopes,
    response_types_supported: ["code"],
    response_modes_supported: responseModes,
    grant_types_supported: grantTypes,
    token_endpoint_auth_methods_supported: clientAuthenticationMethods,
    token_endpoint_auth_signing_alg_values_supported: acceptedSignatures.clientAssertion,
    dpop_signing_alg_values_supported: acceptedSignatures.dpopProof,
    // RFC 9101 §10.5; JARM §4.
    request_object_signing_alg_values_supported: acceptedSignatures.requestObject,
    require_signed_request_object: acceptedSignatures.requestObject && false,
    authorization_signing_alg_values_supported: input.idTokenSigningAlgorithms,
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: input.clientIdMetadataDocuments,
    ui_locales_supported: input.uiLocales,
    service_documentation: input.documentation,
  });
}

/**
 * Metadata of an OpenID Provider (OpenID Connect Discovery §3), which is the authorization server's and more.
 * What the specification takes for supported when it is not told (request_uri) is told.
 */
export function openidProviderMetadata(input: ProviderMetadataInput): Record<string, unknown> {
  return withoutUndefined({
    ...authorizationServerMetadata(input),
    userinfo_endpoint: input.endpoints.userinfo,
    end_session_endpoint: input.endpoints.endSession,
    backchannel_logout_supported: input.backchannelLogout,
    backchannel_logout_session_supported: input.backchannelLogout,
    subject_types_supported: input.subjectTypes ?? ["public"],
    id_token_signing_alg_values_supported: input.idTokenSigningAlgorithms,
    userinfo_signing_alg_values_supported: input.idTokenSigningAlgorithms,
    acr_values_supported: input.acrValues,
    claim_types_supported: ["normal"],
    claims_supported: [...PROTOCOL_CLAIMS, ...input.userClaims],
    claims_parameter_supported: input.claimsParameter,
    request_parameter_supported: input.acceptedSignatures?.requestObject !== undefined,
    request_uri_parameter_supported: false,
    prompt_values_supported: prompts.filter((prompt) => prompt !== "create" || input.registration),
  });
}

const PROTOCOL_CLAIMS = [
  "sub",
  "iss",
  "aud",
  "exp",
  "iat",
  "auth_time",
  "nonce",
  "acr",
  "amr",
  "azp",
  "at_hash",
  "sid",
];

function withoutUndefined(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
