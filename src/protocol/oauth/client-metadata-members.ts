/**
 * What a client can be described with: each member's name (RFC 7591 §2, OpenID Connect Registration §2 and those that
 * extend them), the values that it takes, and what it means. One table, which validation, the API description and the
 * answers are made from.
 */
import { signingAlgorithms } from "../jose/algorithms.ts";
import { jwksProblem } from "./client-keys.ts";
import { isScopeToken } from "./scope.ts";
import { grantTypes } from "./token-request.ts";

interface Described {
  readonly description: string;
}

export type Member = Described &
  (
    | { readonly kind: "text"; readonly maxLength: number; readonly rule?: Rule; readonly message?: string }
    | { readonly kind: "choice"; readonly values: readonly string[] }
    | { readonly kind: "texts"; readonly maxItems: number; readonly maxLength: number; readonly rule?: Rule }
    | { readonly kind: "choices"; readonly values: readonly string[] }
    | { readonly kind: "flag" }
    | { readonly kind: "integer"; readonly minimum: number; readonly maximum: number }
    | { readonly kind: "jwks" }
  );

/** What is wrong with a value, as the end of a sentence; undefined when nothing is. */
type Rule = (value: string) => string | undefined;

export const clientAuthenticationMethods = [
  "client_secret_basic",
  "client_secret_post",
  "private_key_jwt",
  "none",
] as const;

export const tokenExchangeModes = ["impersonation", "delegation"] as const;

const URI_LENGTH = 2048;
const DAY_SECONDS = 86_400;

/** Half a surrogate pair is no character: nothing shows it, and PostgreSQL stores it in no JSON. */
const printable: Rule = (value) =>
  /^[^\p{Cc}\p{Cs}\u2028\u2029]+$/u.test(value) && value.trim() !== "" ? undefined : "must be printable";
const scopeToken: Rule = (value) =>
  isScopeToken(value) ? undefined : "must be a scope token (RFC 6749 §3.3)";
const scopeText: Rule = (value) =>
  value.split(" ").every((token) => token === "" || isScopeToken(token))
    ? undefined
    : "must be scope tokens with spaces between them (RFC 6749 §3.3)";
const resourceIndicator: Rule = (value) =>
  URL.canParse(value) && !value.includes("#") && /^[\x21-\x7e]+$/.test(value)
    ? undefined
    : "must be an absolute URI without a fragment (RFC 8707 §2)";

/**
 * What is wrong with the address of something that this server or a browser will open. `http` stays for the developer's
 * own machine, where a certificate is not to be had; whether the server goes there is the outbound client's to say.
 */
export function webAddressProblem(value: string, { loopback }: { loopback: boolean }): string | undefined {
  const url = /^[\x21-\x7e]+$/.test(value) ? URL.parse(value) : null;
  const wrong = "must be an https URL without a user name, a password or a fragment";
  if (!url || url.username !== "" || url.password !== "" || value.includes("#")) return wrong;
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  return url.protocol === "https:" || (loopback && local && url.protocol === "http:") ? undefined : wrong;
}

const text = (
  maxLength: number,
  description: string,
  rule: Rule = printable,
): Extract<Member, { kind: "text" }> => ({
  kind: "text",
  maxLength,
  description,
  rule,
});
const address = (description: string): Member =>
  text(URI_LENGTH, description, (value) => webAddressProblem(value, { loopback: true }));
const algorithm = (description: string): Member => ({
  kind: "choice",
  values: signingAlgorithms,
  description,
});
const flag = (description: string): Member => ({ kind: "flag", description });
const seconds = (minimum: number, maximum: number, description: string): Member => ({
  kind: "integer",
  minimum,
  maximum,
  description: `${description}, in seconds`,
});
/** Redirect URIs have rules of their own, which depend on the kind of application. */
const redirects = (description: string): Member => ({
  kind: "texts",
  maxItems: 50,
  maxLength: URI_LENGTH,
  description,
});

