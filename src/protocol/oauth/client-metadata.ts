/**
 * What a client is, read from the names of RFC 7591 §2 and OpenID Connect Registration §2. The same rules hold for a
 * client that an administrator makes, one that registers itself, and one that is described by a document of its own.
 */
import type { FieldError } from "../../lib/errors.ts";
import { type ClientJwks, readJwks } from "./client-keys.ts";
import {
  administrativeMembers,
  type Member,
  type MemberName,
  memberProblem,
  registrationMembers,
} from "./client-metadata-members.ts";
import { clientMetadataProblems } from "./client-metadata-rules.ts";
import { parseScope } from "./scope.ts";

export interface ClientMetadata {
  readonly name: string;
  readonly logoUri: string | null;
  readonly clientUri: string | null;
  readonly policyUri: string | null;
  readonly tosUri: string | null;
  readonly contacts: readonly string[];
  readonly applicationType: "web" | "native";
  readonly tokenEndpointAuthMethod: string;
  readonly grantTypes: readonly string[];
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris: readonly string[];
  readonly scopes: readonly string[];
  /** RFC 8707 resource indicators that it may ask tokens for. */
  readonly resources: readonly string[];
  /** Ours, so that nobody is asked for consent. */
  readonly firstParty: boolean;
  readonly enabled: boolean;
  /** Public keys by value (RFC 7517 §5); never together with `jwksUri` (RFC 7591 §2). */
  readonly jwks: ClientJwks | null;
  readonly jwksUri: string | null;
  /** Null: whichever of ours fits the client's key. */
  readonly tokenEndpointAuthSigningAlg: string | null;
  readonly idTokenSignedResponseAlg: string;
  readonly accessTokenSigningAlg: string;
  readonly accessTokenFormat: "jwt" | "opaque";
  /** Null: UserInfo is plain JSON. */
  readonly userinfoSignedResponseAlg: string | null;
  /** JARM; null: the ID token's algorithm. */
  readonly authorizationSignedResponseAlg: string | null;
  readonly requestObjectSigningAlg: string | null;
  readonly requireSignedRequestObject: boolean;
  readonly requirePushedAuthorizationRequests: boolean;
  readonly dpopBoundAccessTokens: boolean;
  readonly subjectType: "public" | "pairwise";
  readonly sectorIdentifierUri: string | null;
  readonly defaultMaxAge: number | null;
  readonly defaultAcrValues: readonly string[];
  readonly initiateLoginUri: string | null;
  readonly backchannelLogoutUri: string | null;
  readonly backchannelLogoutSessionRequired: boolean;
  /** What it may ask for with RFC 8693: "impersonation", "delegation". */
  readonly tokenExchangeModes: readonly string[];
  /** Null: the tenant's lifetime. */
  readonly accessTokenLifetimeSeconds: number | null;
  readonly refreshTokenLifetimeSeconds: number | null;
  readonly idTokenLifetimeSeconds: number | null;
  readonly softwareId: string | null;
  readonly softwareVersion: string | null;
}

/** Who describes the client, and what such a description can get at the most. */
export type MetadataPolicy =
  | { readonly origin: "administrator"; readonly defaultScopes: readonly string[] }
  | {
      /** By RFC 7591, or by a document of the client's own. */
      readonly origin: "dynamic" | "metadata_document";
      readonly grantTypes: readonly string[];
      readonly scopes: readonly string[];
    };

export type MetadataResult =
  | { readonly ok: true; readonly metadata: ClientMetadata }
  | { readonly ok: false; readonly problems: readonly FieldError[] };

/**
 * Reads and checks a description. A member that is null counts as left out (RFC 7592 §2.2), one that is not known here
 * is ignored (RFC 7591 §2). Whoever describes themselves gets what the policy allows out of what they ask for (RFC 7591
 * §3.2.1) and is told by the answer; an administrator is told of every mistake.
 */
export function readClientMetadata(
  members: Readonly<Record<string, unknown>>,
  policy: MetadataPolicy,
): MetadataResult {
  const own = policy.origin !== "administrator";
  const known: Record<string, Member> = own
    ? registrationMembers
    : { ...registrationMembers, ...administrativeMembers };
  const given = Object.fromEntries(
    Object.keys(known).flatMap((name) => {
      const value = Object.hasOwn(members, name) ? members[name] : undefined;
      return value === undefined || value === null ? [] : [[name, value]];
    }),
  );
  if (own) narrow(given, policy);
  const wrong = Object.entries(given).flatMap(([field, value]) => {
    const member = known[field];
    const message = member && memberProblem(member, value);
    return message === undefined ? [] : [{ field, message }];
  });
  if (wrong.length > 0) return { ok: false, problems: wrong };
  const metadata = metadataOf(reader(given), policy);
  const problems = clientMetadataProblems(metadata, {
    origin: policy.origin,
    responseTypes: reader(given).texts("response_types") ?? ["code"],
  });
  return problems.length > 0 ? { ok: false, problems } : { ok: true, metadata };
}

type SelfDescription = Exclude<MetadataPolicy, { origin: "administrator" }>;

/** Takes out what such a client cannot have, whatever it asks for. */
function narrow(given: Record<string, unknown>, policy: SelfDescription): void {
  const keep = (name: string, allowed: readonly string[]) => {
    const asked = given[name];
    if (Array.isArray(asked)) given[name] = asked.filter((one) => allowed.includes(one));
  };
  keep("grant_types", policy.grantTypes);
  keep("response_types", ["code"]);
}

