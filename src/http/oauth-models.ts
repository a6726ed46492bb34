/** OAuth requests in the API description. They are forms and queries that `protocol/oauth` reads and checks itself. */
import type { TObject } from "@sinclair/typebox";
import { t } from "elysia";
import type { OpenAPIV3 } from "openapi-types";
import { responseModes } from "../protocol/oauth/authorization-error.ts";
import { grantTypes } from "../protocol/oauth/token-request.ts";

const resource = t.Optional(
  t.Array(t.String({ format: "uri" }), { description: "RFC 8707. May be sent several times." }),
);

/** Of an authorization request. Which are required depends on how it comes: they may be in a request object. */
const requestParameters = {
  redirect_uri: t.Optional(t.String({ format: "uri" })),
  response_type: t.Optional(t.Literal("code")),
  state: t.Optional(t.String()),
  code_challenge: t.Optional(t.String({ description: "RFC 7636: BASE64URL(SHA256(code_verifier))" })),
  code_challenge_method: t.Optional(t.Literal("S256")),
  scope: t.Optional(t.String({ examples: ["openid profile email offline_access"] })),
  response_mode: t.Optional(t.String({ enum: [...responseModes] })),
  nonce: t.Optional(t.String()),
  prompt: t.Optional(t.String({ description: "none, login, consent, select_account, create" })),
  max_age: t.Optional(t.String({ description: "Seconds" })),
  acr_values: t.Optional(t.String()),
  login_hint: t.Optional(t.String()),
  id_token_hint: t.Optional(t.String()),
  ui_locales: t.Optional(t.String()),
  claims: t.Optional(t.String()),
  resource,
  dpop_jkt: t.Optional(t.String({ description: "RFC 9449 §10" })),
  request: t.Optional(t.String({ description: "RFC 9101: the other parameters, as a signed JWT" })),
};

export const AuthorizationParameters = t.Object({
  client_id: t.String(),
  request_uri: t.Optional(t.String({ description: "RFC 9126: of a pushed request, instead of the rest" })),
  ...requestParameters,
});

/** How a client says who it is, where it does not use HTTP Basic (RFC 6749 §2.3.1, RFC 7523 §2.2). */
const clientCredentials = {
  client_id: t.Optional(t.String()),
  client_secret: t.Optional(t.String()),
  client_assertion_type: t.Optional(
    t.String({ examples: ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"] }),
  ),
  client_assertion: t.Optional(
    t.String({ description: "A JWT that the client signed, for this issuer alone" }),
  ),
};

export const PushedAuthorizationParameters = t.Object({ ...requestParameters, ...clientCredentials });

export const TokenParameters = t.Object({
  grant_type: t.String({ enum: [...grantTypes] }),
  code: t.Optional(t.String()),
  redirect_uri: t.Optional(t.String()),
  code_verifier: t.Optional(t.String()),
  refresh_token: t.Optional(t.String()),
  device_code: t.Optional(t.String({ description: "RFC 8628 §3.4" })),
  assertion: t.Optional(t.String({ description: "RFC 7523 §2.1" })),
  subject_token: t.Optional(t.String({ description: "RFC 8693 §2.1" })),
  subject_token_type: t.Optional(t.String()),
  actor_token: t.Optional(t.String()),
  actor_token_type: t.Optional(t.String()),
  requested_token_type: t.Optional(t.String()),
  audience: t.Optional(t.Array(t.String(), { description: "RFC 8693 §2.1. May be sent several times." })),
  scope: t.Optional(t.String()),
  resource,
  ...clientCredentials,
});

export const DeviceAuthorizationParameters = t.Object({
  scope: t.Optional(t.String()),
  resource,
  ...clientCredentials,
});

/** Of introspection (RFC 7662 §2.1) and revocation (RFC 7009 §2.1). */
export const PresentedTokenParameters = t.Object({
  token: t.String(),
  token_type_hint: t.Optional(
    t.String({ description: "access_token or refresh_token. Our tokens tell by themselves what they are." }),
  ),
  ...clientCredentials,
});

/** OpenID Connect RP-Initiated Logout §2. */
export const LogoutParameters = t.Object({
  id_token_hint: t.Optional(
    t.String({ description: "An ID token that the client was given; it may have expired" }),
  ),
  client_id: t.Optional(t.String()),
  post_logout_redirect_uri: t.Optional(t.String({ description: "One that the client registered" })),
  state: t.Optional(t.String({ description: "Sent back to the client" })),
  logout_hint: t.Optional(t.String({ description: "Not used: whoever is asked is shown who they are" })),
  ui_locales: t.Optional(t.String()),
});

/** RFC 6750 §2.2. */
export const BearerParameters = t.Object({
  access_token: t.Optional(t.String({ description: "Instead of the Authorization header" })),
});

type Model = TObject;

/** A model as plain JSON Schema, which is what OpenAPI is written in. */
const jsonSchema = (model: Model): OpenAPIV3.SchemaObject => JSON.parse(JSON.stringify(model));

/** An OpenAPI request body for a form that is validated by the protocol's own rules. */
export const formBody = (model: Model, { required } = { required: true }): OpenAPIV3.RequestBodyObject => ({
  required,
  content: { "application/x-www-form-urlencoded": { schema: jsonSchema(model) } },
});

/** The same, for a body of JSON. */
export const jsonRequestBody = (model: Model): OpenAPIV3.RequestBodyObject => ({
  required: true,
  content: { "application/json": { schema: jsonSchema(model) } },
});

/** OpenAPI query parameters, from the same kind of model. */
export const queryParameters = (model: Model): OpenAPIV3.ParameterObject[] =>
  Object.entries(jsonSchema(model).properties ?? {}).map(([name, schema]) => ({
    name,
    in: "query",
    required: model.required?.some((required) => required === name) ?? false,
    schema,
  }));
