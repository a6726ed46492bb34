/** The rules that hold between the members of a client's metadata. */
import type { FieldError } from "../../lib/errors.ts";
import { webAddressProblem } from "./client-metadata-members.ts";
import type { ClientMetadata, MetadataPolicy } from "./client-metadata.ts";
import { redirectUriProblem } from "./redirect-uri.ts";

export const TOKEN_EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** Grants in which the client's own authentication is all that keeps a stranger out. */
const CONFIDENTIAL_GRANTS = ["client_credentials", TOKEN_EXCHANGE_GRANT, JWT_BEARER_GRANT];

interface Description {
  readonly origin: MetadataPolicy["origin"];
  readonly responseTypes: readonly string[];
}

/** Everything that is wrong with metadata whose members are sound each by itself. */
export function clientMetadataProblems(metadata: ClientMetadata, description: Description): FieldError[] {
  return [
    ...nameProblems(metadata, description),
    ...grantProblems(metadata, description),
    ...redirectProblems(metadata),
    ...keyProblems(metadata, description),
    ...subjectProblems(metadata),
    ...addressProblems(metadata, description),
  ];
}

const problem = (field: string, message: string): FieldError[] => [{ field, message }];

/** People are asked to trust a name: only RFC 7591 lets a client go without one, and it is then called by its id. */
function nameProblems({ name }: ClientMetadata, { origin }: Description): FieldError[] {
  return name === "" && origin !== "dynamic"
    ? problem("client_name", "Must be 1 to 128 printable characters.")
    : [];
}

function grantProblems(metadata: ClientMetadata, { origin, responseTypes }: Description): FieldError[] {
  const { grantTypes, tokenEndpointAuthMethod, tokenExchangeModes } = metadata;
  const problems: FieldError[] = [];
  const add = (field: string, message: string) => problems.push({ field, message });
  if (grantTypes.length === 0 && origin !== "administrator")
    add("grant_types", "Names no grant that such a client may use.");
  if (tokenEndpointAuthMethod === "none" && grantTypes.some((grant) => CONFIDENTIAL_GRANTS.includes(grant))) {
    add(
      "grant_types",
      "A public client has no credentials to use client_credentials, token-exchange or jwt-bearer with.",
    );
  }
  // RFC 7591 §2.1: the two have to fit.
  if (responseTypes.some((type) => type !== "code")) add("response_types", "Only code is supported.");
  else if (grantTypes.includes("authorization_code") && !responseTypes.includes("code"))
    add("response_types", "The authorization_code grant needs the response type code.");
  if (tokenExchangeModes.length > 0 && !grantTypes.includes(TOKEN_EXCHANGE_GRANT))
    add("token_exchange_modes", "Needs the token-exchange grant.");
  return problems;
}

function redirectProblems(metadata: ClientMetadata): FieldError[] {
  const { grantTypes, redirectUris, postLogoutRedirectUris, applicationType } = metadata;
  const missing =
    grantTypes.includes("authorization_code") && redirectUris.length === 0
      ? problem("redirect_uris", "The authorization_code grant needs at least one redirect URI.")
      : [];
  const wrong = (field: string, uris: readonly string[]) =>
    uris.flatMap((uri) => {
      const message = redirectUriProblem(uri, applicationType);
      return message === undefined ? [] : problem(field, `Each one ${message}.`);
    });
  return [
    ...missing,
    ...wrong("redirect_uris", redirectUris),
    ...wrong("post_logout_redirect_uris", postLogoutRedirectUris),
  ];
}

function keyProblems(metadata: ClientMetadata, { origin }: Description): FieldError[] {
  const { jwks, jwksUri, tokenEndpointAuthMethod: method } = metadata;
  const hasKeys = jwks !== null || jwksUri !== null;
  if (jwks && jwksUri !== null) return problem("jwks", "Not together with jwks_uri (RFC 7591 §2).");
  // Client ID Metadata Document §4.1: there is no way to agree on a secret.
  if (origin === "metadata_document" && method.startsWith("client_secret_"))
    return problem("token_endpoint_auth_method", "Must be none or private_key_jwt.");
  if (method === "private_key_jwt" && !hasKeys)
    return problem("jwks", "private_key_jwt needs keys: jwks or jwks_uri.");
  const signsRequests = metadata.requireSignedRequestObject || metadata.requestObjectSigningAlg !== null;
  return signsRequests && !hasKeys
    ? problem("jwks", "Signed request objects need keys: jwks or jwks_uri.")
    : [];
}

/** OpenID Connect Core §8.1: without a sector identifier, the one host of the redirect URIs is it. */
function subjectProblems({ subjectType, sectorIdentifierUri, redirectUris }: ClientMetadata): FieldError[] {
  if (subjectType === "public" || sectorIdentifierUri !== null) return [];
  const hosts = new Set(redirectUris.map((uri) => URL.parse(uri)?.hostname ?? ""));
  return hosts.size === 1 && !hosts.has("")
    ? []
    : problem(
        "sector_identifier_uri",
        "A pairwise subject needs it unless all redirect URIs have the same host.",
      );
}

/** Whoever describes themselves has no business on the server's own machine. */
function addressProblems(metadata: ClientMetadata, { origin }: Description): FieldError[] {
  if (origin === "administrator") return [];
  const addresses: Record<string, string | null> = {
    client_uri: metadata.clientUri,
    logo_uri: metadata.logoUri,
    policy_uri: metadata.policyUri,
    tos_uri: metadata.tosUri,
    jwks_uri: metadata.jwksUri,
    sector_identifier_uri: metadata.sectorIdentifierUri,
    initiate_login_uri: metadata.initiateLoginUri,
    backchannel_logout_uri: metadata.backchannelLogoutUri,
  };
  return Object.entries(addresses).flatMap(([field, uri]) => {
    const message = uri === null ? undefined : webAddressProblem(uri, { loopback: false });
    return message === undefined ? [] : problem(field, `It ${message}.`);
  });
}
