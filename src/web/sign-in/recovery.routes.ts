/** What mailed links lead to: a forgotten password and an address to confirm. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { isVerificationLinkOpen, verifyEmail } from "../../domain/accounts/email-verification.ts";
import {
  isResetLinkOpen,
  requestPasswordReset,
  requirePasswordReset,
  resetPassword,
} from "../../domain/accounts/password-reset.ts";
import { isEmailAddress } from "../../domain/users/service.ts";
import { MessageResponse } from "../../http/models.ts";
import { AppError } from "../../lib/errors.ts";
import { expireCookie, pendingCookieName } from "../cookies.ts";
import {
  formTo,
  linkTo,
  type PageAuthorization,
  pageAuthorization,
  type PageRequest,
  pageScope,
  readPageForm,
  redirectTo,
  rememberAuthorization,
  rememberedAuthorization,
  respondWithPage,
  shellOf,
} from "../http.ts";
import { translator } from "../messages/translator.ts";
import { formDetail, pageDetail, pageForm, pageResponses, VerifyEmailQuery } from "../models.ts";
import { passwordRulesOf, refusalText } from "../sign-up/password-rules.ts";
import { renderCheckYourMail } from "../pages/check-your-mail.tsx";
import { renderForgotPassword } from "../pages/forgot-password.tsx";
import { renderResetPassword, renderResetPasswordExpired } from "../pages/reset-password.tsx";
import { renderVerifyEmail, renderVerifyEmailExpired } from "../pages/verify-email.tsx";

export const recoveryRoutes = (deps: Deps) =>
  new Elysia({ name: "web-recovery" })
    .use(pageScope(deps))
    .get(
      "/recover",
      async ({ page }) => {
        requirePasswordReset(page.tenant);
        const authorization = await pageAuthorization(deps, page, page.query.get("interaction") ?? undefined);
        return showForgotPassword(deps, page, { authorization, email: authorization?.loginHint });
      },
      { response: pageResponses, detail: pageDetail("Forgotten-password page") },
    )
    .post(
      "/recover",
      async ({ page, body }) => {
        const field = readPageForm(deps, page, body);
        const authorization = await pageAuthorization(deps, page, field("interaction"));
        const email = field("email").trim();
        if (!isEmailAddress(email)) {
          const { fieldProblems } = translator(shellOf(page, authorization).locale);
          return showForgotPassword(deps, page, { authorization, email, error: fieldProblems.email });
        }
        await requestPasswordReset(deps, page.tenant, email, page.context);
        const html = renderCheckYourMail(shellOf(page, authorization), {
          kind: "reset",
          email,
          resend: formTo(deps, page, "/recover", authorization),
          signInUrl: linkTo(page, "/signin", authorization),
          mailboxUrl: deps.config.mail.driver === "mailbox" ? "/dev/mailbox" : undefined,
        });
        return rememberAuthorization(respondWithPage(deps, page, html, { authorization }), authorization);
      },
      {
        ...pageForm,
        response: pageResponses,
        detail: formDetail("Ask for a reset mail with the page's form"),
      },
    )
    .get(
      "/reset-password",
      async ({ page }) => {
        const token = page.query.get("token") ?? "";
        return (await isResetLinkOpen(deps, page.tenant, token))
          ? showResetPassword(deps, page, { token })
          : showResetExpired(deps, page);
      },
      { response: pageResponses, detail: pageDetail("New-password page, from a mailed link") },
    )
    .post(
      "/recover/reset",
      async ({ page, body }) => {
        const field = readPageForm(deps, page, body);
        const token = field("token");
        try {
          await resetPassword(
            deps,
            page.tenant,
            { token, password: field("password").slice(0, 1024) },
            page.context,
          );
          return await backToSignIn(deps, page, "password_reset");
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          if (error.code === "invalid_token") return showResetExpired(deps, page);
          if (error.status !== 422) throw error;
          const t = translator(shellOf(page).locale);
          return showResetPassword(deps, page, { token, error: refusalText(t, page.tenant.settings, error) });
        }
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Set a new password with the page's form") },
    )
    .get(
      "/verify-email",
      async ({ page, query: { token } }) => {
        // A browser gets a page with a button: mail scanners open links too, and must not use them up.
        if (page.request.method !== "GET" || page.request.headers.get("accept")?.includes("text/html")) {
          return (await isVerificationLinkOpen(deps, page.tenant, token))
            ? showVerifyEmail(deps, page, token)
            : showVerifyExpired(deps, page);
        }
        await verifyEmail(deps, page.tenant, token, page.context);
        return Response.json({ message: "The email address is verified." });
      },
      {
        query: VerifyEmailQuery,
        response: { ...pageResponses, 200: MessageResponse },
        detail: {
          ...pageDetail("Verify an email address with a mailed token"),
          tags: ["Account"],
          description:
            "API callers get JSON. Browsers get a page that asks for a click, which then verifies.",
        },
      },
    )
    .post(
      "/verify-email/confirm",
      async ({ page, body }) => {
        const field = readPageForm(deps, page, body);
        try {
          await verifyEmail(deps, page.tenant, field("token"), page.context);
          return await backToSignIn(deps, page, "email_verified");
        } catch (error) {
          if (!(error instanceof AppError) || error.code !== "invalid_token") throw error;
          return showVerifyExpired(deps, page);
        }
      },
      {
        ...pageForm,
        response: pageResponses,
        detail: formDetail("Verify an email address with the page's form"),
      },
    );

/** To the sign-in page, and with it back into the authorization request that this browser left for its mail. */
async function backToSignIn(
  deps: Deps,
  page: PageRequest,
  notice: "email_verified" | "password_reset",
): Promise<Response> {
  const authorization = await rememberedAuthorization(deps, page);
  const query = new URLSearchParams({
    notice,
    ...(authorization ? { interaction: authorization.sealed } : {}),
  });
  return redirectTo(page, `${page.base}/signin?${query}`, [expireCookie(pendingCookieName)]);
}

function showForgotPassword(
  deps: Deps,
  page: PageRequest,
  props: { authorization: PageAuthorization | undefined; email?: string | undefined; error?: string },
): Response {
  const { authorization, ...rest } = props;
  const html = renderForgotPassword(shellOf(page, authorization), {
    ...rest,
    form: formTo(deps, page, "/recover", authorization),
    signInUrl: linkTo(page, "/signin", authorization),
  });
  return respondWithPage(deps, page, html, { status: props.error ? 400 : 200, authorization });
}

function showResetPassword(
  deps: Deps,
  page: PageRequest,
  props: { token: string; error?: string | undefined },
): Response {
  const html = renderResetPassword(shellOf(page), {
    ...props,
    form: formTo(deps, page, "/recover/reset"),
    passwordRules: passwordRulesOf(page.tenant.settings),
  });
  return respondWithPage(deps, page, html, { status: props.error ? 400 : 200 });
}

function showResetExpired(deps: Deps, page: PageRequest): Response {
  const html = renderResetPasswordExpired(shellOf(page), { forgotPasswordUrl: linkTo(page, "/recover") });
  return respondWithPage(deps, page, html, { status: 400 });
}

function showVerifyEmail(deps: Deps, page: PageRequest, token: string): Response {
  const form = formTo(deps, page, "/verify-email/confirm");
  return respondWithPage(deps, page, renderVerifyEmail(shellOf(page), { form, token }));
}

function showVerifyExpired(deps: Deps, page: PageRequest): Response {
  const html = renderVerifyEmailExpired(shellOf(page), { signInUrl: linkTo(page, "/signin") });
  return respondWithPage(deps, page, html, { status: 400 });
}
