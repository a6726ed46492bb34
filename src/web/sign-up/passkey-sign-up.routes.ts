/** Signing up with a passkey and no password: first who it is, then the passkey. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { beginPasskeySignUp, finishPasskeySignUp } from "../../domain/accounts/passkey-sign-up.ts";
import { requireOpenRegistration } from "../../domain/accounts/registration.ts";
import { requireAllowed } from "../../domain/mfa/factors.ts";
import { findUserByIdentifier } from "../../domain/users/service.ts";
import { CreationOptions } from "../../http/webauthn-models.ts";
import { AppError, type FieldError, validationError } from "../../lib/errors.ts";
import {
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
import { translator } from "../messages/translator.ts";
import {
  formDetail,
  optionsDetail,
  optionsErrors,
  optionsHeaders,
  pageDetail,
  pageForm,
  pageResponses,
} from "../models.ts";
import { renderCreatePasskey } from "../pages/enroll.tsx";
import { renderSignUp, type SignUpValues } from "../pages/sign-up.tsx";
import { readRegistration } from "../sign-in/passkey-answer.ts";
import { detailsOf, problemsOf, readValues, showCheckYourMail, type SignUpForm } from "./sign-up.routes.ts";

const PATH = "/signup/passkey";
const CREATE_PATH = `${PATH}/create`;

export const passkeySignUpRoutes = (deps: Deps) =>
  new Elysia({ name: "web-passkey-sign-up" })
    .use(pageScope(deps))
    .get(
      PATH,
      async ({ page }) => {
        requireOpen(page);
        const authorization = await pageAuthorization(deps, page, page.query.get("interaction") ?? undefined);
        return showDetails(deps, page, authorization, { email: authorization?.loginHint });
      },
      { response: pageResponses, detail: pageDetail("Sign-up page for accounts with a passkey") },
    )
    .post(
      PATH,
      async ({ page, body }) => {
        requireOpen(page);
        const field = readPageForm(deps, page, body);
        const authorization = await pageAuthorization(deps, page, field("interaction"));
        const values = readValues(field);
        const t = translator(shellOf(page, authorization).locale);
        const problems = problemsOf(values, t);
        if (problems.length === 0 && (await findUserByIdentifier(deps, page.tenant.id, values.username)))
          problems.push({ field: "username", message: t.fieldProblems.usernameTaken });
        if (problems.length > 0) return showDetails(deps, page, authorization, values, problems);
        return showCreate(deps, page, authorization, values, false);
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Tell who signs up with a passkey") },
    )
    .post(
      `${PATH}/options`,
      ({ page, body, set }) => {
        Object.assign(set.headers, optionsHeaders);
        const field = readPageForm(deps, page, body);
        const values = readValues(field);
        const { locale } = shellOf(page);
        const problems = problemsOf(values, translator(locale));
        if (problems.length > 0) throw validationError(problems);
        return beginPasskeySignUp(deps, page.tenant, detailsOf(values, locale));
      },
      {
        ...pageForm,
        response: {
          200: CreationOptions,
          409: optionsErrors[400],
          422: optionsErrors[400],
          ...optionsErrors,
        },
        detail: optionsDetail("What an authenticator is asked for, to sign up with a passkey"),
      },
    )
    .post(
      CREATE_PATH,
      async ({ page, body }) => {
        const field = readPageForm(deps, page, body);
        const authorization = await pageAuthorization(deps, page, field("interaction"));
        const values = readValues(field);
        const response = readRegistration(field("credential"));
        if (!response) return showCreate(deps, page, authorization, values, true);
        try {
          const { email } = await finishPasskeySignUp(deps, page.tenant, response, page.context);
          const sent = { authorization, email: email ?? values.email, resent: false };
          return rememberAuthorization(showCheckYourMail(deps, page, sent), authorization);
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          if (error.code === "invalid_credential") return showCreate(deps, page, authorization, values, true);
          if (error.status !== 409) throw error;
          const { usernameTaken } = translator(shellOf(page, authorization).locale).fieldProblems;
          const taken = { field: "username", message: usernameTaken };
          return showDetails(deps, page, authorization, values, [taken]);
        }
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Sign up with a passkey") },
    );

function requireOpen({ tenant }: PageRequest): void {
  requireOpenRegistration(tenant);
  requireAllowed(tenant, "webauthn");
}

function showDetails(
  deps: Deps,
  page: PageRequest,
  authorization: PageAuthorization | undefined,
  values: SignUpValues,
  fieldErrors?: readonly FieldError[],
): Response {
  const html = renderSignUp(shellOf(page, authorization), {
    form: formTo(deps, page, PATH, authorization),
    values,
    fieldErrors,
    username: "required",
    withPasskey: true,
    signInUrl: linkTo(page, "/signin", authorization),
    otherKindUrl: linkTo(page, "/signup", authorization),
  });
  return respondWithPage(deps, page, html, { status: fieldErrors ? 400 : 200, authorization });
}

function showCreate(
  deps: Deps,
  page: PageRequest,
  authorization: PageAuthorization | undefined,
  values: SignUpForm,
  refused: boolean,
): Response {
  const html = renderCreatePasskey(shellOf(page, authorization), {
    form: formTo(deps, page, CREATE_PATH, authorization),
    optionsUrl: `${page.base}${PATH}/options`,
    problem: refused ? "notCreated" : undefined,
    back: { url: linkTo(page, PATH, authorization), text: "cancel" },
    hidden: values,
  });
  return respondWithPage(deps, page, html, { status: refused ? 400 : 200, authorization, withScript: true });
}
