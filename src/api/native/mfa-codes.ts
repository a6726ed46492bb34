/** A mailed or texted code as the second factor of a sign-in on the native surface. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../deps.ts";
import { completeNative, methodsForLogin } from "../../domain/accounts/complete-sign-in.ts";
import { requirePendingLogin } from "../../domain/mfa/pending-login.ts";
import { secondsToResend, sentCodeProver } from "../../domain/proofs/second-factor.ts";
import { sendSecondFactorCode } from "../../domain/proofs/service.ts";
import type { RequestContext } from "../../domain/request-context.ts";
import type { Tenant } from "../../domain/tenants/service.ts";
import { jsonBody } from "../../http/json-body.ts";
import { commonErrors, ErrorResponse, MessageResponse, publicRoute } from "../../http/models.ts";
import { requestScope } from "../../http/scope.ts";
import { AppError, forbidden } from "../../lib/errors.ts";
import { MfaToken, SignedInResponse, signedInResponse, VerifyTotpRequest } from "./mfa-models.ts";
import { noStore } from "./no-store.ts";

const SendRequest = t.Object({ mfa_token: MfaToken });
const sent = {
  200: MessageResponse,
  401: ErrorResponse,
  403: ErrorResponse,
  422: ErrorResponse,
  ...commonErrors,
};
const signedIn = { 200: SignedInResponse, 401: ErrorResponse, 422: ErrorResponse, ...commonErrors };

export const mfaCodeRoutes = (deps: Deps) =>
  new Elysia({ name: "native-mfa-codes", detail: { tags: ["MFA"], security: publicRoute } })
    .use(requestScope(deps))
    .post(
      "/mfa/email-code/send",
      ({ body, tenant, context }) => send(deps, tenant, "email_code", body.mfa_token, context),
      {
        parse: jsonBody,
        body: SendRequest,
        response: sent,
        detail: { summary: "Have a code mailed, as the second factor of a sign-in" },
      },
    )
    .post(
      "/mfa/email-code/verify",
      ({ body, tenant, context, set }) => {
        Object.assign(set.headers, noStore);
        return verify(deps, tenant, "email_code", body, context);
      },
      {
        parse: jsonBody,
        body: VerifyTotpRequest,
        response: signedIn,
        detail: { summary: "Sign in with a mailed code as the second factor" },
      },
    )
    .post(
      "/mfa/sms-code/send",
      ({ body, tenant, context }) => send(deps, tenant, "sms_code", body.mfa_token, context),
      {
        parse: jsonBody,
        body: SendRequest,
        response: sent,
        detail: { summary: "Have a code texted, as the second factor of a sign-in" },
      },
    )
    .post(
      "/mfa/sms-code/verify",
      ({ body, tenant, context, set }) => {
        Object.assign(set.headers, noStore);
        return verify(deps, tenant, "sms_code", body, context);
      },
      {
        parse: jsonBody,
        body: VerifyTotpRequest,
        response: signedIn,
        detail: { summary: "Sign in with a texted code as the second factor" },
      },
    );

/** @throws AppError 401 `invalid_mfa_token`; 403 for a method that is not to be used here; 429 when one was sent just now */
async function send(
  deps: Deps,
  tenant: Tenant,
  method: "email_code" | "sms_code",
  token: string,
  context: RequestContext,
): Promise<typeof MessageResponse.static> {
  const login = await requirePendingLogin(deps, tenant, token, { purpose: "verify", surface: "native" });
  const allowed = await methodsForLogin(deps, tenant, login);
  if (!allowed.includes(method)) throw forbidden("This second factor cannot be used for this sign-in.");
  const wait = await secondsToResend(deps, login.user, method);
  if (wait !== undefined && wait > 0) {
    throw new AppError(429, "rate_limited", `A code was sent just now. Please retry after ${wait} seconds.`, {
      headers: { "retry-after": String(wait) },
    });
  }
  if (!(await sendSecondFactorCode(deps, login.user, method, context))) {
    throw forbidden("This second factor cannot be used for this sign-in.");
  }
  return { message: "A code is on its way." };
}

async function verify(
  deps: Deps,
  tenant: Tenant,
  method: "email_code" | "sms_code",
  body: typeof VerifyTotpRequest.static,
  context: RequestContext,
): Promise<typeof SignedInResponse.static> {
  const completed = await completeNative(deps, tenant, {
    token: body.mfa_token,
    proverFor: () => sentCodeProver(method, body.code),
    trustDevice: body.trust_device ?? false,
    context,
  });
  return signedInResponse(completed);
}
