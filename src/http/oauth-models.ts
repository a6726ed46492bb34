/** OAuth requests in the API description. They are forms and queries that `protocol/oauth` reads and checks itself. */
import type { TObject } from "@sinclair/typebox";
import { t } from "elysia";
import type { OpenAPIV3 } from "openapi-types";
import { responseModes } from "../protocol/oauth/authorization-error.ts";
import { grantTypes } from "../protocol/oauth/token-request.ts";

export const AuthorizationParameters = t.Object({
  client_id: t.String(),
  redirect_uri: t.String({ format: "uri" }),
  response_type: t.Literal("code"),
  state: t.String(),
  code_challenge: t.String({ description: "RFC 7636: BASE64URL(SHA256(code_verifier))" }),
  code_challenge_method: t.Literal("S256"),
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
});

export const TokenParameters = t.Object({
  grant_type: t.String({ enum: [...grantTypes] }),
  code: t.Optional(t.String()),
  redirect_uri: t.Optional(t.String()),
  code_verifier: t.Optional(t.String()),
  refresh_token: t.Optional(t.String()),
  scope: t.Optional(t.String()),
  client_id: t.Optional(t.String()),
  client_secret: t.Optional(t.String()),
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

/** OpenAPI query parameters, from the same kind of model. */
export const queryParameters = (model: Model): OpenAPIV3.ParameterObject[] =>
  Object.entries(jsonSchema(model).properties ?? {}).map(([name, schema]) => ({
    name,
    in: "query",
    required: model.required?.some((required) => required === name) ?? false,
    schema,
  }));
