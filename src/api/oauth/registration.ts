/** Dynamic client registration (RFC 7591) and its management (RFC 7592). */
import { Elysia, t } from "elysia";
import type { Deps } from "../../deps.ts";
import {
  deleteRegistration,
  registerClient,
  type Registration,
  requireRegistration,
  updateRegistration,
} from "../../domain/client-registration/service.ts";
import { issuerOf, type Tenant } from "../../domain/tenants/service.ts";
import { RegistrationRequest, RegistrationResponse } from "../../http/client-models.ts";
import { parseJson } from "../../http/json-body.ts";
import { bearerAuth, commonErrors, ErrorResponse } from "../../http/models.ts";
import { jsonRequestBody } from "../../http/oauth-models.ts";
import { requestScope } from "../../http/scope.ts";
import { textBody } from "../../http/text-body.ts";
import { toEpochSeconds } from "../../lib/clock.ts";
import { AppError, OAuthError } from "../../lib/errors.ts";
import { extractBearerToken } from "../../protocol/oauth/bearer.ts";
import { type ClientInformation, clientInformation } from "../../protocol/oauth/registration.ts";

/** RFC 7591 §3.2.1: the answer holds secrets. */
const noStore = { "cache-control": "no-store", pragma: "no-cache" };

const documentation = {
  parse: "text",
  response: { 200: RegistrationResponse, 401: ErrorResponse, ...commonErrors },
} as const;

export const registrationRoutes = (deps: Deps) =>
  new Elysia({ name: "oauth-registration", detail: { tags: ["Client registration"] } })
    .use(requestScope(deps))
    .post(
      "/oauth/register",
      async ({ request, body, tenant, context, set }) => {
        const registration = await registerClient(deps, tenant, {
          token: tokenOf(request),
          body: () => readBody(body),
          context,
        });
        Object.assign(set.headers, noStore);
        set.status = 201;
        return information(deps, tenant, registration);
      },
      {
        parse: "text",
        response: { 201: RegistrationResponse, 401: ErrorResponse, ...commonErrors },
        detail: {
          summary: "Register a client",
          description:
            "RFC 7591 §3. Where the tenant lets anybody register, or somebody with an initial access token; elsewhere there is no such path. Software statements are refused.",
          security: [{ bearer: [] }, {}],
          requestBody: jsonRequestBody(RegistrationRequest),
        },
      },
    )
    .get(
      "/oauth/register/:client_id",
      async ({ request, params, tenant, set }) => {
        Object.assign(set.headers, noStore);
        return information(deps, tenant, await registrationOf(deps, tenant, request, params.client_id));
      },
      {
        ...documentation,
        detail: {
          summary: "Read a registration",
          description: "RFC 7592 §2.1, with the registration access token. Secrets are not shown again.",
          security: bearerAuth,
        },
      },
    )
    .put(
      "/oauth/register/:client_id",
      async ({ request, params, body, tenant, context, set }) => {
        const registration = await registrationOf(deps, tenant, request, params.client_id);
        Object.assign(set.headers, noStore);
        const changed = await updateRegistration(deps, tenant, {
          registration,
          body: readBody(body),
          context,
        });
        return information(deps, tenant, changed);
      },
      {
        ...documentation,
        detail: {
          summary: "Replace a registration",
          description:
            "RFC 7592 §2.2: what is left out goes back to its default. The registration access token stays the same.",
          security: bearerAuth,
          requestBody: jsonRequestBody(RegistrationRequest),
        },
      },
    )
    .delete(
      "/oauth/register/:client_id",
      async ({ request, params, tenant, context, set }) => {
        const registration = await registrationOf(deps, tenant, request, params.client_id);
        await deleteRegistration(deps, tenant, registration, context);
        Object.assign(set.headers, noStore);
        set.status = 204;
        return undefined;
      },
      {
        response: { 204: t.Void({ description: "No content" }), 401: ErrorResponse, ...commonErrors },
        detail: {
          summary: "Delete a registration",
          description: "RFC 7592 §2.3: with every token and consent that the client was given.",
          security: bearerAuth,
        },
      },
    );

const tokenOf = (request: Request) => extractBearerToken(request.headers.get("authorization"));

function registrationOf(deps: Deps, tenant: Tenant, request: Request, clientId: string) {
  return requireRegistration(deps, tenant, { clientId, token: tokenOf(request) });
}

/** @throws OAuthError invalid_client_metadata, which this endpoint says where others say invalid_request */
function readBody(body: unknown): unknown {
  try {
    return parseJson(textBody(body));
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    throw new OAuthError("invalid_client_metadata", cause.message, { cause });
  }
}

function information(
  deps: Deps,
  tenant: Tenant,
  { client, clientSecret, registrationAccessToken }: Registration,
): ClientInformation {
  const issuer = issuerOf(tenant, deps.config.publicUrl);
  return clientInformation({
    clientId: client.clientId,
    issuedAtSeconds: toEpochSeconds(client.createdAt),
    metadata: client,
    secret: clientSecret,
    registrationAccessToken,
    registrationClientUri: `${issuer}/oauth/register/${client.clientId}`,
  });
}