/** What anybody may say of their own client: by registering it (RFC 7591) or in its metadata document. */
export const registrationMembers = {
  client_name: {
    ...text(128, "The name that people see"),
    message: "Must be 1 to 128 printable characters.",
  },
  client_uri: address("The application's home page"),
  logo_uri: address("Its logo"),
  policy_uri: address("Its privacy policy"),
  tos_uri: address("Its terms of service"),
  contacts: {
    kind: "texts",
    maxItems: 10,
    maxLength: 254,
    rule: printable,
    description: "Who is responsible for it, as email addresses",
  },
  application_type: {
    kind: "choice",
    values: ["web", "native"],
    description: "native: runs on the user's machine (RFC 8252)",
  },
  redirect_uris: redirects("Where codes may be sent, compared exactly"),
  post_logout_redirect_uris: redirects("Where browsers may be sent after signing out"),
  response_types: {
    kind: "texts",
    maxItems: 10,
    maxLength: 64,
    description: "Only `code`",
  },
  grant_types: { kind: "choices", values: grantTypes, description: "The grants that it uses" },
  scope: text(4096, "What it may ask for, with spaces in between", scopeText),
  token_endpoint_auth_method: {
    kind: "choice",
    values: clientAuthenticationMethods,
    description: "How it authenticates; `none`: a public client",
  },
  token_endpoint_auth_signing_alg: algorithm("Of its private_key_jwt assertions"),
  jwks: { kind: "jwks", description: "Its public keys (RFC 7517 §5); not together with jwks_uri" },
  jwks_uri: address("Where its public keys are; not together with jwks"),
  id_token_signed_response_alg: algorithm("Of its ID tokens"),
  userinfo_signed_response_alg: algorithm("Of its UserInfo answers, which are plain JSON without it"),
  authorization_signed_response_alg: algorithm("Of its JARM responses"),
  request_object_signing_alg: algorithm("Of its request objects (RFC 9101)"),
  require_signed_request_object: flag("Whether it only ever sends signed request objects (RFC 9101 §10.5)"),
  require_pushed_authorization_requests: flag("Whether it only ever pushes its requests (RFC 9126 §6)"),
  dpop_bound_access_tokens: flag("Whether its tokens are always bound to a key (RFC 9449 §5.2)"),
  subject_type: {
    kind: "choice",
    values: ["public", "pairwise"],
    description: "Whether a user has a `sub` of their own at this client (OpenID Connect Core §8)",
  },
  sector_identifier_uri: address("A JSON list of redirect URIs that share one pairwise `sub`"),
  default_max_age: seconds(0, 10 * 366 * DAY_SECONDS, "Oldest sign-in that is accepted"),
  default_acr_values: {
    kind: "texts",
    maxItems: 10,
    maxLength: 255,
    rule: printable,
    description: "Authentication contexts it wants, the preferred one first",
  },
  initiate_login_uri: address("Where a sign-in can be started from outside (OpenID Connect Core §4)"),
  backchannel_logout_uri: address("Where it is told that a session ended"),
  backchannel_logout_session_required: flag("Whether it needs `sid` in logout tokens"),
  software_id: text(255, "The software that it is an instance of"),
  software_version: text(255, "That software's version"),
} as const satisfies Record<string, Member>;

/** What only an administrator says of a client. */
export const administrativeMembers = {
  first_party: flag("One of your own: users are not asked for consent"),
  enabled: flag("Whether it can be used"),
  resources: {
    kind: "texts",
    maxItems: 50,
    maxLength: URI_LENGTH,
    rule: resourceIndicator,
    description: "Resource indicators that it may ask tokens for (RFC 8707)",
  },
  access_token_format: {
    kind: "choice",
    values: ["jwt", "opaque"],
    description: "opaque: resource servers have to ask by introspection",
  },
  access_token_signing_alg: algorithm("Of its access tokens"),
  access_token_lifetime: seconds(60, 3600, "Instead of the tenant's lifetime"),
  refresh_token_lifetime: seconds(60, 90 * DAY_SECONDS, "Instead of the tenant's lifetime"),
  id_token_lifetime: seconds(60, 3600, "Instead of the tenant's lifetime"),
  token_exchange_modes: {
    kind: "choices",
    values: tokenExchangeModes,
    description: "What it may ask for by token exchange (RFC 8693)",
  },
} as const satisfies Record<string, Member>;

export type MemberName = keyof typeof registrationMembers | keyof typeof administrativeMembers;

/** What is wrong with the value of one member, as a sentence that repeats nothing of it; undefined: nothing. */
export function memberProblem(member: Member, value: unknown): string | undefined {
  const message = messageOf(member);
  switch (member.kind) {
    case "text":
      return typeof value === "string" && isText(value, member) ? undefined : message;
    case "choice":
      return member.values.some((one) => one === value) ? undefined : message;
    case "texts":
      return isList(value) &&
        value.length <= member.maxItems &&
        value.every((one) => isText(one, { rule: undefined, ...member }))
        ? undefined
        : message;
    case "choices":
      return isList(value) && value.every((one) => member.values.includes(one)) ? undefined : message;
    case "flag":
      return typeof value === "boolean" ? undefined : message;
    case "integer":
      return Number.isInteger(value) && Number(value) >= member.minimum && Number(value) <= member.maximum
        ? undefined
        : message;
    case "jwks": {
      const problem = jwksProblem(value);
      return problem && `It ${problem}.`;
    }
  }
}

/** What a member has to be, as a sentence. */
export function messageOf(member: Member): string {
  switch (member.kind) {
    case "text":
      return member.message ?? sentence(`${ruleOf(member)}, of at most ${member.maxLength} characters`);
    case "choice":
      return `Must be one of ${member.values.join(", ")}.`;
    case "texts":
      return `At most ${member.maxItems} texts: each one ${ruleOf(member)}, of at most ${member.maxLength} characters.`;
    case "choices":
      return `Must be among ${member.values.join(", ")}.`;
    case "flag":
      return "Must be true or false.";
    case "integer":
      return `Must be an integer from ${member.minimum} to ${member.maximum}.`;
    case "jwks":
      return "Must be a JWK set of public keys (RFC 7517 §5).";
  }
}

/** The rule in words: every rule says the same of the empty text. */
const ruleOf = ({ rule }: { readonly rule?: Rule }) => rule?.("") ?? "must be a text";
const sentence = (words: string) => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;

function isText(
  value: string,
  member: { readonly maxLength: number; readonly rule?: Rule | undefined },
): boolean {
  return value.length <= member.maxLength && member.rule?.(value) === undefined;
}

function isList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

/** For what an administrator names: the scopes of a client as a list. */
export const scopesMember: Member = {
  kind: "texts",
  maxItems: 100,
  maxLength: 128,
  rule: scopeToken,
  description: "The scopes that it may ask for",
};
