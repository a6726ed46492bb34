/** Dynamic client registration (RFC 7591) and its management (RFC 7592): what is read, refused and answered. */
import type { FieldError } from "../../lib/errors.ts";
import { OAuthError } from "../../lib/errors.ts";
import type { ClientMetadata } from "./client-metadata.ts";

/** Grants of a client that registered itself. It acts for users who are in front of it, and for nobody else. */
export const OPEN_REGISTRATION_GRANTS = ["authorization_code", "refresh_token"] as const;

/**
 * With an initial access token, which only an administrator can make, also those that need no browser of the user's on
 * the same device, or no user. Never token-exchange and jwt-bearer: they speak for other people without asking them.
 */
export const INVITED_REGISTRATION_GRANTS = [
  ...OPEN_REGISTRATION_GRANTS,
  "client_credentials",
  "urn:ietf:params:oauth:grant-type:device_code",
] as const;

/**
 * The members of a registration request.
 * @throws OAuthError invalid_client_metadata; unapproved_software_statement: none is approved here (RFC 7591 §3.2.2)
 */
export function readRegistrationRequest(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new OAuthError("invalid_client_metadata", "The body must be a JSON object.");
  const members: Record<string, unknown> = { ...body };
  if (members["software_statement"] !== undefined && members["software_statement"] !== null)
    throw new OAuthError("unapproved_software_statement", "No software statement is approved here.");
  return members;
}

/** What only the server says of a registration: a client that sends one is confused about who it is (RFC 7592 §2.2). */
const SERVER_MEMBERS = [
  "registration_access_token",
  "registration_client_uri",
  "client_secret_expires_at",
  "client_id_issued_at",
];

/**
 * The members of an update, which replace all that was registered (RFC 7592 §2.2).
 * @param isSecret whether a text is the client's secret
 * @throws OAuthError invalid_client_metadata, unapproved_software_statement
 */
export function readRegistrationUpdate(
  body: unknown,
  client: { readonly clientId: string; readonly isSecret: (secret: string) => boolean },
): Readonly<Record<string, unknown>> {
  const members = readRegistrationRequest(body);
  if (members["client_id"] !== client.clientId)
    throw new OAuthError("invalid_client_metadata", "client_id must be that of the client.");
  if (SERVER_MEMBERS.some((name) => members[name] !== undefined))
    throw new OAuthError("invalid_client_metadata", `An update has no ${SERVER_MEMBERS.join(", ")}.`);
  const secret = members["client_secret"];
  if (secret !== undefined && (typeof secret !== "string" || !client.isSecret(secret)))
    throw new OAuthError("invalid_client_metadata", "client_secret must be the current one, or left out.");
  return members;
}

/** RFC 7591 §3.2.2. The description names members and rules, in the characters that RFC 6749 §5.2 allows. */
export function registrationError(problems: readonly FieldError[]): OAuthError {
  const redirect = problems.find(({ field }) => field === "redirect_uris");
  const described = redirect ? [redirect] : problems;
  const description = described
    .map(({ field, message }) => `${field}: ${message}`)
    .join(" ")
    .replaceAll("§", "section ")
    .replace(/[^\x20\x21\x23-\x5B\x5D-\x7E]/g, "");
  return new OAuthError(redirect ? "invalid_redirect_uri" : "invalid_client_metadata", description);
}

/** All that an administrator says of a client, under the names of `client-metadata-members.ts`. */
export function administeredMembers(metadata: Partial<ClientMetadata>): Record<string, unknown> {
  return withoutNothing({
    ...registeredMembers(metadata),
    first_party: metadata.firstParty,
    enabled: metadata.enabled,
    resources: orNothing(metadata.resources),
    access_token_format: metadata.accessTokenFormat,
    access_token_signing_alg: metadata.accessTokenSigningAlg,
    access_token_lifetime: metadata.accessTokenLifetimeSeconds,
    refresh_token_lifetime: metadata.refreshTokenLifetimeSeconds,
    id_token_lifetime: metadata.idTokenLifetimeSeconds,
    token_exchange_modes: orNothing(metadata.tokenExchangeModes),
  });
}

