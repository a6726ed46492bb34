/** Authenticator apps: setting one up, removing it, and signing in with its codes. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { completeNative } from "../../domain/accounts/complete-sign-in.ts";
import { stepUpByFactor } from "../../domain/accounts/step-up.ts";
import {
  disableTotp,
  finishTotpSetup,
  needToChangeFactors,
  requireAllowed,
} from "../../domain/mfa/factors.ts";
import { codeProver } from "../../domain/mfa/second-factor.ts";
import { beginTotpSetup } from "../../domain/mfa/totp/service.ts";
import { requireName } from "../../domain/passkeys/service.ts";
import { requireFreshAuthentication } from "../../domain/sessions/fresh.ts";
import { jsonBody, optionalJsonBody } from "../../http/json-body.ts";
import { bearerAuth, commonErrors, ErrorResponse, MessageResponse, publicRoute } from "../../http/models.ts";
import { requestScope } from "../../http/scope.ts";
import * as models from "./mfa-models.ts";
import { addFactorOf, enrolmentScope, factorScope } from "./mfa-scope.ts";
import { noStore } from "./no-store.ts";

const errors = {
  401: ErrorResponse,
  403: ErrorResponse,
  409: ErrorResponse,
  422: ErrorResponse,
  ...commonErrors,
};

const FRESH =
  "Needs a sign-in of the last 15 minutes, with a second factor for who has one: else 401 `insufficient_user_authentication` (RFC 9470).";

const enrolment = (deps: Deps) =>
  new Elysia({ name: "native-totp-enrolment", detail: { tags: ["MFA"], security: bearerAuth } })
    .use(enrolmentScope(deps))
    .post(
      "/mfa/totp/enroll",
      async ({ body, tenant, enroller, set }) => {
        Object.assign(set.headers, noStore);
        requireAllowed(tenant, "totp");
        const name = body.name;
        if (name !== undefined) requireName(name);
        const setup = await beginTotpSetup(deps, tenant, enroller.user, {
          name,
          begunBy: enroller.kind === "session" ? enroller.session.id : enroller.loginId,
        });
        return {
          secret: setup.secret,
          provisioning_uri: setup.provisioningUri,
          device_id: setup.deviceId,
          qr_code: setup.qrCode,
          qr_svg: setup.qrSvg,
        };
      },
      {
        parse: optionalJsonBody,
        body: models.EnrollTotpRequest,
        response: { 200: models.EnrollTotpResponse, ...errors },
        detail: {
          summary: "Begin to set up an authenticator app",
          description: `${FRESH} Without a name it is for who has no app yet: else 409 \`mfa_already_enabled\`. With a name it adds a further one, unless there is one of that name.`,
        },
      },
    )
    .post(
      "/mfa/totp/verify-setup",
      async ({ body, tenant, context, enroller, set }) => {
        Object.assign(set.headers, noStore);
        const { backupCodes, signIn } = await addFactorOf(
          deps,
          tenant,
          enroller,
          (user) => finishTotpSetup(deps, user, body.code, body.device_id),
          context,
        );
        return {
          message: "The authenticator app is set up.",
          backup_codes: [...backupCodes],
          ...(signIn ? models.signedInResponse(signIn) : {}),
        };
      },
      {
        parse: jsonBody,
        body: models.VerifySetupRequest,
        response: { 200: models.VerifySetupResponse, ...errors },
        detail: {
          summary: "Finish setting up an authenticator app, with a code of it",
          description:
            "Answers ten backup codes with the first factor, shown this once. Who had to set up a factor to sign in gets the tokens of /login with them.",
        },
      },
    );

const removal = (deps: Deps) =>
  new Elysia({ name: "native-totp-removal", detail: { tags: ["MFA"], security: bearerAuth } })
    .use(factorScope(deps))
    .post(
      "/mfa/totp/disable",
      async ({ body, tenant, context, user, access }) => {
        if (body.code !== undefined && access.sessionId) {
          const owner = { user, sessionId: access.sessionId };
          await stepUpByFactor(deps, tenant, owner, codeProver(body.code), context);
        }
        const need = await needToChangeFactors(deps, tenant, user);
        await requireFreshAuthentication(deps, tenant.id, access, need);
        await disableTotp(deps, tenant, user, body.device_id, context);
        return { message: "The authenticator app was removed." };
      },
      {
        parse: optionalJsonBody,
        body: models.DisableTotpRequest,
        response: { 200: MessageResponse, ...errors },
        detail: {
          summary: "Remove an authenticator app, or all of them",
          description: `A \`code\` is proof enough. ${FRESH} All trusted devices are forgotten.`,
        },
      },
    );

const signIn = (deps: Deps) =>
  new Elysia({ name: "native-totp-sign-in", detail: { tags: ["MFA"], security: publicRoute } })
    .use(requestScope(deps))
    .post(
      "/mfa/totp/verify",
      async ({ body, tenant, context, set }) => {
        Object.assign(set.headers, noStore);
        const signedIn = await completeNative(deps, tenant, {
          token: body.mfa_token,
          proverFor: () => codeProver(body.code),
          trustDevice: body.trust_device ?? false,
          context,
        });
        return models.signedInResponse(signedIn);
      },
      {
        parse: jsonBody,
        body: models.VerifyTotpRequest,
        response: {
          200: models.SignedInResponse,
          401: ErrorResponse,
          422: ErrorResponse,
          ...commonErrors,
        },
        detail: {
          summary: "Sign in with a code of an authenticator app, or a backup code",
          description: "Each code works once.",
        },
      },
    );

export const totpRoutes = (deps: Deps) =>
  new Elysia({ name: "native-totp" }).use(enrolment(deps)).use(removal(deps)).use(signIn(deps));
