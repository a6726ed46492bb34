/** The password, the address, a copy of the data and the end of the account, from the security page. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../deps.ts";
import { requestAccountDeletion } from "../../domain/accounts/deletion.ts";
import { requestEmailChange } from "../../domain/accounts/email-change.ts";
import { changePassword } from "../../domain/accounts/password-change.ts";
import {
  downloadDataExport,
  findNewestExport,
  requestDataExport,
} from "../../domain/data-exports/service.ts";
import { needToChangePassword } from "../../domain/mfa/factors.ts";
import { PasswordRefused } from "../../domain/passwords/service.ts";
import { isEmailAddress } from "../../domain/users/service.ts";
import { AppError, type FieldError, forbidden } from "../../lib/errors.ts";
import { satisfiesNeed } from "../../protocol/oidc/acr.ts";
import { expireCookie } from "../cookies.ts";
import {
  linkTo,
  type PageRequest,
  pageScope,
  redirectTo,
  respondWithPage,
  sessionCookieOf,
  shellOf,
  trustedDeviceCookieOf,
} from "../http.ts";
import { translator } from "../messages/translator.ts";
import { formDetail, pageDetail, pageForm, pageResponses } from "../models.ts";
import {
  renderChangeEmail,
  renderChangePassword,
  renderDeleteAccount,
  renderDeletionBegun,
} from "../pages/security-forms.tsx";
import { passwordRulesOf, refusalText } from "../sign-up/password-rules.ts";
import { stepUpUrl } from "../sign-in/step-up.routes.ts";
import { backToSecurity, openPage, SECURITY_PATH, type SecurityVisit, takeForm } from "./security-scope.ts";

const PASSWORD_PATH = `${SECURITY_PATH}/password`;
const EMAIL_PATH = `${SECURITY_PATH}/email`;
const EXPORT_PATH = `${SECURITY_PATH}/export`;
const DELETE_PATH = `${SECURITY_PATH}/delete`;

export const securityAccountRoutes = (deps: Deps) =>
  new Elysia({ name: "web-security-account" }).use(credentials(deps)).use(data(deps));

const credentials = (deps: Deps) =>
  new Elysia({ name: "web-security-credentials" })
    .use(pageScope(deps))
    .get(
      PASSWORD_PATH,
      ({ page }) =>
        openPage(
          deps,
          page,
          async (visit) => (await toStepUp(deps, page, visit)) ?? showPassword(deps, page, visit),
        ),
      { response: pageResponses, detail: pageDetail("Page that changes the password") },
    )
    .post(
      PASSWORD_PATH,
      ({ page, body }) =>
        takeForm(deps, page, body, async (visit, field) => {
          const stale = await toStepUp(deps, page, visit);
          if (stale) return stale;
          const { user, id: sessionId } = visit.session;
          const change = {
            currentPassword: field("current_password").slice(0, 1024),
            password: field("new_password").slice(0, 1024),
            endOtherSessions: true,
          };
          try {
            await changePassword(deps, page.tenant, { user, sessionId }, change, page.context);
          } catch (error) {
            return showPassword(deps, page, visit, passwordProblem(page, error));
          }
          const response = backToSecurity(page, { notice: "password_changed" });
          // A device is trusted with one password and with no later one.
          response.headers.append("set-cookie", expireCookie(trustedDeviceCookieOf(page.tenant)));
          return response;
        }),
      { ...pageForm, response: pageResponses, detail: formDetail("Change the password") },
    )
    .get(
      EMAIL_PATH,
      ({ page }) => openPage(deps, page, (visit) => showEmail(deps, page, visit), EMAIL_PATH),
      { response: pageResponses, detail: pageDetail("Page that changes the email address") },
    )
    .post(
      EMAIL_PATH,
      ({ page, body }) =>
        takeForm(
          deps,
          page,
          body,
          async (visit, field) => {
            const email = field("email").trim().slice(0, 254);
            try {
              if (!isEmailAddress(email)) return showEmail(deps, page, visit, email);
              await requestEmailChange(deps, visit.session.user, email, page.context);
            } catch (error) {
              if (!(error instanceof AppError) || error.status !== 422) throw error;
              return showEmail(deps, page, visit, email);
            }
            return backToSecurity(page, { notice: "email_change_requested" });
          },
          EMAIL_PATH,
        ),
      { ...pageForm, response: pageResponses, detail: formDetail("Ask for another email address") },
    );

const data = (deps: Deps) =>
  new Elysia({ name: "web-security-data" })
    .use(pageScope(deps))
    .get(
      EXPORT_PATH,
      ({ page }) =>
        openPage(
          deps,
          page,
          async ({ session }) => {
            const copy = await findNewestExport(deps, session.user);
            if (copy?.status !== "ready") return backToSecurity(page, { problem: "not_possible" });
            const json = await downloadDataExport(deps, session.user, copy.id, page.context);
            return new Response(json, { headers: downloadHeaders });
          },
          EXPORT_PATH,
        ),
      {
        response: { ...pageResponses, 200: t.String({ description: "A copy of a person's data, as JSON" }) },
        detail: pageDetail("Download the copy of one's data"),
      },
    )
    .post(
      EXPORT_PATH,
      ({ page, body }) =>
        takeForm(
          deps,
          page,
          body,
          async ({ session }) => {
            await requestDataExport(deps, session.user, page.context);
            return backToSecurity(page, { notice: "export_requested" });
          },
          SECURITY_PATH,
        ),
      { ...pageForm, response: pageResponses, detail: formDetail("Ask for a copy of one's data") },
    )
    .get(
      DELETE_PATH,
      ({ page }) =>
        openPage(
          deps,
          page,
          ({ form }) => {
            const { account_deletion_enabled: open, account_deletion_grace_days: graceDays } =
              page.tenant.settings;
            if (!open) throw forbidden("Accounts are deleted by administrators here. Please ask one.");
            const props = { form: form(DELETE_PATH), graceDays, backUrl: linkTo(page, SECURITY_PATH) };
            return respondWithPage(deps, page, renderDeleteAccount(shellOf(page), props));
          },
          DELETE_PATH,
        ),
      { response: pageResponses, detail: pageDetail("Page that deletes the account") },
    )
    .post(
      DELETE_PATH,
      ({ page, body }) =>
        takeForm(
          deps,
          page,
          body,
          async ({ session }) => {
            const dueAt = await requestAccountDeletion(deps, page.tenant, session.user, page.context);
            const response = respondWithPage(deps, page, renderDeletionBegun(shellOf(page), { dueAt }));
            response.headers.append("set-cookie", expireCookie(sessionCookieOf(page.tenant)));
            return response;
          },
          DELETE_PATH,
        ),
      {
        ...pageForm,
        response: { ...pageResponses, 409: pageResponses[400] },
        detail: formDetail("Delete the account"),
      },
    );

/** The form takes the current password, which is proof enough of who has no second factor. */
async function toStepUp(
  deps: Deps,
  page: PageRequest,
  { session }: SecurityVisit,
): Promise<Response | undefined> {
  const need = await needToChangePassword(deps, page.tenant, session.user, { typed: true });
  if (!need || satisfiesNeed(session, need, deps.clock.now())) return undefined;
  return redirectTo(page, stepUpUrl(page, PASSWORD_PATH));
}

