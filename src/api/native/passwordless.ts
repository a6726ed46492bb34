/** Signing in without a password: by a mailed code, a mailed link or a texted code, where the tenant allows it. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { continueNative } from "../../domain/accounts/complete-sign-in.ts";
import {
  completeMagicLink,
  type IssuedProof,
  PROOF_SECONDS,
  type ProvenSignIn,
  requestSignInProof,
  verifySignInCode,
} from "../../domain/proofs/service.ts";
import type { RequestContext } from "../../domain/request-context.ts";
import type { Tenant } from "../../domain/tenants/service.ts";
import { jsonBody } from "../../http/json-body.ts";
import { commonErrors, ErrorResponse, publicRoute } from "../../http/models.ts";
import { requestScope } from "../../http/scope.ts";
import {
  CompleteLinkRequest,
  MagicLinkResponse,
  ProofResponse,
  SendCodeRequest,
  SendSmsRequest,
  VerifyCodeRequest,
} from "./account-models.ts";
import { LoginAnswer, signInAnswer } from "./mfa-models.ts";
import { noStore } from "./no-store.ts";

const sent = { 200: ProofResponse, 403: ErrorResponse, 422: ErrorResponse, ...commonErrors };
const signedIn = {
  200: LoginAnswer,
  401: ErrorResponse,
  403: ErrorResponse,
  422: ErrorResponse,
  ...commonErrors,
};

const NEUTRAL = "The answer is the same whether or not there is somebody to send it to.";

export const passwordlessRoutes = (deps: Deps) =>
  new Elysia({ name: "native-passwordless", detail: { tags: ["Account"], security: publicRoute } })
    .use(requestScope(deps))
    .onTransform(({ set }) => {
      Object.assign(set.headers, noStore);
    })
    .post(
      "/login/email-code",
      async ({ body, tenant, context }) =>
        proofAnswer(await requestSignInProof(deps, tenant, "email_code", body.email, context), "code"),
      {
        parse: jsonBody,
        body: SendCodeRequest,
        response: sent,
        detail: { summary: "Have a sign-in code mailed", description: NEUTRAL },
      },
    )
    .post(
      "/login/email-code/verify",
      async ({ body, tenant, context }) => {
        const { proof_token: token, code } = body;
        const proven = await verifySignInCode(deps, tenant, { token, code, kind: "email_code" }, context);
        return goOn(deps, tenant, proven, body.device_token, context);
      },
      {
        parse: jsonBody,
        body: VerifyCodeRequest,
        response: signedIn,
        detail: { summary: "Sign in with a mailed code" },
      },
    )
    .post(
      "/login/sms-code",
      async ({ body, tenant, context }) =>
        proofAnswer(await requestSignInProof(deps, tenant, "sms_code", body.phone, context), "code"),
      {
        parse: jsonBody,
        body: SendSmsRequest,
        response: sent,
        detail: { summary: "Have a sign-in code texted", description: NEUTRAL },
      },
    )
    .post(
      "/login/sms-code/verify",
      async ({ body, tenant, context }) => {
        const { proof_token: token, code } = body;
        const proven = await verifySignInCode(deps, tenant, { token, code, kind: "sms_code" }, context);
        return goOn(deps, tenant, proven, body.device_token, context);
      },
      {
        parse: jsonBody,
        body: VerifyCodeRequest,
        response: signedIn,
        detail: { summary: "Sign in with a texted code" },
      },
    )
    .post(
      "/login/magic-link",
      async ({ body, tenant, context }) => {
        const proof = await requestSignInProof(deps, tenant, "magic_link", body.email, context);
        return { ...proofAnswer(proof, "link"), check_number: proof.checkNumber };
      },
      {
        parse: jsonBody,
        body: SendCodeRequest,
        response: { ...sent, 200: MagicLinkResponse },
        detail: {
          summary: "Have a sign-in link mailed",
          description: `Whoever opens it confirms; the sign-in goes on here, with the proof token. ${NEUTRAL}`,
        },
      },
    )
    .post(
      "/login/magic-link/complete",
      async ({ body, tenant, context }) => {
        const proven = await completeMagicLink(deps, tenant, body.proof_token);
        return goOn(deps, tenant, proven, body.device_token, context);
      },
      {
        parse: jsonBody,
        body: CompleteLinkRequest,
        response: signedIn,
        detail: {
          summary: "Sign in with a link that was confirmed",
          description:
            "To be asked every few seconds: 400 `authorization_pending` until the link is opened and confirmed, on whatever device.",
        },
      },
    );

const proofAnswer = ({ token }: IssuedProof, what: "code" | "link") => ({
  message: `If there is an account that can sign in this way, a ${what} is on its way.`,
  proof_token: token,
  expires_in: PROOF_SECONDS,
});

async function goOn(
  deps: Deps,
  tenant: Tenant,
  proven: ProvenSignIn,
  deviceToken: string | undefined,
  context: RequestContext,
) {
  return signInAnswer(await continueNative(deps, tenant, proven, { deviceToken, context }));
}
