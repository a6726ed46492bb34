import { Elysia } from "elysia";
import type { Deps } from "../deps.ts";
import { signInBrowser } from "../domain/accounts/sign-in.ts";
import { AppError } from "../lib/errors.ts";
import { serializeCookie } from "./cookies.ts";
import {
  currentSession,
  formTo,
  linkTo,
  type PageAuthorization,
  pageAuthorization,
  type PageRequest,
  pageScope,
  readPageForm,
  redirectTo,
  respondWithPage,
  sessionCookieOf,
  shellOf,
} from "./http.ts";
import { formDetail, pageDetail, pageForm, pageResponses } from "./models.ts";
import { renderSignIn, type SignInNotice, type SignInProblem } from "./pages/sign-in.tsx";

/** What the sign-in page may be told by the page before it, as `?notice=`. */
const NOTICES: readonly SignInNotice[] = ["email_verified", "password_reset", "signed_out"];

export const signInRoutes = (deps: Deps) =>
  new Elysia({ name: "web-sign-in" })
    .use(pageScope(deps))
    .get(
      "/signin",
      async ({ page }) => {
        const authorization = await pageAuthorization(deps, page, page.query.get("interaction") ?? undefined);
        // An application that asks for a sign-in has its reasons; without one, who is signed in has no need to.
        if (!authorization && (await currentSession(deps, page)))
          return redirectTo(page, linkTo(page, "/account"));
        const notice = NOTICES.find((known) => known === page.query.get("notice"));
        return showSignIn(deps, page, {
          authorization,
          identifier: authorization?.request.loginHint,
          notice,
        });
      },
      { response: pageResponses, detail: pageDetail("Sign-in page") },
    )
    .post(
      "/signin",
      async ({ page, body }) => {
        const field = readPageForm(deps, page, body);
        const authorization = await pageAuthorization(deps, page, field("interaction"));
        const credentials = {
          identifier: field("identifier").trim().slice(0, 254),
          password: field("password").slice(0, 1024),
          rememberMe: field("remember_me") === "true",
        };
        const before = await currentSession(deps, page);
        try {
          const signedIn = await signInBrowser(deps, page.tenant, credentials, before, page.context);
          const maxAgeSeconds = secondsUntil(deps, signedIn.expiresAt);
          const cookie = serializeCookie(
            sessionCookieOf(page.tenant),
            signedIn.cookie,
            signedIn.remembered ? { maxAgeSeconds } : {},
          );
          const next = authorization ? "/oauth/authorize" : "/account";
          return redirectTo(page, linkTo(page, next, authorization), [cookie]);
        } catch (error) {
          const problem = problemOf(error);
          if (!problem) throw error;
          const { identifier, rememberMe } = credentials;
          return showSignIn(deps, page, { authorization, problem, identifier, rememberMe });
        }
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Sign in with the page's form") },
    );

const secondsUntil = (deps: Deps, moment: Date) => (moment.getTime() - deps.clock.now().getTime()) / 1000;

function problemOf(error: unknown): SignInProblem | undefined {
  if (!(error instanceof AppError)) return undefined;
  if (error.status === 401) return "invalid_credentials";
  if (error.code === "email_not_verified") return "email_not_verified";
  return error.status === 429 ? "too_many_attempts" : undefined;
}

function showSignIn(
  deps: Deps,
  page: PageRequest,
  props: {
    authorization: PageAuthorization | undefined;
    identifier?: string | undefined;
    rememberMe?: boolean;
    problem?: SignInProblem;
    notice?: SignInNotice | undefined;
  },
): Response {
  const { authorization, problem } = props;
  const { settings } = page.tenant;
  const html = renderSignIn(shellOf(page, authorization), {
    form: formTo(deps, page, "/signin", authorization),
    identifier: props.identifier,
    problem,
    notice: props.notice,
    rememberMe: settings.remember_me_enabled ? { checked: props.rememberMe ?? false } : undefined,
    signUpUrl: settings.self_registration_enabled ? linkTo(page, "/signup", authorization) : undefined,
    forgotPasswordUrl: settings.forgot_password_enabled ? linkTo(page, "/recover", authorization) : undefined,
  });
  return respondWithPage(deps, page, html, { status: problem ? 400 : 200, authorization });
}