interface MemberReader {
  text(name: MemberName): string | undefined;
  texts(name: MemberName): readonly string[] | undefined;
  flag(name: MemberName): boolean | undefined;
  integer(name: MemberName): number | undefined;
  readonly jwks: ClientJwks | undefined;
}

/** Reads members whose values were checked. */
function reader(given: Readonly<Record<string, unknown>>): MemberReader {
  return {
    text: (name) => (typeof given[name] === "string" ? given[name].trim() : undefined),
    texts: (name) => (Array.isArray(given[name]) ? [...new Set<string>(given[name])] : undefined),
    flag: (name) => (typeof given[name] === "boolean" ? given[name] : undefined),
    integer: (name) => (typeof given[name] === "number" ? given[name] : undefined),
    jwks: readJwks(given["jwks"]),
  };
}

function metadataOf(given: MemberReader, policy: MetadataPolicy): ClientMetadata {
  const administered = policy.origin === "administrator";
  const { text, texts, flag, integer } = given;
  const redirectUris = texts("redirect_uris") ?? [];
  return {
    name: text("client_name") ?? "",
    logoUri: text("logo_uri") ?? null,
    clientUri: text("client_uri") ?? null,
    policyUri: text("policy_uri") ?? null,
    tosUri: text("tos_uri") ?? null,
    contacts: texts("contacts") ?? [],
    applicationType: applicationType(text("application_type"), redirectUris, policy),
    tokenEndpointAuthMethod: text("token_endpoint_auth_method") ?? defaultMethod(policy),
    grantTypes: texts("grant_types") ?? defaultGrantTypes(policy),
    redirectUris,
    postLogoutRedirectUris: texts("post_logout_redirect_uris") ?? [],
    scopes: scopesOf(text("scope"), policy),
    resources: texts("resources") ?? [],
    firstParty: flag("first_party") ?? false,
    enabled: flag("enabled") ?? true,
    jwks: given.jwks ?? null,
    jwksUri: text("jwks_uri") ?? null,
    tokenEndpointAuthSigningAlg: text("token_endpoint_auth_signing_alg") ?? null,
    // OpenID Connect Core §15.1: RS256 is what every client understands.
    idTokenSignedResponseAlg: text("id_token_signed_response_alg") ?? "RS256",
    accessTokenSigningAlg: text("access_token_signing_alg") ?? "ES256",
    accessTokenFormat: text("access_token_format") === "opaque" ? "opaque" : "jwt",
    userinfoSignedResponseAlg: text("userinfo_signed_response_alg") ?? null,
    authorizationSignedResponseAlg: text("authorization_signed_response_alg") ?? null,
    requestObjectSigningAlg: text("request_object_signing_alg") ?? null,
    requireSignedRequestObject: flag("require_signed_request_object") ?? false,
    requirePushedAuthorizationRequests: flag("require_pushed_authorization_requests") ?? false,
    dpopBoundAccessTokens: flag("dpop_bound_access_tokens") ?? false,
    subjectType: text("subject_type") === "pairwise" ? "pairwise" : "public",
    sectorIdentifierUri: text("sector_identifier_uri") ?? null,
    defaultMaxAge: integer("default_max_age") ?? null,
    defaultAcrValues: texts("default_acr_values") ?? [],
    initiateLoginUri: text("initiate_login_uri") ?? null,
    backchannelLogoutUri: text("backchannel_logout_uri") ?? null,
    backchannelLogoutSessionRequired: flag("backchannel_logout_session_required") ?? false,
    tokenExchangeModes: (administered ? texts("token_exchange_modes") : undefined) ?? [],
    accessTokenLifetimeSeconds: integer("access_token_lifetime") ?? null,
    refreshTokenLifetimeSeconds: integer("refresh_token_lifetime") ?? null,
    idTokenLifetimeSeconds: integer("id_token_lifetime") ?? null,
    softwareId: text("software_id") ?? null,
    softwareVersion: text("software_version") ?? null,
  };
}

/**
 * OpenID Connect Registration §2: `web` unless told. A metadata document is written for every server at once, also for
 * those that know no such member: there, the redirect URIs tell.
 */
function applicationType(
  given: string | undefined,
  redirectUris: readonly string[],
  { origin }: MetadataPolicy,
): "web" | "native" {
  if (given !== undefined) return given === "native" ? "native" : "web";
  const local = redirectUris.some((uri) => !uri.startsWith("https:"));
  return origin === "metadata_document" && local ? "native" : "web";
}

/** A document establishes no shared secret (Client ID Metadata Document §4.1); elsewhere RFC 7591 §2. */
function defaultMethod({ origin }: MetadataPolicy): string {
  return origin === "metadata_document" ? "none" : "client_secret_basic";
}

function defaultGrantTypes({ origin }: MetadataPolicy): readonly string[] {
  return origin === "administrator" ? ["authorization_code", "refresh_token"] : ["authorization_code"];
}

/** RFC 7591 §2: whoever names no scope gets the server's default one. */
function scopesOf(given: string | undefined, policy: MetadataPolicy): readonly string[] {
  if (policy.origin === "administrator")
    return given === undefined ? policy.defaultScopes : parseOptional(given);
  return given === undefined
    ? policy.scopes
    : parseOptional(given).filter((scope) => policy.scopes.includes(scope));
}

const parseOptional = (scope: string) => (scope.trim() === "" ? [] : parseScope(scope));
