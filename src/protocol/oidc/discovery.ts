import type { SigningAlgorithm } from "../jose/algorithms.ts";
import { responseModes } from "../oauth/authorization-error.ts";
import { grantTypes } from "../oauth/token-request.ts";
import { userClaimNames } from "./claims.ts";
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
}

export interface ProviderMetadataInput {
  readonly issuer: string;
  readonly endpoints: ProviderEndpoints;
  readonly scopes: readonly string[];
  readonly acrValues: readonly string[];
  readonly clientAuthenticationMethods: readonly string[];
  /** Those that the tenant has keys for. */
  readonly idTokenSigningAlgorithms: readonly SigningAlgorithm[];
  /** Whether the `claims` parameter reaches UserInfo and the ID token. */
  readonly claimsParameter: boolean;
  readonly uiLocales?: readonly string[];
  readonly documentation?: string;
}

/** Metadata of an authorization server (RFC 8414 §2; `iss` in responses: RFC 9207 §3). */
export function authorizationServerMetadata(input: ProviderMetadataInput): Record<string, unknown> {
  const { endpoints, clientAuthenticationMethods } = input;
  return withoutUndefined({
    issuer: input.issuer,
    authorization_endpoint: endpoints.authorization,
    token_endpoint: endpoints.token,
    jwks_uri: endpoints.jwks,
    registration_endpoint: endpoints.registration,
    revocation_endpoint: endpoints.revocation,
    revocation_endpoint_auth_methods_supported: endpoints.revocation && clientAuthenticationMethods,
    introspection_endpoint: endpoints.introspection,
    introspection_endpoint_auth_methods_supported:
      endpoints.introspection && clientAuthenticationMethods.filter((method) => method !== "none"),
    scopes_supported: input.scopes,
    response_types_supported: ["code"],
    response_modes_supported: responseModes,
    grant_types_supported: grantTypes,
    token_endpoint_auth_methods_supported: clientAuthenticationMethods,
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
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
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: input.idTokenSigningAlgorithms,
    acr_values_supported: input.acrValues,
    claim_types_supported: ["normal"],
    claims_supported: [...PROTOCOL_CLAIMS, ...userClaimNames],
    claims_parameter_supported: input.claimsParameter,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
    prompt_values_supported: prompts,
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