/** Metadata under the names that it is registered with. What was not said is left out. */
export function registeredMembers(metadata: Partial<ClientMetadata>): Record<string, unknown> {
  return withoutNothing({
    client_name: metadata.name,
    client_uri: metadata.clientUri,
    logo_uri: metadata.logoUri,
    policy_uri: metadata.policyUri,
    tos_uri: metadata.tosUri,
    contacts: orNothing(metadata.contacts),
    application_type: metadata.applicationType,
    redirect_uris: metadata.redirectUris,
    post_logout_redirect_uris: orNothing(metadata.postLogoutRedirectUris),
    response_types: metadata.grantTypes && responseTypes(metadata.grantTypes),
    grant_types: metadata.grantTypes,
    scope: metadata.scopes?.join(" "),
    token_endpoint_auth_method: metadata.tokenEndpointAuthMethod,
    token_endpoint_auth_signing_alg: metadata.tokenEndpointAuthSigningAlg,
    jwks: metadata.jwks,
    jwks_uri: metadata.jwksUri,
    id_token_signed_response_alg: metadata.idTokenSignedResponseAlg,
    userinfo_signed_response_alg: metadata.userinfoSignedResponseAlg,
    authorization_signed_response_alg: metadata.authorizationSignedResponseAlg,
    request_object_signing_alg: metadata.requestObjectSigningAlg,
    require_signed_request_object: metadata.requireSignedRequestObject,
    require_pushed_authorization_requests: metadata.requirePushedAuthorizationRequests,
    dpop_bound_access_tokens: metadata.dpopBoundAccessTokens,
    subject_type: metadata.subjectType,
    sector_identifier_uri: metadata.sectorIdentifierUri,
    default_max_age: metadata.defaultMaxAge,
    default_acr_values: orNothing(metadata.defaultAcrValues),
    initiate_login_uri: metadata.initiateLoginUri,
    backchannel_logout_uri: metadata.backchannelLogoutUri,
    backchannel_logout_session_required: metadata.backchannelLogoutSessionRequired,
    software_id: metadata.softwareId,
    software_version: metadata.softwareVersion,
  });
}

/** What the server adds to the registered members. */
export interface ClientInformation {
  readonly client_id: string;
  readonly client_id_issued_at: number;
  readonly client_secret?: string;
  readonly client_secret_expires_at?: number;
  readonly registration_access_token: string;
  readonly registration_client_uri: string;
}

/**
 * The answer to registration, reading and updating (RFC 7591 §3.2.1, RFC 7592 §3).
 * @param secret shown when it is made, and never again: only its hash is kept. It does not expire, which 0 says
 */
export function clientInformation(input: {
  readonly clientId: string;
  readonly issuedAtSeconds: number;
  readonly metadata: ClientMetadata;
  readonly secret: string | undefined;
  readonly registrationAccessToken: string;
  readonly registrationClientUri: string;
}): ClientInformation {
  return {
    ...registeredMembers(input.metadata),
    client_id: input.clientId,
    client_id_issued_at: input.issuedAtSeconds,
    ...(input.secret === undefined ? {} : { client_secret: input.secret, client_secret_expires_at: 0 }),
    registration_access_token: input.registrationAccessToken,
    registration_client_uri: input.registrationClientUri,
  };
}

/** RFC 7591 §2.1: of the grants here, one comes with a response of the authorization endpoint. */
const responseTypes = (grantTypes: readonly string[]) =>
  grantTypes.includes("authorization_code") ? ["code"] : [];

const orNothing = (values: readonly string[] | undefined) => (values && values.length > 0 ? values : null);

function withoutNothing(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== null && value !== undefined),
  );
}
