/** Registration, sign-in, tokens, password reset and email verification: the account half of the native surface. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { requestEmailVerification } from "../../domain/accounts/email-verification.ts";
import { requestPasswordReset, resetPassword } from "../../domain/accounts/password-reset.ts";
import { register } from "../../domain/accounts/registration.ts";
import { refreshNative, signOutNative } from "../../domain/accounts/native-tokens.ts";
import { signInNative } from "../../domain/accounts/sign-in.ts";
import { passwordProblem } from "../../domain/passwords/service.ts";
import type { Tenant } from "../../domain/tenants/service.ts";
import { noteProblems } from "../../http/errors.ts";
import { answeredBefore } from "../../http/idempotency.ts";
import { jsonBody } from "../../http/json-body.ts";
import { networkOf } from "../../lib/network.ts";
import { bearerAuth, commonErrors, ErrorResponse, MessageResponse, publicRoute } from "../../http/models.ts";
import { requestScope, profileScope } from "../../http/scope.ts";
import type { FieldError } from "../../lib/errors.ts";
import { LoginAnswer, signInAnswer } from "./mfa-models.ts";
import { meAnswer } from "./me-answer.ts";
import * as models from "./models.ts";
import { noStore } from "./no-store.ts";

function policyProblems(body: unknown, tenant: Tenant): FieldError[] {
  const password =
    typeof body === "object" && body !== null && "password" in body ? body.password : undefined;
  if (typeof password !== "string") return [];
  const message = passwordProblem(password, tenant.settings);
  return message ? [{ field: "password", message }] : [];
}

/** Who is known by nothing but where they come from. */
const strangerAt = (ip: string | undefined) => `stranger ${networkOf(ip ?? "unknown")}`;

const registration = (deps: Deps) =>
  new Elysia({ name: "native-registration", detail: { tags: ["Account"], security: publicRoute } })
    .use(requestScope(deps))
    .onBeforeHandle(({ request, tenant, context }) =>
      answeredBefore(deps, request, { tenantId: tenant.id, principal: strangerAt(context.ip) }),
    )
    .post(
      "/register",
      async ({ body, tenant, context, status }) => {
        const user = await register(
          deps,
          tenant,
          { ...body, givenName: body.given_name, familyName: body.family_name },
          context,
        );
        return status(201, models.userResponse(user));
      },
      {
        parse: jsonBody,
        body: models.RegisterRequest,
        // Runs before the schema, whose problems it joins: all that is wrong is told at once, the tenant's password
        // policy too.
        transform: ({ request, body, tenant }) => noteProblems(request, policyProblems(body, tenant)),
        response: {
          201: models.UserResponse,
          403: ErrorResponse,
          409: ErrorResponse,
          422: ErrorResponse,
          ...commonErrors,
        },
        detail: {
          summary: "Register a user",
          description:
            "Sends a mail that verifies the address. An address that has an account already is answered as a new one; its owner is told by mail.",
        },
      },
    );

const publicAccount = (deps: Deps) =>
  new Elysia({ name: "native-account-public", detail: { tags: ["Account"], security: publicRoute } })
    .use(requestScope(deps))
    .post(
      "/login",
      async ({ body, tenant, context, set }) => {
        Object.assign(set.headers, noStore);
        const { device_token: deviceToken, ...credentials } = body;
        return signInAnswer(await signInNative(deps, tenant, { ...credentials, deviceToken }, context));
      },
      {
        parse: jsonBody,
        body: models.LoginRequest,
        response: {
          200: LoginAnswer,
          401: ErrorResponse,
          403: ErrorResponse,
          409: ErrorResponse,
          422: ErrorResponse,
          502: ErrorResponse,
          ...commonErrors,
        },
        detail: {
          summary: "Sign in with a password",
          description:
            "Answers tokens, or, for who has to prove a second factor, `mfa_required` with an `mfa_token` for the routes under `/mfa`. Where a second factor is required and none is set up, it answers `mfa_enrollment_required`: its token is the Bearer token of the routes that set one up, and of no other.",
        },
      },
    )
    .post(
      "/logout",
      async ({ body, tenant, context, status }) => {
        await signOutNative(deps, tenant, body.refresh_token, context);
        return status(204, undefined);
      },
      {
        parse: jsonBody,
        body: models.RefreshRequest,
        response: { 204: models.Nothing, 422: ErrorResponse, ...commonErrors },
        detail: {
          summary: "Sign out",
          description:
            "Ends the session that the refresh token belongs to. Always 204: a token that does not work any more is as good as signed out.",
        },
      },
    )
    .post(
      "/token/refresh",
      async ({ body, tenant, context, set }) => {
        Object.assign(set.headers, noStore);
        return refreshNative(deps, tenant, body.refresh_token, context);
      },
      {
        parse: jsonBody,
        body: models.RefreshRequest,
        response: { 200: models.TokenPairResponse, 401: ErrorResponse, 422: ErrorResponse, ...commonErrors },
        detail: {
          summary: "Exchange a refresh token",
          description:
            "Each refresh token works once. The same one sent again within 10 seconds gets the same answer; later it ends the session.",
        },
      },
    )
    .post(
      "/forgot-password",
      async ({ body, tenant, context }) => {
        await requestPasswordReset(deps, tenant, body.email, context);
        return { message: "If an account with this address exists, a mail with a link is on its way." };
      },
      {
        parse: jsonBody,
        body: models.EmailRequest,
        response: { 200: MessageResponse, 403: ErrorResponse, 422: ErrorResponse, ...commonErrors },
        detail: { summary: "Ask for a password reset mail" },
      },
    )
    .post(
      "/reset-password",
      async ({ body, tenant, context }) => {
        await resetPassword(
          deps,
          tenant,
          { token: body.token, password: body.new_password, field: "new_password" },
          context,
        );
        return { message: "The password was changed. Please sign in with it." };
      },
      {
        parse: jsonBody,
        body: models.ResetPasswordRequest,
        response: { 200: MessageResponse, 422: ErrorResponse, ...commonErrors },
        detail: { summary: "Set a new password with a mailed token" },
      },
    )
    .post(
      "/verify-email/send",
      async ({ body, tenant }) => {
        await requestEmailVerification(deps, tenant, body.email);
        return { message: "If this address waits to be verified, a mail with a link is on its way." };
      },
      {
        parse: jsonBody,
        body: models.EmailRequest,
        response: { 200: MessageResponse, 422: ErrorResponse, ...commonErrors },
        detail: { summary: "Send the verification mail again" },
      },
    );

const signedInAccount = (deps: Deps) =>
  new Elysia({ name: "native-account-signed-in", detail: { tags: ["Account"], security: bearerAuth } })
    .use(profileScope(deps))
    .get("/me", ({ user }) => meAnswer(deps, user), {
      response: { 200: models.MeResponse, 401: ErrorResponse, 403: ErrorResponse, ...commonErrors },
      detail: { summary: "The signed-in user" },
    });

export const accountRoutes = (deps: Deps) =>
  new Elysia({ name: "native-account" })
    .use(registration(deps))
    .use(publicAccount(deps))
    .use(signedInAccount(deps));
