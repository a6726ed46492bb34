import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { startDeviceAuthorization } from "../../domain/device/service.ts";
import { issuerOf } from "../../domain/tenants/service.ts";
import { commonErrors, ErrorResponse } from "../../http/models.ts";
import { DeviceAuthorizationParameters, formBody } from "../../http/oauth-models.ts";
import { requestScope } from "../../http/scope.ts";
import { OAuthError } from "../../lib/errors.ts";
import { DEVICE_CODE } from "../../protocol/oauth/grants/device-code.ts";
import { singleValued } from "../../protocol/oauth/parameters.ts";
import { requestedResources } from "../../protocol/oauth/resource.ts";
import { authorizableScope, parseScope } from "../../protocol/oauth/scope.ts";
import { tokenResponseHeaders } from "../../protocol/oauth/token-response.ts";
import { requireClient, requestableResources } from "./client-authentication.ts";
import { proveKey } from "./dpop.ts";
import { readForm } from "./form.ts";
import { backChannelSecurity, DeviceAuthorizationResponse } from "./models.ts";

/** The device authorization endpoint (RFC 8628 §3.1). The page that a person opens is one of the hosted pages. */
export const deviceAuthorizationRoutes = (deps: Deps) =>
  new Elysia({ name: "oauth-device-authorization", detail: { tags: ["OAuth"] } })
    .use(requestScope(deps))
    .post(
      "/oauth/device_authorization",
      async ({ request, body, tenant, context, set }) => {
        const parameters = singleValued(readForm(request, body));
        const proof = proveKey(deps, { tenant, request, set });
        const client = await requireClient(deps, { tenant, request, parameters });
        const dpopJkt = await proof?.useOnce();
        if (!client.grantTypes.includes(DEVICE_CODE)) {
          throw new OAuthError("unauthorized_client", "The client may not use this grant type.");
        }
        const started = await startDeviceAuthorization(deps, {
          tenant,
          client,
          scope: authorizableScope(parseScope(parameters.get("scope")), client),
          resources: requestedResources(parameters, requestableResources(deps, tenant, client)),
          dpopJkt,
          context,
        });
        Object.assign(set.headers, tokenResponseHeaders);
        const verificationUri = `${issuerOf(tenant, deps.config.publicUrl)}/device`;
        return {
          device_code: started.deviceCode,
          user_code: started.userCode,
          verification_uri: verificationUri,
          verification_uri_complete: `${verificationUri}?${new URLSearchParams({ user_code: started.userCode })}`,
          expires_in: started.expiresInSeconds,
          interval: started.intervalSeconds,
        };
      },
      {
        parse: "text",
        response: { 200: DeviceAuthorizationResponse, 401: ErrorResponse, ...commonErrors },
        detail: {
          summary: "Begin a device's sign-in",
          description: "RFC 8628 §3.1. The device shows the user code, and polls the token endpoint.",
          security: backChannelSecurity,
          requestBody: formBody(DeviceAuthorizationParameters),
        },
      },
    );
