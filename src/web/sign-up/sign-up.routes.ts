import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { requestEmailVerification } from "../../domain/accounts/email-verification.ts";
import { register, requireOpenRegistration } from "../../domain/accounts/registration.ts";
import { policyOf } from "../../domain/mfa/policy.ts";
import { passwordRulesOf, refusalText } from "./password-rules.ts";
import { isEmailAddress, isUsername } from "../../domain/users/service.ts";
import type { TenantSettings } from "../../domain/tenants/settings.ts";
import { passwordProblem, PasswordRefused } from "../../domain/passwords/service.ts";
import { AppError, type FieldError } from "../../lib/errors.ts";
import {
  type FormFields,
  formTo,
  linkTo,
  type PageAuthorization,
  pageAuthorization,
  type PageRequest,
  pageScope,
  readPageForm,
  rememberAuthorization,
  respondWithPage,
  shellOf,
} from "../http.ts";
import { connectionViews } from "../federation/home-realm.ts";
import { passwordHint } from "../components/password-rules.ts";
import type { Messages } from "../messages/en.ts";
import { translator } from "../messages/translator.ts";
import { formDetail, pageDetail, pageForm, pageResponses } from "../models.ts";
import { renderCheckYourMail } from "../pages/check-your-mail.tsx";
import { renderSignUp, type SignUpValues } from "../pages/sign-up.tsx";

export const signUpRoutes = (deps: Deps) =>
  new Elysia({ name: "web-sign-up" })
    .use(pageScope(deps))
    .get(
      "/signup",
      async ({ page }) => {
        requireOpenRegistration(page.tenant);
        const authorization = await pageAuthorization(deps, page, page.query.get("interaction") ?? undefined);
        return showSignUp(deps, page, { authorization, values: { email: authorization?.loginHint } });
      },
      { response: pageResponses, detail: pageDetail("Sign-up page") },
    )
    .post(
      "/signup",
      async ({ page, body }) => {
        const field = readPageForm(deps, page, body);
        const authorization = await pageAuthorization(deps, page, field("interaction"));
        const values = readValues(field);
        const { locale } = shellOf(page, authorization);
        const t = translator(locale);
        const password = field("password");
        const fieldErrors = [
          ...problemsOf(values, t),
          ...passwordProblems(password, page.tenant.settings, t),
        ];
        if (fieldErrors.length > 0) return showSignUp(deps, page, { authorization, values, fieldErrors });
        try {
          await register(deps, page.tenant, { ...detailsOf(values, locale), password }, page.context);
          const response = showCheckYourMail(deps, page, {
            authorization,
            email: values.email,
            resent: false,
          });
          return rememberAuthorization(response, authorization);
        } catch (error) {
          if (error instanceof PasswordRefused) {
            const refused = { field: "password", message: refusalText(t, page.tenant.settings, error) };
            return showSignUp(deps, page, { authorization, values, fieldErrors: [refused] });
          }
          if (!(error instanceof AppError) || error.status !== 409) throw error;
          const taken = { field: "username", message: t.fieldProblems.usernameTaken };
          return showSignUp(deps, page, { authorization, values, fieldErrors: [taken] });
        }
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Register with the page's form") },
    )
    .post(
      "/signup/resend",
      async ({ page, body }) => {
        const field = readPageForm(deps, page, body);
        const authorization = await pageAuthorization(deps, page, field("interaction"));
        const email = field("email").slice(0, 254);
        await requestEmailVerification(deps, page.tenant, email);
        return showCheckYourMail(deps, page, { authorization, email, resent: true });
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Send the verification mail again") },
    );

export type SignUpForm = Required<{ [Name in keyof SignUpValues]: string }>;

export function readValues(field: FormFields): SignUpForm {
  return {
    email: field("email").trim(),
    username: field("username").trim(),
    given_name: field("given_name").trim(),
    family_name: field("family_name").trim(),
  };
}

export function problemsOf(values: SignUpForm, t: Messages): FieldError[] {
  const { email, username, given_name, family_name } = values;
  const problems: FieldError[] = [];
  if (!isEmailAddress(email)) problems.push({ field: "email", message: t.fieldProblems.email });
  if (!isUsername(username)) problems.push({ field: "username", message: t.fieldProblems.username });
  for (const [field, value] of Object.entries({ given_name, family_name })) {
    if (value.length > 128) problems.push({ field, message: t.fieldProblems.tooLong });
  }
  return problems;
}

export const detailsOf = (values: SignUpForm, locale: string) => ({
  email: values.email,
  username: values.username,
  givenName: values.given_name || undefined,
  familyName: values.family_name || undefined,
  locale,
});

/** Whether an account may have a passkey instead of a password. */
export const isPasskeyAllowed = ({ tenant }: PageRequest) => policyOf(tenant).methods.includes("webauthn");

function passwordProblems(password: string, settings: TenantSettings, t: Messages): FieldError[] {
  if (!passwordProblem(password, settings)) return [];
  return [{ field: "password", message: passwordHint(t, passwordRulesOf(settings)) }];
}

async function showSignUp(
  deps: Deps,
  page: PageRequest,
  props: {
    authorization: PageAuthorization | undefined;
    values?: SignUpValues;
    fieldErrors?: readonly FieldError[];
  },
): Promise<Response> {
  const { authorization, ...rest } = props;
  const html = renderSignUp(shellOf(page, authorization), {
    ...rest,
    form: formTo(deps, page, "/signup", authorization),
    username: "required",
    passwordRules: passwordRulesOf(page.tenant.settings),
    signInUrl: linkTo(page, "/signin", authorization),
    otherKindUrl: isPasskeyAllowed(page) ? linkTo(page, "/signup/passkey", authorization) : undefined,
    connections: await connectionViews(deps, page, authorization, { signUp: true }),
  });
  return respondWithPage(deps, page, html, { status: props.fieldErrors ? 400 : 200, authorization });
}

export function showCheckYourMail(
  deps: Deps,
  page: PageRequest,
  props: { authorization: PageAuthorization | undefined; email: string; resent: boolean },
): Response {
  const { authorization, email, resent } = props;
  const html = renderCheckYourMail(shellOf(page, authorization), {
    kind: "verify",
    email,
    resent,
    resend: formTo(deps, page, "/signup/resend", authorization),
    signInUrl: linkTo(page, "/signin", authorization),
    mailboxUrl: deps.config.mail.driver === "mailbox" ? "/dev/mailbox" : undefined,
  });
  return respondWithPage(deps, page, html, { authorization });
}