const downloadHeaders = {
  "content-type": "application/json",
  "content-disposition": 'attachment; filename="account.json"',
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};

type PasswordProblem = { problem: "too_many_attempts" } | { fieldErrors: FieldError[] };

/** In the page's language. @throws whatever is no problem of the form's */
function passwordProblem(page: PageRequest, error: unknown): PasswordProblem {
  const texts = translator(shellOf(page).locale);
  if (error instanceof PasswordRefused)
    return {
      fieldErrors: [{ field: "new_password", message: refusalText(texts, page.tenant.settings, error) }],
    };
  if (!(error instanceof AppError)) throw error;
  if (error.status === 429) return { problem: "too_many_attempts" };
  if (error.status !== 422) throw error;
  return { fieldErrors: [{ field: "current_password", message: texts.security.password.wrongCurrent }] };
}

function showPassword(
  deps: Deps,
  page: PageRequest,
  { form }: SecurityVisit,
  problem?: PasswordProblem,
): Response {
  const html = renderChangePassword(shellOf(page), {
    form: form(PASSWORD_PATH),
    passwordRules: passwordRulesOf(page.tenant.settings),
    ...problem,
    backUrl: linkTo(page, SECURITY_PATH),
  });
  return respondWithPage(deps, page, html, { status: problem ? 400 : 200 });
}

/** @param refused what was typed, and is no address or the person's own */
function showEmail(deps: Deps, page: PageRequest, { form }: SecurityVisit, refused?: string): Response {
  const { fieldProblems } = translator(shellOf(page).locale);
  const html = renderChangeEmail(shellOf(page), {
    form: form(EMAIL_PATH),
    value: refused,
    error: refused === undefined ? undefined : fieldProblems.email,
    backUrl: linkTo(page, SECURITY_PATH),
  });
  return respondWithPage(deps, page, html, { status: refused === undefined ? 200 : 400 });
}
