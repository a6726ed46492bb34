/** Passkeys and security keys: registering and managing them, and signing in with them. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../deps.ts";
import { completeNative } from "../../domain/accounts/complete-sign-in.ts";
import { signInNativeByPasskey } from "../../domain/accounts/passkey-sign-in.ts";
import { stepUpByFactor } from "../../domain/accounts/step-up.ts";
import { needToChangeFactors, requireAllowed } from "../../domain/mfa/factors.ts";
import { requirePendingLogin } from "../../domain/mfa/pending-login.ts";
import { beginAssertion, passkeyProver } from "../../domain/passkeys/assertions.ts";
import {
  beginRegistration,
  finishRegistration,
  listPasskeys,
  removePasskey,
  renamePasskey,
} from "../../domain/passkeys/service.ts";
import { requireFreshAuthentication } from "../../domain/sessions/fresh.ts";
import { jsonBody, optionalJsonBody } from "../../http/json-body.ts";
import { bearerAuth, commonErrors, ErrorResponse, publicRoute } from "../../http/models.ts";
import { requestScope } from "../../http/scope.ts";
import {
  assertionResponse,
  AuthenticationResponse,
  CreationOptions,
  registrationResponse,
  RegistrationResponse,
  RequestOptions,
} from "../../http/webauthn-models.ts";
import * as models from "./mfa-models.ts";
import { addFactorOf, enrolmentScope, factorScope, requireSessionId } from "./mfa-scope.ts";
import { Nothing } from "./models.ts";
import { noStore } from "./no-store.ts";

const errors = {
  401: ErrorResponse,
  403: ErrorResponse,
  409: ErrorResponse,
  422: ErrorResponse,
  ...commonErrors,
};

const registration = (deps: Deps) =>
  new Elysia({ name: "native-webauthn-registration", detail: { tags: ["MFA"], security: bearerAuth } })
    .use(enrolmentScope(deps))
    .post(
      "/mfa/webauthn/register/begin",
      async ({ tenant, enroller, set }) => {
        Object.assign(set.headers, noStore);
        requireAllowed(tenant, "webauthn");
        return beginRegistration(deps, tenant, enroller.user);
      },
      {
        parse: optionalJsonBody,
        response: { 200: CreationOptions, ...errors },
        detail: {
          summary: "Begin to register a passkey",
          description:
            "Needs a sign-in of the last 15 minutes, with a second factor for who has one: else 401 `insufficient_user_authentication` (RFC 9470). The challenge works for 5 minutes, once.",
        },
      },
    )
    .post(
      "/mfa/webauthn/register/complete",
      async ({ body, query, tenant, context, enroller, set }) => {
        Object.assign(set.headers, noStore);
        let credentialId = "";
        const response = registrationResponse(body);
        const { backupCodes, signIn } = await addFactorOf(
          deps,
          tenant,
          enroller,
          async (user) => {
            const factor = await finishRegistration(deps, tenant, user, response, query.name);
            credentialId = factor.passkeyId;
            return factor;
          },
          context,
        );
        return {
          message: "The passkey is registered.",
          credential_id: credentialId,
          backup_codes: [...backupCodes],
          ...(signIn ? models.signedInResponse(signIn) : {}),
        };
      },
      {
        parse: jsonBody,
        body: RegistrationResponse,
        query: t.Object({ name: t.Optional(models.DisplayName) }),
        response: { 200: models.RegisteredResponse, ...errors },
        detail: {
          summary: "Finish registering a passkey",
          description:
            "Answers ten backup codes with the first factor, shown this once. Who had to set up a factor to sign in gets the tokens of /login with them.",
        },
      },
    );

const Id = t.Object({ id: t.String({ maxLength: 64 }) });

const management = (deps: Deps) =>
  new Elysia({ name: "native-webauthn-management", detail: { tags: ["MFA"], security: bearerAuth } })
    .use(factorScope(deps))
    .get(
      "/mfa/webauthn/credentials",
      async ({ user }) => ({
        credentials: (await listPasskeys(deps, user)).map(models.credentialResponse),
      }),
      {
        response: { 200: models.CredentialsResponse, ...errors },
        detail: { summary: "The user's passkeys", description: "The oldest first." },
      },
    )
    .patch(
      "/mfa/webauthn/credentials/:id",
      async ({ params, body, user, context }) =>
        models.credentialResponse(await renamePasskey(deps, user, params.id, body.name, context)),
      {
        parse: jsonBody,
        params: Id,
        body: t.Object({ name: models.DisplayName }),
        response: { 200: models.CredentialResponse, ...errors },
        detail: { summary: "Rename a passkey" },
      },
    )
    .delete(
      "/mfa/webauthn/credentials/:id",
      async ({ params, tenant, user, access, context, status }) => {
        const need = await needToChangeFactors(deps, tenant, user);
        await requireFreshAuthentication(deps, tenant.id, access, need);
        await removePasskey(deps, tenant, user, params.id, context);
        return status(204, undefined);
      },
      {
        params: Id,
        response: { 204: Nothing, ...errors },
        detail: {
          summary: "Remove a passkey",
          description:
            "Needs a sign-in of the last 15 minutes with a second factor: else 401 `insufficient_user_authentication` (RFC 9470). All trusted devices are forgotten.",
        },
      },
    )
    .post(
      "/mfa/webauthn/step-up/begin",
      async ({ tenant, user, access, set }) => {
        Object.assign(set.headers, noStore);
        return beginAssertion(deps, tenant, user, requireSessionId(access));
      },
      {
        parse: optionalJsonBody,
        response: { 200: RequestOptions, ...errors },
        detail: { summary: "Begin to prove a passkey again, within a session" },
      },
    )
    .post(
      "/mfa/webauthn/step-up/complete",
      async ({ body, tenant, user, access, context, set }) => {
        Object.assign(set.headers, noStore);
        const sessionId = requireSessionId(access);
        const prover = passkeyProver(assertionResponse(body), sessionId, context);
        return models.stepUpResponse(
          await stepUpByFactor(deps, tenant, { user, sessionId }, prover, context),
        );
      },
      {
        parse: jsonBody,
        body: AuthenticationResponse,
        response: { 200: models.StepUpResponse, ...errors },
        detail: { summary: "Prove a passkey again, within a session" },
      },
    );

const signIn = (deps: Deps) =>
  new Elysia({ name: "native-webauthn-sign-in", detail: { tags: ["MFA"], security: publicRoute } })
    .use(requestScope(deps))
    .post(
      "/mfa/webauthn/login/begin",
      async ({ body, tenant, set }) => {
        Object.assign(set.headers, noStore);
        if (body.mfa_token === undefined) return beginAssertion(deps, tenant, undefined, "sign_in");
        const wanted = { purpose: "verify", surface: "native" } as const;
        const login = await requirePendingLogin(deps, tenant, body.mfa_token, wanted);
        return beginAssertion(deps, tenant, login.user, login.id);
      },
      {
        parse: jsonBody,
        body: t.Object({ mfa_token: t.Optional(models.MfaToken) }),
        response: { 200: RequestOptions, 401: ErrorResponse, 422: ErrorResponse, ...commonErrors },
        detail: {
          summary: "Begin to sign in with a passkey",
          description:
            "With an `mfa_token`, as the second factor of that sign-in; without one, with the passkey alone. The challenge works for 5 minutes, once.",
        },
      },
    )
    .post(
      "/mfa/webauthn/login/complete",
      async ({ body, query, tenant, context, set }) => {
        Object.assign(set.headers, noStore);
        const response = assertionResponse(body);
        const { mfa_token: token, trust_device: trust } = query;
        if (token === undefined)
          return models.signInAnswer(await signInNativeByPasskey(deps, tenant, response, context));
        const signedIn = await completeNative(deps, tenant, {
          token,
          proverFor: (login) => passkeyProver(response, login.id, context),
          trustDevice: trust === "true",
          context,
        });
        return models.signedInResponse(signedIn);
      },
      {
        parse: jsonBody,
        body: AuthenticationResponse,
        query: t.Object({
          mfa_token: t.Optional(models.MfaToken),
          trust_device: t.Optional(t.Union([t.Literal("true"), t.Literal("false")])),
        }),
        response: {
          200: models.LoginAnswer,
          401: ErrorResponse,
          403: ErrorResponse,
          422: ErrorResponse,
          ...commonErrors,
        },
        detail: {
          summary: "Sign in with a passkey",
          description:
            "A passkey that verified its user is two factors by itself. One that did not is one, and is answered with `mfa_required` where another has to follow.",
        },
      },
    );

export const webauthnRoutes = (deps: Deps) =>
  new Elysia({ name: "native-webauthn" }).use(registration(deps)).use(management(deps)).use(signIn(deps));
