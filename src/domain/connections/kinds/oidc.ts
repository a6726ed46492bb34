/** A connection to an OpenID provider. */
import { type Static, Type } from "@sinclair/typebox";
import { Address, AuthorizationParameters, Closed, Identifier, OneOf, Scopes, Secret } from "./members.ts";

export const tokenEndpointAuthMethods = [
  "client_secret_basic",
  "client_secret_post",
  "private_key_jwt",
  "none",
] as const;

const UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$";

export const OidcConfig = Closed({
  issuer: Address("Its issuer identifier; with discovery, where its metadata is found"),
  /**
   * For a provider of many directories whose metadata names none of them (Microsoft's `{tenantid}`): the ID token's `iss`
   * is this with the token's own `tid` in place of `{tenantid}`.
   */
  issuer_template: Type.Optional(
    Type.String({
      maxLength: 2048,
      pattern: "^https://[A-Za-z0-9.:-]+/[A-Za-z0-9._~/-]*\\{tenantid\\}[A-Za-z0-9._~/-]*$",
      description: "The `iss` of its ID tokens, with {tenantid} for their `tid`",
      "x-message": "Must be an https URL with {tenantid} in its path.",
    }),
  ),
  /** With issuer_template: the directories (`tid`) whose people may sign in; all of them, if left out. */
  allowed_tenant_ids: Type.Optional(
    Type.Array(Type.String({ pattern: UUID, "x-message": "Must be a UUID, in lower case." }), {
      maxItems: 100,
      description: "The directories (`tid`) whose people may sign in; all of them, if left out",
    }),
  ),
  client_id: Identifier("Our client_id there"),
  scopes: Scopes,
  token_endpoint_auth_method: OneOf(tokenEndpointAuthMethods, "How we authenticate there"),
  response_mode: Type.Optional(OneOf(["query", "form_post"], "How it sends the code back")),
  prompt: Type.Optional(Identifier("`prompt` of every request", 64)),
  /** Whether its endpoints are read from `/.well-known/openid-configuration`; otherwise they are said here. */
  discovery: Type.Boolean({ description: "Whether its endpoints are found by OpenID Connect Discovery" }),
  authorization_endpoint: Type.Optional(Address("Where people sign in; instead of the discovered one")),
  token_endpoint: Type.Optional(Address("Where codes are exchanged; instead of the discovered one")),
  userinfo_endpoint: Type.Optional(Address("Where claims are asked for; instead of the discovered one")),
  jwks_uri: Type.Optional(Address("Where its keys are; instead of the discovered one")),
  revocation_endpoint: Type.Optional(
    Address("Where tokens are revoked (RFC 7009); instead of the discovered"),
  ),
  id_token_signed_response_alg: Type.Optional(
    OneOf(
      ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"],
      "Of its ID tokens; RS256, if left out",
    ),
  ),
  /** Whether claims are asked for at its UserInfo endpoint too; a `sub` that differs from the ID token's is refused. */
  fetch_userinfo: Type.Boolean({ description: "Whether its UserInfo endpoint is asked too" }),
  /** Some providers fail over `code_challenge` or leave `nonce` out of their ID tokens. */
  pkce: Type.Boolean({ default: true, description: "Whether PKCE is used (RFC 7636)" }),
  nonce: Type.Boolean({
    default: true,
    description: "Whether its ID tokens carry the `nonce` of the request",
  }),
  authorization_parameters: Type.Optional(AuthorizationParameters),
  keep_tokens: Type.Optional(
    Type.Boolean({
      description: "Whether its tokens are kept, sealed, for as long as somebody is linked to it",
    }),
  ),
  /** Apple's: the client secret is a JWT that is signed with `private_key`. */
  team_id: Type.Optional(Identifier("Apple's team: `iss` of the client secret", 64)),
  key_id: Type.Optional(Identifier("`kid` of private_key", 256)),
});
export type OidcConfig = Static<typeof OidcConfig>;

export const OidcSecrets = Closed({
  client_secret: Type.Optional(Secret("Our client_secret there")),
  private_key: Type.Optional(
    Secret("PKCS #8, PEM: signs Apple's client secret, or our private_key_jwt", 8192),
  ),
});
export type OidcSecrets = Static<typeof OidcSecrets>;

export const oidcDefaults: Partial<OidcConfig> = {
  scopes: ["openid", "profile", "email"],
  token_endpoint_auth_method: "client_secret_basic",
  discovery: true,
  fetch_userinfo: false,
  pkce: true,
  nonce: true,
};
