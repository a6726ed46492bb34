/** A connection to an OAuth 2.0 server that says who somebody is by an API of its own. */
import { type Static, Type } from "@sinclair/typebox";
import { Address, AuthorizationParameters, Closed, Identifier, OneOf, Scopes, Secret } from "./members.ts";

export const Oauth2Config = Closed({
  authorization_endpoint: Address("Where people sign in"),
  token_endpoint: Address("Where codes are exchanged"),
  token_endpoint_auth_method: OneOf(
    ["client_secret_basic", "client_secret_post", "none"],
    "How we authenticate there",
  ),
  userinfo_endpoint: Address("What says who somebody is, as JSON"),
  userinfo_method: OneOf(["GET", "POST"], "How it is asked"),
  userinfo_auth: OneOf(["header", "query"], "Where the access token goes: `Authorization` or `access_token`"),
  /** A list of `{email, primary, verified}`, as GitHub's: the primary one becomes `email` and `email_verified`. */
  emails_endpoint: Type.Optional(Address("A list of {email, primary, verified}, as GitHub's /user/emails")),
  revocation_endpoint: Type.Optional(Address("Where tokens are revoked (RFC 7009)")),
  client_id: Identifier("Our client_id there"),
  scopes: Scopes,
  pkce: Type.Boolean({ description: "Whether PKCE is used (RFC 7636)" }),
  authorization_parameters: Type.Optional(AuthorizationParameters),
  keep_tokens: Type.Optional(
    Type.Boolean({
      description: "Whether its tokens are kept, sealed, for as long as somebody is linked to it",
    }),
  ),
});
export type Oauth2Config = Static<typeof Oauth2Config>;

export const Oauth2Secrets = Closed({
  client_secret: Type.Optional(Secret("Our client_secret there")),
});
export type Oauth2Secrets = Static<typeof Oauth2Secrets>;

export const oauth2Defaults: Partial<Oauth2Config> = {
  scopes: [],
  token_endpoint_auth_method: "client_secret_basic",
  userinfo_method: "GET",
  userinfo_auth: "header",
  pkce: true,
};
